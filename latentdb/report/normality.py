"""Tests of normality, of many samples at once, at the 5 % level.

================  =====================================================================
code              symbol
================  =====================================================================
``samples``       one sample per column, (n, m)
``statistic``     A² = −n − Σ (2i−1)/n · [ln Φ(z_(i)) + ln(1 − Φ(z_(n+1−i)))]
================  =====================================================================

References
----------
Anderson and Darling, "A test of goodness of fit", JASA 1954; its correction for n and critical
value where mean and variance are estimated: Stephens, in D'Agostino and Stephens (editors),
"Goodness-of-fit techniques", 1986, table 4.7. D'Agostino and Pearson, "Tests for departure from
normality", Biometrika 1973. Shapiro and Wilk, "An analysis of variance test for normality",
Biometrika 1965.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, final

import numpy as np
from scipy.special import log_ndtr
from scipy.stats import normaltest, shapiro

from latentdb.arrays import BoolArray, FloatArray, RealArray

LEVEL: Final = 0.05
_CRITICAL: Final = 0.752


@final
@dataclass(frozen=True)
class PassRates:
    """Share of samples that a test does not tell from a Gaussian; .95 of Gaussian ones.

    Parameters
    ----------
    anderson_darling, dagostino_pearson, shapiro_wilk : float
    n_tests : int
        Samples tested.
    n_samples : int
        Values in each.
    """

    anderson_darling: float
    dagostino_pearson: float
    shapiro_wilk: float
    n_tests: int
    n_samples: int

    def to_json(self) -> dict[str, Any]:
        """Plain dictionary."""
        return dict(vars(self))


def anderson_darling(samples: RealArray) -> FloatArray:
    """Statistic A² (m,) of samples (n, m), mean and variance estimated; none is constant."""
    rows = np.sort(np.asarray(samples, np.float64), axis=0)
    n = len(rows)
    z = (rows - rows.mean(axis=0)) / rows.std(axis=0, ddof=1)
    weights = (2.0 * np.arange(1, n + 1) - 1.0) / n
    statistic: FloatArray = -n - weights @ (log_ndtr(z) + log_ndtr(-z[::-1]))
    return statistic


def passes_anderson_darling(samples: RealArray) -> BoolArray:
    """Which samples (n, m) are not told from a Gaussian."""
    n = len(samples)
    corrected = anderson_darling(samples) * (1.0 + 0.75 / n + 2.25 / n**2)
    passes: BoolArray = corrected <= _CRITICAL
    return passes


def pass_counts(samples: RealArray) -> FloatArray:
    """How many of samples (n, m) pass each of the three tests, (3,); constant ones pass none."""
    varying = np.asarray(samples[:, np.ptp(samples, axis=0) > 0], np.float64)
    if not varying.shape[1]:
        return np.zeros(3)
    return np.array(
        [
            passes_anderson_darling(varying).sum(),
            (normaltest(varying, axis=0).pvalue > LEVEL).sum(),
            (shapiro(varying, axis=0).pvalue > LEVEL).sum(),
        ],
        dtype=np.float64,
    )


def rates(counts: FloatArray, *, n_tests: int, n_samples: int) -> PassRates:
    """Pass rates from `pass_counts` summed over `n_tests` samples."""
    shares = (counts / n_tests).tolist()
    return PassRates(shares[0], shares[1], shares[2], n_tests=n_tests, n_samples=n_samples)
