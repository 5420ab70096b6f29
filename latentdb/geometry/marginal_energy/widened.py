"""Marginal energies within a tolerance: more neighbours for the queries that need them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from indexers.errors import ParameterError
from indexers.types import FloatArray
from latentdb.arrays import as_matrix
from latentdb.geometry.marginal_energy.exact import checked_own_rows
from latentdb.geometry.marginal_energy.near import NearEnergies, NearField

_WIDER: Final = 4
# Farther out, single-precision indexes round too much of a distance away.
_LEAST_ANCHOR: Final = 0.05

#: Takes points (m, dim) and a k; gives rows (m, k) and radii (m,) as `NearField.energies` does.
Search = Callable[[FloatArray, int], tuple[NDArray[np.int64], FloatArray]]


def widened_energies(
    queries: ArrayLike,
    field: NearField,
    search: Search,
    *,
    tolerance: float,
    own_rows: ArrayLike | None = None,
    k: tuple[int, int] = (32, 512),
) -> NearEnergies:
    """Energies whose intervals are at most `tolerance` wide, where `k` allows.

    Parameters
    ----------
    queries : (n, dim)
        Not modified.
    field : NearField
    search : callable
        Finds the rows nearest to some points.
    tolerance : float
        Nats between the bounds at which a query is done; at least 0.
    own_rows : (n,) int, optional
        See `NearField.energies`.
    k : (first, most)
        Neighbours asked for at first, and at most; four times as many from one to the next.

    Returns
    -------
    NearEnergies
        Queries wider than `tolerance` have been asked with the most neighbours.

    Raises
    ------
    ParameterError
        `tolerance` below 0, or not 1 ≤ first ≤ most.
    DimensionError, DtypeError, NonFiniteError
        See `NearField.energies`.
    """
    first, most = k
    if tolerance < 0 or not 1 <= first <= most:
        raise ParameterError(
            f"expected a tolerance of at least 0 nats and 1 ≤ first ≤ most neighbours, got "
            f"{tolerance} and {k}"
        )
    asked = as_matrix(queries, name="queries of an energy", dim=field.dim)
    own = checked_own_rows(own_rows, n=len(asked), n_rows=len(field))
    found = field.energies(asked, *search(asked.astype(np.float64), first), own_rows=own)
    # Where no level draws rows to the origin, the query itself is the place to search from.
    is_there = bool((field.signals == 1.0).all())
    for count in _counts(first, most)[is_there:]:
        waiting = np.flatnonzero(found.widths > tolerance)
        if not len(waiting):
            break
        # Where a query seems to be a·x + b·ε, the rows that explain it are those near u/a.
        anchors = np.maximum(found.posterior[waiting] @ field.signals, _LEAST_ANCHOR)
        points = asked[waiting] / anchors[:, None]
        again = field.energies(
            asked[waiting], *search(points, count), anchors=anchors, own_rows=own[waiting]
        )
        found = found.narrowed(waiting, again)
    return found


def _counts(first: int, most: int) -> list[int]:
    """Neighbours of the second search and those after it."""
    counts = [first]
    while counts[-1] < most:
        counts.append(min(most, _WIDER * counts[-1]))
    return counts
