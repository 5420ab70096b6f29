"""The law of Marchenko and Pastur: eigenvalues of the covariance of white noise.

For n rows of d independent values of variance σ², γ = d/n, the eigenvalues that are not zero lie
between σ²(1 − √γ)² and σ²(1 + √γ)², with density √((λ₊ − λ)(λ − λ₋)) / (2πσ²γλ).

References
----------
Marchenko and Pastur, "Distribution of eigenvalues for some sets of random matrices", 1967.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, final

import numpy as np

from latentdb.arrays import FloatArray

_STEPS: Final = 20_000


@final
@dataclass(frozen=True)
class MarchenkoPastur:
    """The law of the eigenvalues that are not zero.

    Parameters
    ----------
    variance : float
        σ².
    gamma : float
        γ = d/n, dimensions over rows.
    """

    variance: float
    gamma: float

    @property
    def lower(self) -> float:
        """λ₋."""
        return float(self.variance * (1.0 - np.sqrt(self.gamma)) ** 2)

    @property
    def upper(self) -> float:
        """λ₊."""
        return float(self.variance * (1.0 + np.sqrt(self.gamma)) ** 2)

    def density(self, eigenvalues: FloatArray) -> FloatArray:
        """Of the continuous part, whose mass is 1, or 1/γ where there are fewer rows than dims."""
        inside = np.clip((self.upper - eigenvalues) * (eigenvalues - self.lower), 0.0, None)
        found: FloatArray = np.sqrt(inside) / (2 * np.pi * self.variance * self.gamma * eigenvalues)
        return found

    def cdf(self, eigenvalues: FloatArray) -> FloatArray:
        """Share of the eigenvalues that are not zero up to each of `eigenvalues`."""
        edges, mass = self._table()
        found: FloatArray = np.interp(eigenvalues, edges, mass, left=0.0, right=1.0)
        return found

    def quantile(self, levels: FloatArray) -> FloatArray:
        """Inverse of `cdf`."""
        edges, mass = self._table()
        found: FloatArray = np.interp(levels, mass, edges)
        return found

    def _table(self) -> tuple[FloatArray, FloatArray]:
        """Eigenvalues λ₋ … λ₊ and the mass below each.

        λ = middle − half·cos θ takes the roots at the edges out of the integral.
        """
        middle, half = (self.lower + self.upper) / 2, (self.upper - self.lower) / 2
        theta = np.linspace(0.0, np.pi, _STEPS + 1)
        between = (theta[1:] + theta[:-1]) / 2
        parts = self.density(middle - half * np.cos(between)) * half * np.sin(between)
        mass = np.concatenate([[0.0], np.cumsum(parts)])
        return middle - half * np.cos(theta), mass / mass[-1]
