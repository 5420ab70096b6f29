"""Projection2D: the rows of a space in a plane, as they are asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, final

from latentdb.arrays import IdArray
from latentdb.held_out import hash_ids
from latentdb.model import Vectors

Method = Literal["pca", "umap"]


@final
@dataclass(frozen=True, eq=False)
class Projection2D:
    """Items of a space as points of a plane.

    Parameters
    ----------
    space : str
    method : "pca" or "umap"
    ids : (n,) int64
        Sorted.
    xy : (n, 2) float32
        Of "pca", distances along the two axes of most variance, in the space's own unit; of
        "umap", of no unit: near points are near in the space, far ones say nothing.
    explained : tuple of two floats, optional
        Shares of the variance along the axes of "pca".
    params : mapping
        Settings that made it.
    fingerprint : str
        Of the vectors it was made from.
    count : int
        Items that qualify; more than n where `limit` left some out.
    n_missing : int
        Rows that qualify and came after it was made, so that they have no place in it.
    created_at : str
        ISO 8601 in UTC.
    """

    space: str
    method: Method
    ids: IdArray
    xy: Vectors
    explained: tuple[float, float] | None
    params: Mapping[str, Any]
    fingerprint: str
    count: int
    n_missing: int
    created_at: str

    @property
    def ids_hash(self) -> str:
        """16 hex digits that stand for the ids; see `latentdb.held_out.hash_ids`."""
        return hash_ids(self.ids)

    def to_json(self) -> dict[str, Any]:
        """Everything but the arrays."""
        return {
            "space": self.space,
            "method": self.method,
            "points": len(self.ids),
            "count": self.count,
            "missing": self.n_missing,
            "explained": None if self.explained is None else list(self.explained),
            "params": dict(self.params),
            "fingerprint": self.fingerprint,
            "ids_hash": self.ids_hash,
            "created_at": self.created_at,
        }
