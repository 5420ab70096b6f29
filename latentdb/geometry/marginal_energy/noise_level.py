"""At which noise level a row lies, given the clean code that it was made from.

The marginal energy over a corpus of one: p(u|t) = N(u; a·x, b²·I), so that p(t|u) needs no other
rows, and a row's answer does not depend on the batch that it came in.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import softmax

from indexers.errors import DimensionError
from indexers.types import FloatArray
from latentdb.affine import Level
from latentdb.arrays import as_matrix
from latentdb.geometry.marginal_energy.noise_prior import NoisePrior


@final
@dataclass(frozen=True, eq=False)
class NoiseLevels:
    """Where n rows seem to lie among some levels, all equally likely beforehand.

    Parameters
    ----------
    levels : tuple of Level
        Those with noise.
    posterior : (n, n_levels) float64
        p(t|u, x).
    """

    levels: tuple[Level, ...]
    posterior: FloatArray

    @property
    def flow_times(self) -> FloatArray:
        """Mean of b/(a + b) under the posterior, (n,), in [0, 1]: 0 is clean, 1 is noise."""
        times: FloatArray = self.posterior @ np.array([level.flow_time for level in self.levels])
        return times


def noise_level(latents: ArrayLike, noise: ArrayLike, levels: Sequence[Level]) -> NoiseLevels:
    """Which level u = a·x + b·ε each row of `noise` lies at, given its clean code.

    Inverted noise that is as white and as large as the last level of its grid says has a flow
    time near that level's; one that kept some of its picture, or is too short or too long for
    white noise, has another.

    Parameters
    ----------
    latents : (n, dim)
        Clean codes x. Floating point, not modified.
    noise : (n, dim)
        Rows u that were made from them, in the same order. Not modified.
    levels : sequence of Level
        Of the grid; clean levels (sigma 0), where nothing else can lie, are passed over.

    Returns
    -------
    NoiseLevels

    Raises
    ------
    DimensionError, DtypeError, NonFiniteError
        Not two finite floating-point matrices of one shape.
    ParameterError
        No level has noise.
    """
    rows = as_matrix(noise, name="noise")
    clean = as_matrix(latents, name="latents", dim=rows.shape[1])
    if len(clean) != len(rows):
        raise DimensionError(
            f"expected a clean code per row of noise: {len(rows)}, not {len(clean)}"
        )
    prior = NoisePrior.of(tuple(level for level in levels if level.sigma > 0))
    exact, codes = rows.astype(np.float64), clean.astype(np.float64)
    own, cross, clean_squared = (
        np.einsum("ij,ij->i", left, right)[:, None]
        for left, right in ((exact, exact), (exact, codes), (codes, codes))
    )
    a = prior.signals
    # ‖u − a·x‖², for which no level needs another pass over the rows.
    squared = own - 2 * a * cross + a**2 * clean_squared
    volume = rows.shape[1] * np.log(prior.sigmas)
    posterior: FloatArray = softmax(-squared / (2 * prior.sigmas**2) - volume, axis=1)
    return NoiseLevels(prior.levels, posterior)
