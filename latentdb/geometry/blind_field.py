"""What a network that is never told its noise level can at best predict, over known codes.

Of states u = a·x_0 + b·ε a network learns the mean of r = c·x_0 + d·ε. Told the level t that is

    f_t(u) = (d/b)·u + (c − d·a/b)·E[x_0 | u, t],

and told nothing it is the mean of these over the levels that u may have come from,

    f(u) = E_{t|u}[f_t(u)] = λ̄·∇E_marg + Cov_{t|u}(λ, ∇E_t) + c̄·u,

with ∇E_t = (u − a·E[x_0 | u, t])/b² the gradient of −log p(u | t), λ = (b/a)(d·a − c·b) and c̄ the
mean of c/a. Over finitely many codes and levels all of these are finite sums: there is no
training error in them.

References
----------
"The Geometry of Noise: why diffusion models do not need noise conditioning", 2026,
arXiv 2602.18428.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, final

import numpy as np
from numpy.typing import ArrayLike

from indexers.errors import ParameterError
from indexers.types import FloatArray
from latentdb.affine import Level, Prediction, factors, target
from latentdb.arrays import as_matrix
from latentdb.geometry.marginal_energy import EnergyCorpus, NoisePrior, denoised, marginal_energy

# A level this unlikely adds nothing that float64 could hold.
_NEGLIGIBLE: Final = 1e-15


@final
@dataclass(frozen=True, slots=True, eq=False)
class FieldParts:
    """The three terms that a blind field is the sum of.

    Attributes
    ----------
    energy_gain : (n,) float64
        λ̄, the mean of λ over the levels that a state may have come from.
    energy_gradient : (n, dim) float64
        ∇E_marg = −∇ log p(u), with the level unknown.
    covariance : (n, dim) float64
        Of λ and ∇E_t over those levels.
    state_gain : (n,) float64
        c̄, the mean of c/a.
    states : (n, dim) float64
        The states themselves.
    """

    energy_gain: FloatArray
    energy_gradient: FloatArray
    covariance: FloatArray
    state_gain: FloatArray
    states: FloatArray

    @property
    def field(self) -> FloatArray:
        """Their sum (n, dim), which is the blind field."""
        descent = self.energy_gain[:, None] * self.energy_gradient
        return descent + self.covariance + self.state_gain[:, None] * self.states


@final
class BlindField:
    """The exact fields of networks told and not told the level, of a finite set of codes.

    Parameters
    ----------
    corpus : EnergyCorpus
        All x_0 that there are, equally likely.
    prior : NoisePrior
        All levels that there are, and how often each is drawn in training.
    prediction : "epsilon", "sample", "v_prediction" or "velocity"
        What the networks predict.
    """

    def __init__(self, corpus: EnergyCorpus, prior: NoisePrior, prediction: Prediction) -> None:
        self._corpus, self._prior = corpus, prior
        self._prediction: Prediction = prediction
        targets = np.array([target(prediction, level) for level in prior.levels])
        self._c, self._d = targets.T

    def blind(self, states: ArrayLike) -> FloatArray:
        """f(u): what is predicted of a state whose level is not known.

        Parameters
        ----------
        states : (n, dim)
            Floating point. Not modified.

        Returns
        -------
        (n, dim) float64

        Raises
        ------
        DimensionError, DtypeError, NonFiniteError
        """
        posterior = marginal_energy(states, self._corpus, self._prior).posterior
        return self._mean(states, posterior, *self._shares(self._c, self._d))

    def told(self, states: ArrayLike, level: Level) -> FloatArray:
        """f_t(u): what is predicted of states (n, dim) that are all of one level, with noise."""
        alone = BlindField(self._corpus, NoisePrior.of((level,)), self._prediction)
        exact = as_matrix(states, name="states of a blind field")
        certain = np.ones((len(exact), 1))
        return alone._mean(exact, certain, *alone._shares(alone._c, alone._d))

    def mean_inverse_sigma(self, states: ArrayLike) -> FloatArray:
        """E_{t|u}[1/b] (n,) of states (n, dim), which the Jensen gap is made of."""
        posterior = marginal_energy(states, self._corpus, self._prior).posterior
        return posterior @ (1.0 / self._prior.sigmas)

    def parts(self, states: ArrayLike) -> FieldParts:
        """The blind field at states (n, dim), as the sum of its three terms.

        Raises
        ------
        ParameterError
            A level has no signal: λ is not finite there.
        DimensionError, DtypeError, NonFiniteError
        """
        a, b = self._prior.signals, self._prior.sigmas
        if not a.all():
            raise ParameterError("a level without signal has no gain λ; leave it out of the levels")
        found = marginal_energy(states, self._corpus, self._prior, with_gradient=True)
        assert found.gradient is not None
        gain = b / a * (self._d * a - self._c * b)
        mean_gain = found.posterior @ gain
        product = self._mean(states, found.posterior, gain / b**2, -gain * a / b**2)
        return FieldParts(
            energy_gain=mean_gain,
            energy_gradient=found.gradient,
            covariance=product - mean_gain[:, None] * found.gradient,
            state_gain=found.posterior @ (self._c / a),
            states=np.array(states, np.float64),
        )

    def _shares(self, c: FloatArray, d: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Shares of u and of E[x_0 | u, t] in c·x_0 + d·ε at each level."""
        of_state = d / self._prior.sigmas
        return of_state, c - of_state * self._prior.signals

    def _mean(
        self, states: ArrayLike, posterior: FloatArray, of_state: FloatArray, of_code: FloatArray
    ) -> FloatArray:
        """E[p(t)·u + q(t)·x_0 | u] (n, dim) for shares p and q of each level."""
        exact = as_matrix(states, name="states of a blind field").astype(np.float64)
        total = (posterior @ of_state)[:, None] * exact
        for at, level in enumerate(self._prior.levels):
            rows = np.flatnonzero(posterior[:, at] > _NEGLIGIBLE)
            weights = posterior[rows, at, None] * of_code[at]
            total[rows] += weights * denoised(exact[rows], self._corpus, level)
        return total


def drift_factors(
    prediction: Prediction, level: Level, rates: tuple[float, float]
) -> tuple[float, float]:
    """Factors (μ, ν) of the deterministic sampler du/dt = μ·u + ν·f.

    μ = (ȧd − ḃc)/(ad − bc) and ν = (ḃa − ȧb)/(ad − bc); an error of the field is an error of the
    drift times |ν|.

    Parameters
    ----------
    prediction : "epsilon", "sample", "v_prediction" or "velocity"
    level : Level
    rates : (ȧ, ḃ)
        Of the level's signal and sigma, in any time.

    Raises
    ------
    ZeroDivisionError
        The prediction says nothing at this level that the state does not.
    """
    return factors(prediction, level, *rates)


def jensen_gain(
    level: Level, rates: tuple[float, float], mean_inverse_sigma: FloatArray
) -> FloatArray:
    """|ν/b|·|b·E[1/b(τ)] − 1|: drift error of a blind noise prediction, of each unit of residue.

    A network blind to t, at u = a·x_0 + b·ε with x_0 known, predicts (u − a·x_0)·E[1/b(τ)] for
    ε = (u − a·x_0)/b; the gain times ‖u − a·x_0‖ is the error of its drift. Where a hardly
    changes, near the data, ν is ḃ.

    Parameters
    ----------
    level : Level
        Where the sampler believes to be.
    rates : (ȧ, ḃ)
        As in `drift_factors`.
    mean_inverse_sigma : (n,)
        E[1/b(τ)] of each state, as of `BlindField.mean_inverse_sigma`. Not modified.

    Returns
    -------
    (n,) float64
    """
    _, nu = drift_factors("epsilon", level, rates)
    gap = np.abs(level.sigma * np.asarray(mean_inverse_sigma, np.float64) - 1.0)
    gain: FloatArray = np.abs(nu / level.sigma) * gap
    return gain
