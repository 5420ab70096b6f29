"""What is known of a shared space but its projections: all that a client of a server has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, final


@final
@dataclass(frozen=True)
class SharedFacts:
    """A `SharedSpace` without its arrays.

    Parameters
    ----------
    name : str
    told : mapping
        What `SharedSpace.to_json` gave.
    """

    name: str
    told: Mapping[str, Any]

    def to_json(self) -> dict[str, Any]:
        """What is said of it when it was fitted."""
        return dict(self.told)
