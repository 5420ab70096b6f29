"""What every honest score needs: a split by item, and an interval from resampling items."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from indexers.errors import ParameterError
from latentdb.arrays import BoolArray, FloatArray, IdArray

_MASK_64 = (1 << 64) - 1
_GOLDEN = 0x9E3779B97F4A7C15


@final
@dataclass(frozen=True)
class Estimate:
    """A held-out score with its interval, by default the central 95 % of resamples of items."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"

    def to_json(self) -> dict[str, float]:
        """Plain dictionary; `from_json` reads it back."""
        return {"value": self.value, "low": self.low, "high": self.high}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Estimate:
        """Estimate written by `to_json`."""
        return cls(float(data["value"]), float(data["low"]), float(data["high"]))

    @classmethod
    def of(cls, value: float, resampled: FloatArray, confidence: float = 0.95) -> Estimate:
        """Percentile interval: `value` on the sample itself, `resampled` (n_resamples,)."""
        tail = 50.0 * (1.0 - confidence)
        low, high = np.percentile(resampled, [tail, 100.0 - tail])
        return cls(float(value), float(low), float(high))


def split_by_item(
    ids: IdArray, *, seed: int, fraction: float = 0.2, strata: BoolArray | None = None
) -> BoolArray:
    """Mask (n,) of the items held out: the `fraction` whose hash of seed and id is lowest.

    Depends on the set of ids and the seed alone, not on the order of rows: maps and directions
    fitted on the same items hold out the same ones, so that a chain of them is not scored on
    rows that one of its links has seen.

    Parameters
    ----------
    ids : (n,) int64
        Distinct.
    seed : int
        Another seed is another split.
    fraction : float
        Share held out, in (0, 1), rounded to whole items.
    strata : (n,) bool, optional
        Split each side separately, so that both parts hold both.

    Raises
    ------
    ParameterError
        `fraction` is out of its range.

    References
    ----------
    Steele, Lea and Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014
    (the finaliser, SplitMix64).
    """
    if not 0.0 < fraction < 1.0:
        raise ParameterError(f"the share held out lies between 0 and 1, got {fraction}")
    hashes = item_hashes(ids, seed)
    is_held_out = np.zeros(len(ids), dtype=np.bool_)
    groups = [np.ones(len(ids), dtype=np.bool_)] if strata is None else [strata, ~strata]
    for group in groups:
        rows = np.flatnonzero(group)
        count = round(fraction * len(rows))
        is_held_out[rows[np.argsort(hashes[rows], kind="stable")[:count]]] = True
    return is_held_out


def item_hashes(ids: IdArray, seed: int) -> NDArray[np.uint64]:
    """SplitMix64 of each id, on a stream of its own per seed."""
    start = np.uint64(((seed + 1) * _GOLDEN) & _MASK_64)
    z = ids.astype(np.uint64) ^ start
    z = z + np.uint64(_GOLDEN)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def hash_ids(ids: IdArray) -> str:
    """16 hex digits that stand for a set of ids, whatever their order."""
    return hashlib.sha256(np.sort(ids).astype("<i8").tobytes()).hexdigest()[:16]


def resample_counts(n: int, *, n_resamples: int, rng: np.random.Generator) -> FloatArray:
    """How often each of `n` items is drawn, (n_resamples, n); each row sums to n."""
    return rng.multinomial(n, np.full(n, 1.0 / n), size=n_resamples).astype(np.float64)


def mean_estimate(values: FloatArray, counts: FloatArray) -> Estimate:
    """Mean of `values` (n,) over items, with the interval of the resamples `counts`."""
    return Estimate.of(float(values.mean()), counts @ values / len(values))
