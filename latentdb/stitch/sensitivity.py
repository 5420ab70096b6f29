"""How a map's held-out scores grow with the number of pairs it is fitted on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, TypedDict, final

import numpy as np

from indexers.errors import ParameterError
from latentdb.arrays import IdArray
from latentdb.held_out import item_hashes
from latentdb.stitch.evaluate import MapScores
from latentdb.stitch.fit import MapMethod, MapOptions, fit_map_stream
from latentdb.stitch.from_store import paired_batches, paired_ids
from latentdb.store import Store

# Fewer pairs than this leave nothing to choose a strength on.
_LEAST = 50
_OPTIONS = MapOptions(n_permutations=0)


@final
@dataclass(frozen=True)
class SizedScores:
    """Scores of the map that `n_fitted` pairs give."""

    n_fitted: int
    scores: MapScores

    def to_json(self) -> dict[str, Any]:
        """Plain dictionary."""
        return {"n_fitted": self.n_fitted, **self.scores.to_json()}


class SensitivityOptions(TypedDict, total=False):
    """Keyword form of what `sensitivity_to_n` takes besides the two spaces."""

    method: MapMethod
    seed: int
    sizes: Sequence[int] | None


def sensitivity_to_n(
    store: Store,
    source: str,
    target: str,
    *,
    method: MapMethod = "ridge",
    seed: int = 0,
    sizes: Sequence[int] | None = None,
) -> list[SizedScores]:
    """Scores of maps fitted on more and more of the pairs, all on the same held-out items.

    Every sample holds the ones before it, so that two sizes differ by what was added. Halving as
    it goes down, all of them together take the time of two fits.

    Parameters
    ----------
    store : Store
    source, target : str
        Names of two spaces.
    method, seed
        See `latentdb.stitch.fit_map`; the held-out items are those of that fit.
    sizes : sequence of int, optional
        Pairs to fit on; all there are, half of them, a quarter, … down to 50 where not given.

    Returns
    -------
    list of SizedScores
        Ascending. The last, where sizes are not given, is the map of `fit_map` itself.

    Raises
    ------
    UnknownSpaceError, QueryError, NotEnoughDataError
        As `latentdb.stitch.from_store.stitch_spaces` raises.
    ParameterError
        A size is below 50 or above the number of pairs that are not held out.
    """
    spaces = (store.space(source), store.space(target))
    both = paired_ids(store, source, target)
    n_held_out, _ = _OPTIONS.counts(len(both))
    by_hash = both[np.argsort(item_hashes(both, seed), kind="stable")]
    found = []
    for size in _checked(sizes, len(both) - n_held_out):
        among = np.sort(by_hash[: n_held_out + size])
        fitted = fit_map_stream(
            paired_batches(store, source, target, among=among),
            spaces=spaces,
            method=method,
            seed=seed,
            options=_holding_out(n_held_out, among),
        )
        found.append(SizedScores(size, fitted.scores))
    return found


def _holding_out(n_held_out: int, among: IdArray) -> MapOptions:
    """Options under which the first `n_held_out` of `among`, by hash, are held out again."""
    return replace(_OPTIONS, held_out=n_held_out / len(among), max_held_out=n_held_out)


def _checked(sizes: Sequence[int] | None, largest: int) -> list[int]:
    """Sizes ascending, each of which can be fitted on."""
    if sizes is None:
        halves = [largest >> power for power in range(largest.bit_length())]
        sizes = [size for size in halves if size >= _LEAST] or [largest]
    elif not sizes or min(sizes) < _LEAST or max(sizes) > largest:
        raise ParameterError(
            f"sizes are numbers of pairs from {_LEAST} to the {largest} that are not held out, "
            f"got {', '.join(map(str, sizes)) or 'none'}"
        )
    return sorted(set(sizes))
