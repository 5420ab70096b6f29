"""Recall that does not punish ties."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from indexers.abstract import AbstractIndex
from indexers.checks import check_count
from indexers.errors import DimensionError, ParameterError
from indexers.types import Float32Array


def recall_at_k(
    found_distances: npt.ArrayLike,
    true_distances: npt.ArrayLike,
    k: int,
    *,
    relative_tolerance: float = 1e-4,
) -> float:
    """|found ∩ true top-k| / k, counted by distance, mean over the queries.

    A hit counts when it is no farther than the true k-th neighbour: one of several vectors at
    the same distance is as good as another, and a distance computed in float32 is as good as one
    in float64.

    Parameters
    ----------
    found_distances : (n_queries, >= 1)
        True distances of what was found; padded with `inf`, and cut at `k`.
    true_distances : (n_queries, >= k or fewer)
        Ascending distances of the true neighbours. Where there are fewer than `k` finite ones
        (`inf` pads), recall is over those.
    k : int
    relative_tolerance : float
        Slack on the k-th distance, unitless.

    Returns
    -------
    float
        In [0, 1].

    Raises
    ------
    DimensionError, ParameterError

    References
    ----------
    Aumüller, Bernhardsson and Faithfull, "ANN-Benchmarks: a benchmarking tool for approximate
    nearest neighbor algorithms", 2018, arXiv 1807.05614 (recall by distance, section 2).
    """
    check_count(k, what="k")
    found, truth = np.asarray(found_distances, float), np.asarray(true_distances, float)
    if found.ndim != 2 or truth.ndim != 2 or len(found) != len(truth):
        raise DimensionError(
            f"expected two arrays (n_queries, k), got shapes {found.shape} and {truth.shape}"
        )
    if relative_tolerance < 0:
        raise ParameterError(f"expected relative_tolerance >= 0, got {relative_tolerance}")
    truth = truth[:, :k]
    reachable = np.isfinite(truth).sum(axis=1)
    if not reachable.any():
        return 1.0
    kth = np.where(np.isfinite(truth), truth, -np.inf).max(axis=1, initial=-np.inf)
    # The absolute part forgives float32 rounding where the true distance is near zero.
    bound = np.where(reachable > 0, kth, 0.0) * (1.0 + relative_tolerance) + 1e-6
    near = np.isfinite(found[:, :k]) & (found[:, :k] <= bound[:, None])
    counted = np.minimum(near.sum(axis=1), reachable)
    some = reachable > 0
    return float(np.mean(counted[some] / reachable[some]))


def measured_recall(
    index: AbstractIndex, exact: AbstractIndex, queries: Float32Array, k: int = 10
) -> float:
    """Recall at k of an index whose own rows are asked for: each query is left out of its answer.

    Parameters
    ----------
    index, exact : AbstractIndex
        Of the same vectors under the same metric; `exact` has the truth.
    queries : (n_queries, dim)
        Vectors that are stored in both.
    k : int

    Returns
    -------
    float
        In [0, 1].
    """
    # The first hit is the query itself, or a vector that is equal to it.
    found = index.search(queries, k + 1).distances[:, 1:]
    truth = exact.search(queries, k + 1).distances[:, 1:]
    return recall_at_k(found, truth, k)
