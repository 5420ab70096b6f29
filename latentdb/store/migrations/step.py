"""What a migration is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import final

from latentdb.store.tables import Tables


@final
@dataclass(frozen=True)
class Step:
    """One step of the format.

    Parameters
    ----------
    number : int
        The format after the step; steps count up from 1.
    summary : str
        What it changes, in a phrase.
    apply : callable
        Makes the change; idempotent.
    breaks_readers : bool
        Whether a program that does not know this step would misread the database.
    """

    number: int
    summary: str
    apply: Callable[[Tables], None]
    breaks_readers: bool
