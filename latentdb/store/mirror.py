"""Artefacts of a database: files beside its tables, which other machines have to see too."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import final

from latentdb.store.problems import Problem


class AbstractMirror(ABC):
    """Keeps the local folder of artefacts and what is published of them the same."""

    @abstractmethod
    def catch_up(self) -> None:
        """Bring the local folder up to what is published, where that may have changed."""

    @abstractmethod
    def changing(self, top: str) -> AbstractContextManager[None]:
        """A context: what changes below `top` in the length of the block is published at its end.

        Parameters
        ----------
        top : str
            A folder of artefacts such as "maps", or a file such as "migrations.json".
        """

    @abstractmethod
    def refetch(self) -> bool:
        """Fetch files anew whose content is not what was published; whether there were any."""

    @abstractmethod
    def problems(self, *, repair: bool) -> list[Problem]:
        """Published files that are lost or torn; `repair` publishes those that are here whole."""

    @abstractmethod
    def sweep(self) -> None:
        """Delete what publishing that was cut short left behind."""


@final
class InPlace(AbstractMirror):
    """The folder is the database: what is written there is published, and nothing is to be done."""

    def catch_up(self) -> None:
        """Nothing."""

    @contextmanager
    def changing(self, top: str) -> Iterator[None]:  # noqa: ARG002 - of the interface
        """Nothing beside the block."""
        yield

    def refetch(self) -> bool:
        """Nothing: there is no other copy."""
        return False

    def problems(self, *, repair: bool) -> list[Problem]:  # noqa: ARG002 - of the interface
        """None."""
        return []

    def sweep(self) -> None:
        """Nothing."""
