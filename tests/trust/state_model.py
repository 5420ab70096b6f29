"""A database as dictionaries, and distances by their definitions in float64."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from indexers.metric import ChiPrior, NaoMetric
from latentdb.types import QuarantineRow

DIMS = {"whole": 6, "half": 4, "third": 8}


def vectors_of(ids: Sequence[int], name: str, seed: int) -> np.ndarray:
    """Vectors (n, dim) float32 that depend on ids, space and seed; as its space stores them."""
    dim = DIMS[name]
    rows = [np.random.default_rng([one, dim, seed]).standard_normal(dim) for one in ids]
    kind = np.float16 if name == "half" else np.float32
    return np.stack(rows).astype(kind).astype(np.float32)


def distances(rows: np.ndarray, query: np.ndarray, metric: str) -> np.ndarray:
    """Distances (n,) of rows to a query, by definition."""
    if metric == "euclidean":
        return np.linalg.norm(rows - query, axis=1)
    norms, norm = np.linalg.norm(rows, axis=1), np.linalg.norm(query)
    cosines = np.clip(rows @ query / (norms * norm), -1.0, 1.0)
    if metric == "cosine":
        return 1.0 - cosines
    if metric == "nao none":
        return np.arccos(cosines)
    # Its lengths have references of their own; what is tried here is that a search finds the least.
    return NaoMetric(ChiPrior(len(query))).pairwise(query[None], rows)[0]


@dataclass
class Model:
    """What a database is to hold.

    Attributes
    ----------
    labels : of each item its labels
    spaces : of each space the vectors by id, those without an item too
    """

    labels: dict[int, dict[str, int]] = field(default_factory=dict)
    spaces: dict[str, dict[int, np.ndarray]] = field(default_factory=dict)
    quarantine: dict[str, QuarantineRow] = field(default_factory=dict)

    def copy(self) -> Model:
        """One that stays as this is now."""
        return copy.deepcopy(self)

    def add(self, ids: Sequence[int], spaces: dict[str, np.ndarray], seed: int) -> None:
        """New items, and new vectors of items old and new."""
        for one in ids:
            self.labels.setdefault(one, {"n": one + seed})
        for name, rows in spaces.items():
            for one, row in zip(ids, rows, strict=True):
                self.spaces[name].setdefault(one, row)

    def delete(self, ids: Sequence[int]) -> int:
        """How many items there were of these."""
        gone = [one for one in ids if self.labels.pop(one, None) is not None]
        for rows in self.spaces.values():
            for one in ids:
                rows.pop(one, None)
        return len(gone)

    def set_label(self, label: str, ids: Sequence[int], value: int | None) -> None:
        """One value for several items; None takes it away."""
        for one in ids:
            self.labels[one].pop(label, None)
            if value is not None:
                self.labels[one][label] = value

    def shown(self, name: str) -> dict[int, np.ndarray]:
        """Vectors of a space whose item is there."""
        return {one: row for one, row in self.spaces[name].items() if one in self.labels}

    def filled(self) -> list[str]:
        """Spaces with a vector to be found."""
        return sorted(name for name in self.spaces if self.shown(name))

    def nearest(
        self, name: str, query: np.ndarray, metric: str, floor: int | None
    ) -> list[tuple[float, int]]:
        """Distance and id of every row whose label n is at least `floor`, nearest first."""
        shown = self.shown(name)
        ids = [one for one in sorted(shown) if floor is None or self.labels[one]["n"] >= floor]
        if not ids:
            return []
        rows = np.stack([shown[one] for one in ids]).astype(np.float64)
        told = distances(rows, query.astype(np.float64), metric).tolist()
        return sorted(zip(told, ids, strict=True))
