"""Points on a curve between two stored items."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypedDict, final

import numpy as np

from indexers.metric import NaoMetric
from indexers.metric.priors import AbstractRadialPrior
from indexers.types import FloatArray, IdArray, PriorName
from latentdb.catalog import Catalog
from latentdb.errors import QueryError
from latentdb.geometry import interpolate
from latentdb.geometry.interpolate import InterpolationMethod
from latentdb.model import Vectors
from latentdb.paths.common import chi_z, choose_prior, choose_space, nao_metric, norms_of
from latentdb.space import Space

# Pieces between two points in which the length of a curve is summed: 1e-6 of it at d = 16,384.
_PIECES = 256


class InterpolationOptions(TypedDict, total=False):
    """Keyword arguments of `LatentDB.interpolate`; see `interpolate_items`."""

    space: str | None
    method: InterpolationMethod | None
    prior: PriorName | None
    steps: int


@final
@dataclass(frozen=True, eq=False)
class Interpolation:
    """Points from one stored item to another, the two included.

    Attributes
    ----------
    space : Space
    method : "nao", "lol", "slerp" or "lerp"
    prior : "chi", "fitted" or "none"
        Law of the norm that `lengths` are measured under, and that `nao` follows.
    start_id, end_id : int
    points : (steps, dim) float32
    fractions : (steps,) float64
        Of the way, 0 to 1: of the length for `nao`, of the angle for `slerp`, of the mixing
        weight for the others.
    norms : (steps,) float64
        Euclidean.
    norm_z : (steps,) float64, or None
        How many standard deviations norms lie off those of white noise; None in an encoder's
        space.
    lengths : (steps,) float64
        NAO length of the curve up to each point; without a prior its angle in radians.
    metric : str
        What the nearest items are nearest by.
    exact : bool
        Whether they are certainly the nearest.
    nearest_ids : (steps,) int64
        The stored item nearest to each point, the two ends left out; −1 where there is no other.
        The ends are their own.
    nearest_distances : (steps,) float64
    """

    space: Space
    method: InterpolationMethod
    prior: PriorName
    start_id: int
    end_id: int
    points: Vectors
    fractions: FloatArray
    norms: FloatArray
    norm_z: FloatArray | None
    lengths: FloatArray
    metric: str
    exact: bool
    nearest_ids: IdArray
    nearest_distances: FloatArray

    def to_json(self) -> dict[str, Any]:
        """The curve without its vectors, as the command prints it."""
        return {
            "space": self.space.name,
            "method": self.method,
            "prior": self.prior,
            "start": self.start_id,
            "end": self.end_id,
            "length": float(self.lengths[-1]),
            "metric": self.metric,
            "exact": self.exact,
            "points": [
                {
                    "t": float(self.fractions[i]),
                    "norm": float(self.norms[i]),
                    "norm_z": None if self.norm_z is None else float(self.norm_z[i]),
                    "length": float(self.lengths[i]),
                    "nearest": None
                    if self.nearest_ids[i] < 0
                    else {
                        "id": int(self.nearest_ids[i]),
                        "distance": float(self.nearest_distances[i]),
                    },
                }
                for i in range(len(self.points))
            ],
        }


def interpolate_items(
    catalog: Catalog,
    start_id: int,
    end_id: int,
    *,
    space: str | None = None,
    method: InterpolationMethod | None = None,
    prior: PriorName | None = None,
    steps: int = 9,
) -> Interpolation:
    """Points on a curve from one stored item to another.

    Parameters
    ----------
    catalog : Catalog
    start_id, end_id : int
        Two items with a vector in the space.
    space : str
        The database's only noise space where not given.
    method : "nao", "lol", "slerp" or "lerp"
        `nao` is the shortest path where norms that noise seldom has are dear, `lol` the mixture
        that stays Gaussian, `slerp` the arc, `lerp` the straight line. Where not given, `nao` in
        a noise space and `slerp` in an encoder's, whose norms follow no law of noise.
    prior : "chi", "fitted" or "none"
        Law of the norm, for lengths, nearest items and the path of `nao`; "fitted" is fitted to
        the norms of the space's stored vectors. Where not given, "chi" in a noise space and
        "none" in an encoder's, where lengths are then angles.
    steps : int
        Number of points, the two ends included.

    Raises
    ------
    UnknownItemError, UnknownSpaceError
        An item or space is not there, or the item has no vector in it.
    QueryError
        The items are one and the same, or no space is named and several would do.
    CutLocusError, ParameterError, MetricError, ZeroVectorError
        There is no such curve; see `latentdb.geometry.interpolate`.
    """
    home = choose_space(catalog, space)
    if start_id == end_id:
        raise QueryError(f"a curve joins two items, got {start_id} twice; name another")
    chosen: InterpolationMethod = method or ("nao" if home.kind == "noise" else "slerp")
    ends = catalog.store.vectors(home.name, [start_id, end_id])
    law = choose_prior(home, prior)
    metric = nao_metric(catalog.indexes, home, law)
    points = _curve(ends, chosen, steps, metric)
    ids, distances, by, exact = _nearest(catalog, home, points, (start_id, end_id), law)
    norms = norms_of(points)
    return Interpolation(
        space=home,
        method=chosen,
        prior=law,
        start_id=start_id,
        end_id=end_id,
        points=points,
        fractions=np.linspace(0.0, 1.0, steps),
        norms=norms,
        norm_z=chi_z(home, norms),
        lengths=_lengths(ends, chosen, steps, metric),
        metric=by,
        exact=exact,
        nearest_ids=ids,
        nearest_distances=distances,
    )


def _curve(ends: Vectors, method: InterpolationMethod, steps: int, metric: NaoMetric) -> Vectors:
    """Points (steps, dim) float32; the ends are the stored vectors to the bit."""
    prior = metric.prior if method == "nao" else None
    points: Vectors = interpolate(ends[0], ends[1], steps=steps, method=method, prior=prior)
    points[[0, -1]] = ends
    return points


def _lengths(
    ends: Vectors, method: InterpolationMethod, steps: int, metric: NaoMetric
) -> FloatArray:
    """NAO length (steps,) of the curve from its start; computed in the plane that it lies in."""
    whole = float(metric.distance(ends[0], ends[1]))
    prior = metric.prior
    if method == "nao":
        return np.linspace(0.0, whole, steps)
    norms = norms_of(ends)
    # A zero vector has no direction, and any will do for it.
    units = ends.astype(np.float64) / np.where(norms > 0, norms, 1.0)[:, None]
    apart, together = np.linalg.norm(units[0] - units[1]), np.linalg.norm(units[0] + units[1])
    angle_rad = 2.0 * np.arctan2(apart, together)
    plane = norms[:, None] * np.array([[1.0, 0.0], [np.cos(angle_rad), np.sin(angle_rad)]])
    fine = interpolate(plane[0], plane[1], steps=(steps - 1) * _PIECES + 1, method=method)
    moves = np.linalg.norm(np.diff(fine, axis=0), axis=1)
    if isinstance(prior, AbstractRadialPrior):
        # In the middle of each piece, since at the origin the cost is infinite.
        pieces = moves * prior.cost(np.linalg.norm(0.5 * (fine[:-1] + fine[1:]), axis=1))
    else:
        turns = np.unwrap(np.arctan2(fine[:, 1], fine[:, 0]))
        pieces = np.abs(np.diff(turns))
    lengths: FloatArray = np.concatenate([[0.0], np.cumsum(pieces)])[::_PIECES]
    return lengths


def _nearest(
    catalog: Catalog, space: Space, points: Vectors, ends: tuple[int, int], prior: PriorName
) -> tuple[IdArray, FloatArray, str, bool]:
    """Nearest item to each point but the ends, its distance, the metric, and whether exact."""
    is_noise = space.kind == "noise"
    live = catalog.indexes.live(space, "nao" if is_noise else None, prior if is_noise else None)
    ids = np.full(len(points), -1, dtype=np.int64)
    distances = np.full(len(points), np.inf)
    ids[[0, -1]], distances[[0, -1]] = ends, 0.0
    others = np.setdiff1d(catalog.store.vector_ids(space.name), ends)
    if len(points) == 2 or not len(others):
        return ids, distances, live.metric.name, True
    # The ends are the nearest of most points: ask for two more than wanted.
    found = live.search(points[1:-1], 3)
    for row in range(len(points) - 2):
        keep = np.flatnonzero((found.ids[row] >= 0) & ~np.isin(found.ids[row], ends))
        if len(keep):
            ids[row + 1] = found.ids[row][keep[0]]
            distances[row + 1] = found.distances[row][keep[0]]
    return ids, distances, live.metric.name, found.exact
