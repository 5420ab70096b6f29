"""Energies of a large space from what an index of it finds near each row."""

from __future__ import annotations

from typing import Final, Protocol, final

import numpy as np

from indexers.types import SearchResult
from latentdb.arrays import FloatArray, IdArray
from latentdb.artefacts import SpaceRef
from latentdb.energy.facts import Schedule
from latentdb.energy.kept import EnergyScale, SpaceEnergy
from latentdb.energy.measure import Progress, prior_of, scale_of, silent
from latentdb.geometry.marginal_energy import (
    EnergyCorpus,
    NearField,
    marginal_energy,
    widened_energies,
)
from latentdb.model import Vectors
from latentdb.space import Space
from latentdb.types import SpaceRows

_BLOCK: Final = 256
_NEIGHBOURS: Final = (32, 512)
# Unit roundoff of float32, in which an index computes.
_ROUNDOFF: Final = 2.0**-24


class Searchable(Protocol):
    """An index of the rows under Euclidean distance, such as a `LiveIndex`."""

    def search(self, queries: Vectors, k: int) -> SearchResult:
        """Nearest rows of each query."""


def measured_by_neighbours(
    space: Space,
    rows: SpaceRows,
    index: Searchable,
    *,
    tolerance: float,
    schedule: Schedule = "exploding",
    progress: Progress = silent,
) -> SpaceEnergy:
    """Energies of all rows, each within an interval of at most `tolerance`.

    Rows whose interval stays wider with 512 neighbours are measured over all rows.

    Parameters
    ----------
    space : Space
    rows : SpaceRows
        All of the space, sorted by id.
    index : Searchable
        Of the same rows.
    tolerance : float
        Nats per dimension.
    schedule : "exploding" or "flow"
        See `EnergyScale`.
    progress : callable
        Told how many more rows are done.

    Raises
    ------
    NotEnoughDataError
        See `latentdb.energy.measure.scale_of`.
    """
    scale = scale_of(space.name, rows.vectors, schedule)
    corpus = EnergyCorpus(scale.apply(rows.vectors))
    prior = prior_of(scale)
    field = NearField(corpus, prior)
    search = IndexSearch(index, rows, scale)
    energies, widths = np.empty(len(corpus)), np.zeros(len(corpus))
    for start in range(0, len(corpus), _BLOCK):
        own = np.arange(start, min(start + _BLOCK, len(corpus)))
        near = widened_energies(
            corpus.vectors[own],
            field,
            search,
            tolerance=tolerance * corpus.dim,
            own_rows=own,
            k=_NEIGHBOURS,
        )
        energies[own], widths[own] = near.energy / corpus.dim, near.widths / corpus.dim
        if len(wide := own[widths[own] > tolerance]):
            exact = marginal_energy(corpus.vectors[wide], corpus, prior, own_rows=wide)
            energies[wide], widths[wide] = exact.energy / corpus.dim, 0.0
        progress(len(own))
    return SpaceEnergy(
        SpaceRef.of(space),
        rows.ids,
        energies,
        scale,
        "neighbours",
        tolerance,
        float(widths.max()),
        is_certain=search.is_exact,
    )


@final
class IndexSearch:
    """Searches an index for points of scaled coordinates; a `latentdb.geometry` `Search`.

    Parameters
    ----------
    index : Searchable
    rows : SpaceRows
        Those in the index, sorted by id; one that it has beside them is passed over.
    scale : EnergyScale

    Attributes
    ----------
    is_exact : bool
        Whether every search so far was.
    """

    def __init__(self, index: Searchable, rows: SpaceRows, scale: EnergyScale) -> None:
        self.is_exact = True
        self._index = index
        self._ids: IdArray = rows.ids
        self._scale = scale
        self._longest = float(np.sqrt(np.square(rows.vectors, dtype=np.float64).sum(axis=1).max()))

    def __call__(self, points: FloatArray, k: int) -> tuple[IdArray, FloatArray]:
        """Row numbers (m, k), −1 for none, and radii (m,) within which there is no other row."""
        asked = self._scale.invert(points)
        found = self._index.search(asked, min(k + 1, len(self._ids)))
        self.is_exact = self.is_exact and found.exact
        at = np.minimum(np.searchsorted(self._ids, found.ids), len(self._ids) - 1)
        rows = np.where(self._ids[at] == found.ids, at, -1)
        return rows, self._radii(asked, found.distances)

    def _radii(self, asked: Vectors, distances: FloatArray) -> FloatArray:
        """The farthest distance found, less all that single precision may round.

        A float32 inner product of dim terms is off by at most dim·2⁻²⁴·‖p‖·‖x‖, and a squared
        distance has two and the norms; the point itself was rounded when it was scaled back.
        """
        reach = np.linalg.norm(asked.astype(np.float64), axis=1) + self._longest
        rounding = 2 * (asked.shape[1] + 4) * _ROUNDOFF * reach**2
        finite = np.where(np.isfinite(distances), distances, 0.0).max(axis=1)
        squared = np.maximum(finite**2 - rounding, 0.0)
        radii: FloatArray = np.maximum(np.sqrt(squared) - 4 * _ROUNDOFF * reach, 0.0)
        return radii / self._scale.deviation
