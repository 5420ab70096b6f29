"""Which noise levels a marginal energy sums over, and how much each counts: p(t)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, final

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import roots_legendre

from indexers.errors import DimensionError, ParameterError
from indexers.types import FloatArray
from latentdb.affine import Level

# Of a level's likelihood as a function of ln t, in standard deviations: two nodes this far apart
# still resolve a peak to 1e-4 of its integral.
_NODE_SPACING: Final = 1.5
_FEWEST_NODES: Final = 32


@final
@dataclass(frozen=True, eq=False)
class NoisePrior:
    """Noise levels u = a·x + b·ε with their probabilities, a quadrature of p(t) dt.

    Every level has noise, b > 0: the energy is singular at clean data. At u = x_i the density
    p(u|t) grows like b^(−dim), so that ∫ p(u|t) dt diverges at b → 0 for dim ≥ 1, and E_marg has
    no lower end there. The cleanest level is what bounds it, and what sets the scale below which
    two vectors count as the same.

    Parameters
    ----------
    levels : tuple of Level
        In any order.
    weights : (n_levels,)
        p(t) of each, positive, summing to 1. Not modified.

    Raises
    ------
    ParameterError
        No level, one without noise, or weights that are not probabilities.
    DimensionError
        Not one weight per level.
    """

    levels: tuple[Level, ...]
    weights: FloatArray

    def __post_init__(self) -> None:
        if not self.levels:
            raise ParameterError("an energy is a sum over noise levels; got none")
        if self.weights.shape != (len(self.levels),):
            raise DimensionError(
                f"expected one weight for each of {len(self.levels)} levels, got shape "
                f"{self.weights.shape}"
            )
        if min(level.sigma for level in self.levels) <= 0:
            raise ParameterError(
                "every level needs noise (sigma > 0): at a clean level the energy is singular; "
                "leave that level out"
            )
        total = float(self.weights.sum())
        if not (self.weights > 0).all() or not math.isclose(total, 1.0, rel_tol=1e-9):
            raise ParameterError(
                f"weights of levels are positive and sum to 1, got a sum of {total:g} and a least "
                f"weight of {self.weights.min():g}"
            )

    @property
    def signals(self) -> FloatArray:
        """Share a of the clean vector at each level, (n_levels,)."""
        return np.array([level.signal for level in self.levels])

    @property
    def sigmas(self) -> FloatArray:
        """Share b of the noise at each level, (n_levels,)."""
        return np.array([level.sigma for level in self.levels])

    @property
    def flow_times(self) -> FloatArray:
        """b/(a + b) of each level, (n_levels,): 0 is clean, 1 is noise."""
        return np.array([level.flow_time for level in self.levels])

    @classmethod
    def of(cls, levels: tuple[Level, ...]) -> NoisePrior:
        """All levels equally likely, such as those of one trajectory without its clean end."""
        return cls(levels, np.full(len(levels), 1.0 / max(1, len(levels))))

    @classmethod
    def flow_matching(cls, dim: int, *, t_min: float = 0.01) -> NoisePrior:
        """Flow matching, a = 1 − t and b = t, with t uniform on [t_min, 1].

        Gauss–Legendre nodes in ln t. Of vectors with unit variance per coordinate, the likelihood
        of t peaks with a standard deviation of 1/√(3·dim) in ln t; as many nodes as resolve that.

        Parameters
        ----------
        dim : int
            Of the vectors.
        t_min : float
            Cleanest level, in (0, 1).

        Raises
        ------
        ParameterError
            `dim` below 1 or `t_min` outside (0, 1).
        """
        if dim < 1 or not 0 < t_min < 1:
            raise ParameterError(f"expected dim ≥ 1 and 0 < t_min < 1, got {dim} and {t_min}")
        times, weights = _log_nodes(t_min, 1.0, spread=1 / math.sqrt(3 * dim))
        shares = weights * times
        levels = tuple(Level(1000.0 * t, 1.0 - t, t) for t in times.tolist())
        return cls(levels, shares / shares.sum())

    @classmethod
    def exploding(cls, dim: int, *, sigma_min: float = 0.01, sigma_max: float = 10.0) -> NoisePrior:
        """Variance-exploding diffusion, a = 1 and b = σ, with log σ uniform.

        Nothing is drawn towards the origin, so that what lies between the stored vectors is not
        taken for one of them with noise. Gauss–Legendre nodes in ln σ, as many as resolve the
        standard deviation of 1/√(2·dim) that a likelihood has there.

        Parameters
        ----------
        dim : int
            Of the vectors.
        sigma_min, sigma_max : float
            Cleanest and noisiest level, 0 < sigma_min < sigma_max.

        Raises
        ------
        ParameterError
            Not such numbers.

        References
        ----------
        Karras et al., "Elucidating the design space of diffusion-based generative models", 2022,
        arXiv 2206.00364.
        """
        if dim < 1 or not 0 < sigma_min < sigma_max:
            raise ParameterError(
                f"expected dim ≥ 1 and 0 < sigma_min < sigma_max, got {dim}, {sigma_min} and "
                f"{sigma_max}"
            )
        sigmas, weights = _log_nodes(sigma_min, sigma_max, spread=1 / math.sqrt(2 * dim))
        levels = tuple(Level(sigma, 1.0, sigma) for sigma in sigmas.tolist())
        return cls(levels, weights / weights.sum())

    @classmethod
    def variance_preserving(cls, alphas_bar: ArrayLike, *, sigma_min: float = 0.01) -> NoisePrior:
        """Variance-preserving diffusion, a = √ᾱ and b = √(1−ᾱ), with t uniform over timesteps.

        Parameters
        ----------
        alphas_bar : (n_train,)
            ᾱ of timesteps 0, 1, …; those with less noise than `sigma_min` are left out.
        sigma_min : float
            Least b, above 0.

        Raises
        ------
        ParameterError
            Every timestep is cleaner than `sigma_min`, or that is not positive.
        """
        if sigma_min <= 0:
            raise ParameterError(f"sigma_min keeps the energy finite: above 0, got {sigma_min}")
        kept = [
            Level.of_alpha_bar(float(timestep), float(alpha_bar))
            for timestep, alpha_bar in enumerate(np.asarray(alphas_bar, dtype=np.float64))
            if 1.0 - alpha_bar >= sigma_min**2
        ]
        return cls.of(tuple(kept))


def _log_nodes(low: float, high: float, *, spread: float) -> tuple[FloatArray, FloatArray]:
    """Gauss–Legendre nodes in the logarithm, which resolve peaks of that deviation, and weights."""
    length = math.log(high / low)
    # In the middle, the nodes lie π/2 times as far apart as on average.
    needed = math.ceil(math.pi / 2 * length / (_NODE_SPACING * spread))
    nodes, weights = roots_legendre(max(_FEWEST_NODES, needed))
    return high * np.exp(-length * (1.0 - nodes) / 2.0), weights
