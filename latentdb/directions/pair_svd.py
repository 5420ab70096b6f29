"""What one picture has and another has not, by singular vectors halfway between noise and picture.

=============  ===========================================================================
code           symbol
=============  ===========================================================================
``level``      T_x, where the trajectories of both are stopped
``source``     x, the state of the first picture there: a matrix for each channel
``target``     z, that of the second
``left``       U = [u_1 … u_r of x, u_1 … u_r of z]
``right``      V, the same of the right singular vectors
``values``     s, the new singular values
=============  ===========================================================================

The leading part of x is replaced by U·diag(s)·Vᵀ; what is below its r-th singular value stays, or
half-denoised states would lose the noise that the network is told is there. The paper predicts s
by a small network under four losses whose weights are not public. Here s is the least-squares
optimum in closed form: of all combinations of those 2r matrices u_i·v_iᵀ the one nearest to z,
that is ((UᵀU) ∘ (VᵀV))·s = diag(UᵀzV).

References
----------
arXiv 2502.02225, 2025 (the route, by its singular vectors and their integration).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, final

import numpy as np

from indexers.errors import ParameterError
from latentdb.arrays import FloatArray
from latentdb.errors import QueryError
from latentdb.model import AbstractSpaceModel, Vectors

if TYPE_CHECKING:  # it loads torch, and commands that run no model are to start without
    from latentdb.inverters.base import AbstractTrajectoryInverter

RANK = 3
AT = 0.35
# Of singular values of a Gram matrix: below, two singular vectors of x and z are the same.
_DEPENDENT = 1e-9


@final
@dataclass(frozen=True, eq=False)
class Shift:
    """What is added to a state of a trajectory on its way.

    Parameters
    ----------
    level : int
        0 is the clean code, the model's `grid.steps` the noise.
    vector : (dim,) float64
    """

    level: int
    vector: FloatArray

    def apply(
        self, model: AbstractTrajectoryInverter, noise: Vectors, strengths: FloatArray
    ) -> Vectors:
        """Noise (n, dim) of the trajectories through the shifted states of those from `noise`.

        Parameters
        ----------
        model : AbstractTrajectoryInverter
        noise : (n, dim) float32
            Not modified.
        strengths : (n,)
            How many times the shift is added to each.
        """
        steps = model.grid.steps
        states = model.follow(noise, start=steps, stop=self.level).astype(np.float64)
        states += strengths[:, None] * self.vector
        return model.follow(states.astype(np.float32), start=self.level, stop=steps)


def svd_pair_shift(
    model: AbstractTrajectoryInverter,
    start: Vectors,
    end: Vectors,
    *,
    rank: int = RANK,
    at: float = AT,
) -> Shift:
    """What makes `start` like `end` in its leading singular vectors, mid-trajectory.

    Parameters
    ----------
    model : AbstractTrajectoryInverter
    start, end : (dim,) float32
        Noise of two pictures. Not modified.
    rank : int
        Leading singular vectors taken of each, in every channel.
    at : float
        Where the trajectories are stopped, in (0, 1): 0 the picture, 1 the noise.

    Raises
    ------
    ParameterError
        `rank` is not among the singular values there are, or `at` is no place between.
    """
    channels, height, width = model.latent_shape
    if not 1 <= rank <= min(height, width):
        raise ParameterError(f"a channel has 1 to {min(height, width)} ranks, got rank={rank}")
    level = round(at * model.grid.steps) if 0 < at < 1 else 0
    if not 0 < level < model.grid.steps:
        raise ParameterError(
            f"at={at} is no level between picture and noise: of {model.grid.steps} steps, one "
            "inside is needed"
        )
    both = model.follow(np.stack([start, end]), start=model.grid.steps, stop=level)
    source, target = both.astype(np.float64).reshape(2, channels, height, width)
    return Shift(level, (integrate(source, target, rank) - source).ravel())


def svd_pair_direction(
    model: AbstractTrajectoryInverter,
    start: Vectors,
    end: Vectors,
    *,
    rank: int = RANK,
    at: float = AT,
) -> FloatArray:
    """The shift of `svd_pair_shift` carried on to the noise: where `start` comes to lie, less it.

    Returns
    -------
    (dim,) float64
        Of any norm.
    """
    shift = svd_pair_shift(model, start, end, rank=rank, at=at)
    moved: FloatArray = shift.apply(model, start[None], np.ones(1))[0].astype(np.float64) - start
    return moved


def integrate(source: FloatArray, target: FloatArray, rank: int) -> FloatArray:
    """`source` with its leading part replaced by the nearest to `target` in both's vectors.

    Parameters
    ----------
    source, target : (..., height, width)
        A matrix for each channel, of one state or of many. Not modified.
    rank : int
        Leading singular vectors taken of each.

    Returns
    -------
    (..., height, width)
    """
    (u, s, v), (p, _, q) = np.linalg.svd(source), np.linalg.svd(target)
    left = np.concatenate([u[..., :rank], p[..., :rank]], axis=-1)
    right = np.concatenate([v[..., :rank, :], q[..., :rank, :]], axis=-2)
    gram = (left.swapaxes(-1, -2) @ left) * (right @ right.swapaxes(-1, -2))
    along = np.einsum("...hi,...hw,...iw->...i", left, target, right)
    values = np.linalg.pinv(gram, rcond=_DEPENDENT, hermitian=True) @ along[..., None]
    leading = (u[..., :rank] * s[..., None, :rank]) @ v[..., :rank, :]
    combined: FloatArray = source - leading + (left * values.swapaxes(-1, -2)) @ right
    return combined


def require_trajectory(model: AbstractSpaceModel) -> AbstractTrajectoryInverter:
    """The model as one whose trajectories can be entered midway; QueryError where it is none."""
    from latentdb.inverters.base import AbstractTrajectoryInverter

    if not isinstance(model, AbstractTrajectoryInverter):
        raise QueryError(
            f"space {model.space.name!r} has no trajectories from noise to pictures: the svd of a "
            "pair is taken midway along them; take the difference of the pair instead"
        )
    return model
