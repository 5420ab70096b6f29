"""Priors on the norm of a vector: what the NAO metric charges for a step at radius r.

A prior gives w(r) = −log p(r), the cost of a unit of length at distance r from the origin. Both
priors have the floor ½·ln π ≈ 0.572, so w > 0 and the metric is a true one.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar, Self, final

import numpy as np
import numpy.typing as npt
from scipy.special import gammaln

from indexers.checks import check_count, check_real
from indexers.errors import DimensionError, ParameterError
from indexers.types import FloatArray, PriorName

# ½·ln π: the least cost of the chi prior in high dimension.
COST_FLOOR = 0.5 * math.log(math.pi)


@dataclass(frozen=True)
class AbstractPrior(ABC):
    """A prior on norms, by name and by the JSON settings that make it again."""

    name: ClassVar[PriorName]

    @abstractmethod
    def settings(self) -> dict[str, Any]:
        """JSON values from which `prior_from_settings` makes this prior again."""


@dataclass(frozen=True)
class AbstractRadialPrior(AbstractPrior):
    """A prior with a density: what the geodesics of `indexers.metric` need of w(r).

    The differences are methods of their own because near the shell w varies by 1e-12 of the
    terms it is the sum of; computed as differences of `cost` they would be rounding noise.
    """

    @property
    @abstractmethod
    def mode(self) -> float:
        """The likeliest norm, where w is least."""

    @property
    @abstractmethod
    def width(self) -> float:
        """Standard deviation of the norm, the length on which w changes."""

    @property
    @abstractmethod
    def steepest_radius(self) -> float:
        """Where h'(r), h = r·w(r), is least: h'' changes sign there."""

    @abstractmethod
    def cost(self, r: FloatArray) -> FloatArray:
        """w(r) = −log p(r); may be `inf` at r = 0."""

    @abstractmethod
    def slope(self, r: FloatArray) -> FloatArray:
        """w'(r)."""

    @abstractmethod
    def bend(self, r: float) -> float:
        """w''(r)."""

    @abstractmethod
    def slope_change(self, r: FloatArray, step: FloatArray) -> FloatArray:
        """w'(r + step) − w'(r), without cancellation."""

    @abstractmethod
    def excess(self, r: FloatArray, step: FloatArray) -> FloatArray:
        """w(r + step) − w(r) − w'(r)·step, without cancellation; never negative."""

    @abstractmethod
    def radial_cost(self, r: FloatArray) -> FloatArray:
        """∫₀ʳ w: length of the straight line from the origin, in closed form."""


@final
@dataclass(frozen=True)
class ChiPrior(AbstractRadialPrior):
    """Norm of a standard Gaussian vector of `dim` values: the paper's prior.

    log p(r) = (d−1)·log r − r²/2 − [(d/2−1)·log 2 + lgamma(d/2)], mode √(d−1), width ≈ 0.707.

    Attributes
    ----------
    dim : int
        d, at least 2.

    References
    ----------
    Samuel et al., "Norm-guided latent space exploration for text-to-image generation", NeurIPS
    2023, arXiv 2306.08687.
    """

    dim: int

    name: ClassVar[PriorName] = "chi"

    def __post_init__(self) -> None:
        check_count(self.dim, what="dim", minimum=2)

    @property
    def mode(self) -> float:
        """√(d−1)."""
        return math.sqrt(self.dim - 1)

    @property
    def width(self) -> float:
        """About 1/√2 in every dimension."""
        return math.sqrt(0.5)

    @property
    def steepest_radius(self) -> float:
        """h''(r) = 3r − (d−1)/r = 0."""
        return math.sqrt((self.dim - 1) / 3)

    def cost(self, r: FloatArray) -> FloatArray:
        """w(r), with ρ = r/√d: ½lnπ + S(d/2) − (d−1)·ln ρ + (d/2)(ρ² − 1).

        S is the Stirling remainder of lgamma. The textbook form takes the difference of numbers
        near d·ln d and loses that much of float64.
        """
        scaled = np.asarray(r, np.float64) / math.sqrt(self.dim)
        with np.errstate(divide="ignore"):
            logs = np.log(scaled)
        value: FloatArray = (
            self._floor() - (self.dim - 1) * logs + 0.5 * self.dim * (scaled - 1.0) * (scaled + 1.0)
        )
        return value

    def slope(self, r: FloatArray) -> FloatArray:
        """R − (d−1)/r."""
        return r - (self.dim - 1) / r

    def bend(self, r: float) -> float:
        """1 + (d−1)/r²."""
        return 1.0 + (self.dim - 1) / (r * r)

    def slope_change(self, r: FloatArray, step: FloatArray) -> FloatArray:
        """Both parts have the sign of the step."""
        return step + (self.dim - 1) * step / (r * (r + step))

    def excess(self, r: FloatArray, step: FloatArray) -> FloatArray:
        """step²/2 + (d−1)·(y − log(1 + y)), y = step/r."""
        return 0.5 * step * step + (self.dim - 1) * log1p_shortfall(step / r)

    def radial_cost(self, r: FloatArray) -> FloatArray:
        """(d−1)·(r − r·ln ρ) + r³/6 − d·r/2 + floor·r."""
        radius = np.asarray(r, np.float64)
        positive = np.where(radius > 0, radius, 1.0)
        logs = np.log(positive / math.sqrt(self.dim))
        whole = (self.dim - 1) * (1.0 - logs) + radius**2 / 6 - 0.5 * self.dim + self._floor()
        value: FloatArray = radius * whole
        return value

    def settings(self) -> dict[str, Any]:
        """Name and dimension."""
        return {"name": self.name, "dim": self.dim}

    def _floor(self) -> float:
        return COST_FLOOR + stirling_remainder(self.dim / 2)


@final
@dataclass(frozen=True)
class FittedPrior(AbstractRadialPrior):
    """A Gaussian law of the norm, fitted to a corpus: w(r) = ½·ln π + (r − mean)²/(2·std²).

    The choice for inverted noise, whose norms are off the shell that chi expects. The floor is
    that of chi, whatever `std`: distances along the shell mean the same under both.

    Attributes
    ----------
    mean, std : float
        Of the norms, both positive.
    """

    mean: float
    std: float

    name: ClassVar[PriorName] = "fitted"

    def __post_init__(self) -> None:
        for what, value in (("mean", self.mean), ("std", self.std)):
            if not (math.isfinite(value) and value > 0):
                raise ParameterError(
                    f"expected a positive {what} of the norms, got {value!r}; "
                    "fit the prior to norms that vary, or use the chi prior"
                )

    @classmethod
    def from_norms(cls, norms: npt.ArrayLike) -> Self:
        """Fit to the norms (n,) of a corpus, n ≥ 2, not all equal.

        Raises
        ------
        DimensionError, NonFiniteError, ParameterError
        """
        values = check_real(norms, what="norms")
        if values.ndim != 1 or len(values) < 2:
            raise DimensionError(
                f"expected at least two norms of shape (n,), got shape {values.shape}"
            )
        return cls(float(values.mean()), float(values.std(ddof=1)))

    @property
    def mode(self) -> float:
        """`mean`."""
        return self.mean

    @property
    def width(self) -> float:
        """`std`."""
        return self.std

    @property
    def steepest_radius(self) -> float:
        """h''(r) = (3r − 2·mean)/std² = 0."""
        return self.mean * 2 / 3

    def cost(self, r: FloatArray) -> FloatArray:
        """w(r)."""
        return COST_FLOOR + 0.5 * np.square((r - self.mean) / self.std)

    def slope(self, r: FloatArray) -> FloatArray:
        """(r − mean)/std²."""
        return (r - self.mean) / self.std**2

    def bend(self, r: float) -> float:  # noqa: ARG002
        """1/std², everywhere."""
        return 1.0 / self.std**2

    def slope_change(self, r: FloatArray, step: FloatArray) -> FloatArray:  # noqa: ARG002
        """step/std²."""
        return step / self.std**2

    def excess(self, r: FloatArray, step: FloatArray) -> FloatArray:  # noqa: ARG002
        """step²/(2·std²)."""
        return 0.5 * np.square(step / self.std)

    def radial_cost(self, r: FloatArray) -> FloatArray:
        """floor·r + [(r − mean)³ + mean³]/(6·std²), expanded so that it does not cancel."""
        radius = np.asarray(r, np.float64)
        cubic = radius * (radius**2 / 3 - radius * self.mean + self.mean**2)
        value: FloatArray = COST_FLOOR * radius + 0.5 * cubic / self.std**2
        return value

    def settings(self) -> dict[str, Any]:
        """Name, mean and standard deviation."""
        return {"name": self.name, "mean": self.mean, "std": self.std}


@final
@dataclass(frozen=True)
class NoPrior(AbstractPrior):
    """No law of the norm: the distance is the angle, in radians."""

    name: ClassVar[PriorName] = "none"

    def settings(self) -> dict[str, Any]:
        """The name alone."""
        return {"name": self.name}


def log1p_shortfall(y: FloatArray) -> FloatArray:
    """Y − log(1 + y) ≥ 0, for y > −1, to full precision at small y too."""
    # With z = y/(2 + y): log(1 + y) = 2·artanh z and y − 2z = z·y.
    z = y / (2.0 + y)
    square = z * z
    largest = float(square.max(initial=0.0))
    # Terms z²ᵏ/(2k + 3) down to 1e-17 of the first, for the largest z that uses the series.
    count = 1 + int(-39.0 / math.log(min(max(largest, 1e-12), 0.04)))
    series = np.full_like(square, 1 / (2 * count + 3))
    for term in range(2 * count + 1, 1, -2):
        series *= square
        series += 1 / term
    near: FloatArray = z * (y - 2.0 * square * series)
    if largest < 0.04:
        return near
    with np.errstate(divide="ignore"):
        far = y - np.log1p(y)
    value: FloatArray = np.where(square < 0.04, near, far)
    return value


def stirling_remainder(x: float) -> float:
    """Lgamma(x) − [(x − ½)·ln x − x + ½·ln 2π]; 1/(12x) to leading order."""
    if x < 8:
        return float(gammaln(x) - ((x - 0.5) * math.log(x) - x + 0.5 * math.log(2 * math.pi)))
    y = 1.0 / (x * x)
    series = 1 / 12 - y * (
        1 / 360 - y * (1 / 1260 - y * (1 / 1680 - y * (1 / 1188 - y * 691 / 360360)))
    )
    return series / x
