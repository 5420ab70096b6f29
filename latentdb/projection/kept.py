"""A projection of all rows of a space as an artefact, with what places later rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final, cast, final

import numpy as np
from numpy.typing import NDArray

from latentdb.arrays import IdArray
from latentdb.artefact_shelf import ArtefactShelf, find_current
from latentdb.artefacts import Artefact, FittedOn, SpaceRef, load_artefact, save_artefact
from latentdb.held_out import hash_ids
from latentdb.model import Vectors
from latentdb.projection.components import Components
from latentdb.projection.projected import Method
from latentdb.space import Space
from latentdb.store import Store

KIND: Final = "projection"


@final
@dataclass(frozen=True, eq=False)
class KeptProjection:
    """Points of all rows that a space had.

    Parameters
    ----------
    space_ref : SpaceRef
        The space, and which vectors it held.
    method : "pca" or "umap"
    ids : (n,) int64
        Sorted.
    xy : (n, 2) float32
    n_fitted, n_changed : int
        Rows that shaped it, and rows that came or went since.
    seed : int
    params : mapping
        Settings.
    axes : Components, optional
        The two of "pca", by which later rows are placed.
    created_at : str
        ISO 8601 in UTC; empty until it is read from a file.
    """

    space_ref: SpaceRef
    method: Method
    ids: IdArray
    xy: Vectors
    n_fitted: int
    seed: int
    n_changed: int = 0
    params: Mapping[str, Any] = field(default_factory=dict)
    axes: Components | None = None
    created_at: str = ""

    def with_rows(self, ids: IdArray, xy: Vectors, *, n_changed: int) -> KeptProjection:
        """The same of other rows (m,), in any order, by that many changes."""
        order = np.argsort(ids)
        return replace(self, ids=ids[order], xy=xy[order], n_changed=self.n_changed + n_changed)

    def save(self, path: Path) -> None:
        """Write to `path`, whole or not at all.

        Raises
        ------
        ArtefactError
            The folder cannot be written to.
        """
        arrays: dict[str, NDArray[Any]] = {"ids": self.ids, "xy": self.xy}
        if self.axes is not None:
            arrays |= {f"axes.{name}": array for name, array in vars(self.axes).items()}
        save_artefact(
            path,
            Artefact(
                kind=KIND,
                arrays=arrays,
                spaces={"space": self.space_ref},
                fitted_on=FittedOn(self.n_fitted, 0, hash_ids(self.ids), self.seed),
                parameters={
                    "method": self.method,
                    "n_changed": self.n_changed,
                    "params": dict(self.params),
                },
            ),
        )

    @classmethod
    def load(cls, path: Path) -> KeptProjection:
        """Read what `save` wrote.

        Raises
        ------
        ArtefactError
            No such file, torn, or not a projection.
        """
        read = load_artefact(path, kind=KIND)
        axes = {
            name.removeprefix("axes."): array
            for name, array in read.arrays.items()
            if name.startswith("axes.")
        }
        return cls(
            space_ref=read.spaces["space"],
            method=cast(Method, read.parameters["method"]),
            ids=read.arrays["ids"],
            xy=read.arrays["xy"],
            n_fitted=read.fitted_on.n_train,
            seed=read.fitted_on.seed,
            n_changed=read.parameters["n_changed"],
            params=read.parameters["params"],
            axes=Components(**axes) if axes else None,
            created_at=read.created_at,
        )


@final
class ProjectionShelf:
    """The projections that a database keeps, one per space and method.

    They lie in a folder of their own among what is fitted on a space alone, and go with the
    space when that is dropped.

    Parameters
    ----------
    store : Store
    """

    def __init__(self, store: Store) -> None:
        self._shelf = ArtefactShelf(store, "priors", KeptProjection.load, below="projections")

    def find(self, space: Space, method: Method) -> KeptProjection | None:
        """The projection of the vectors that `space` holds now, where one was made."""
        return find_current(self._shelf, _name(space.name, method), space)

    def put(self, kept: KeptProjection) -> None:
        """Keep a projection, in place of an earlier one."""
        self._shelf.keep(_name(kept.space_ref.name, kept.method), kept)


def _name(space: str, method: Method) -> str:
    return f"{method}@{space}"
