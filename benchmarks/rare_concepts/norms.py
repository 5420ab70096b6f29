"""Whether the norms of inverted faces follow the law that the chi prior assumes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

_RESAMPLES = 9_999
Array = NDArray[np.float64]


def norm_law(norms: Array, dim: int, seed: int) -> dict[str, Any]:
    """Kolmogorov–Smirnov tests of norms (n,) against three laws.

    The chi law is given, so its p is the textbook's. The other two, a Gaussian and a chi of free
    scale, are fitted to the same norms, which makes that p far too large; theirs is of the
    statistic's own law when the same fit is made to samples of it (Lilliefors' correction).
    D'Agostino's test of skewness sees what Kolmogorov and Smirnov's has no power for.
    """
    rng = np.random.default_rng(seed)
    law = stats.chi(dim)
    shape = (_RESAMPLES, len(norms))
    chi = stats.kstest(norms, law.cdf)
    return {
        "n": len(norms),
        "mean": round(float(norms.mean()), 4),
        "std": round(float(norms.std(ddof=1)), 4),
        "skewness": round(float(stats.skew(norms)), 4),
        "excess_kurtosis": round(float(stats.kurtosis(norms)), 4),
        "chi_mean": round(float(law.mean()), 4),
        "chi_std": round(float(law.std()), 4),
        "ks_chi": {"statistic": round(float(chi.statistic), 4), "p": float(chi.pvalue)},
        "ks_scaled_chi": _corrected(
            norms, np.sqrt(rng.chisquare(dim, shape)), lambda rows: law.cdf(_unscaled(rows, dim))
        ),
        "skewness_test": {"p": float(stats.skewtest(norms).pvalue)},
        "ks_fitted_gaussian": _corrected(
            norms, rng.standard_normal(shape), lambda rows: stats.norm.cdf(_standardised(rows))
        ),
    }


def holm(p_values: dict[str, float]) -> dict[str, float]:
    """p-values corrected for their number, by Holm's method."""
    ordered = sorted(p_values, key=lambda name: p_values[name])
    corrected, largest = {}, 0.0
    for place, name in enumerate(ordered):
        largest = max(largest, min(1.0, (len(ordered) - place) * p_values[name]))
        corrected[name] = largest
    return {name: corrected[name] for name in p_values}


def _corrected(norms: Array, samples: Array, fit: Callable[[Array], Array]) -> dict[str, float]:
    """The statistic after `fit`, and the share of `samples` whose own is as large."""
    own = float(_statistic(fit(norms[None]))[0])
    reached = int((_statistic(fit(samples)) >= own).sum())
    return {"statistic": round(own, 4), "p": (1 + reached) / (1 + len(samples))}


def _statistic(levels: Array) -> Array:
    """Kolmogorov–Smirnov statistic (m,) of rows (m, n) against the uniform law."""
    ordered = np.sort(levels, axis=1)
    n = ordered.shape[1]
    places = np.arange(n) / n
    above = (places + 1 / n - ordered).max(axis=1)
    found: Array = np.maximum(above, (ordered - places).max(axis=1))
    return found


def _standardised(rows: Array) -> Array:
    scaled: Array = (rows - rows.mean(1, keepdims=True)) / rows.std(1, ddof=1, keepdims=True)
    return scaled


def _unscaled(rows: Array, dim: int) -> Array:
    # The likeliest scale of a chi law: the root mean square over √d.
    scaled: Array = rows * np.sqrt(dim / np.square(rows).mean(axis=1, keepdims=True))
    return scaled
