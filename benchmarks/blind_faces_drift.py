"""Drift errors of the blind twins of drawn faces: what they are, and what the formula says.

How well a code of 1,024 numbers tells its noise level is judged by a Gaussian fitted to codes of
training faces: under it p(u | t) is Gaussian at every level.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, final

import numpy as np
from scipy.special import softmax

from benchmarks.blind_exact import GAP_TIMESTEPS
from benchmarks.blind_faces import SEED, SHAPE, Faces, FacesPlan, Twin, load_twin
from benchmarks.blind_measures import rms
from benchmarks.blind_paths import N_LEVELS
from indexers.types import Float32Array, FloatArray
from latentdb.affine import Level
from latentdb.geometry.blind_field import drift_factors
from latentdb.torch_compat import torch
from latentdb.zoo.faces import TRAINING_SEED
from latentdb.zoo.train_twins import RECIPES
from latentdb.zoo.training_data import face_arrays


@final
class GaussianCodes:
    """A Gaussian fitted to codes (n, dim), in the basis of its principal axes."""

    def __init__(self, codes: FloatArray) -> None:
        self._mean = codes.mean(axis=0)
        variances, self._axes = np.linalg.eigh(np.cov(codes.T))
        self._variances = np.maximum(variances, 0.0)

    def mean_inverse_sigma(
        self, states: FloatArray, levels: Sequence[Level], counts: FloatArray
    ) -> FloatArray:
        """E_{t|u}[1/b] (n,) where each level is drawn as often as `counts` says."""
        turned, mean = states @ self._axes, self._mean @ self._axes
        logits = np.empty((len(states), len(levels)))
        for at, level in enumerate(levels):
            spread = level.signal**2 * self._variances + level.sigma**2
            squares = (turned - level.signal * mean) ** 2 / spread
            logits[:, at] = np.log(counts[at]) - 0.5 * (squares + np.log(spread)).sum(axis=1)
        inverse = np.array([1.0 / level.sigma for level in levels])
        found: FloatArray = softmax(logits, axis=1) @ inverse
        return found


def drifts(faces: Faces, plan: FacesPlan) -> Iterator[dict[str, Any]]:
    """Drift error of each blind twin against its told one, at noised held-out codes."""
    trained = face_arrays(plan.fitted, seed=TRAINING_SEED, workers=1).pixels
    gaussian = GaussianCodes(_flat(faces.encode(trained)))
    rng = np.random.default_rng(SEED)
    x0 = _flat(faces.codes[: plan.drift_states])
    epsilon = rng.standard_normal(x0.shape)
    for prediction in ("velocity", "epsilon"):
        blind, told = load_twin(f"blind-{prediction}"), load_twin(prediction)
        for timestep in GAP_TIMESTEPS:
            level = told.path.levels[timestep - 1]
            states = level.signal * x0 + level.sigma * epsilon
            yield {
                "prediction": prediction,
                "time": timestep / N_LEVELS,
                "flow_time": level.flow_time,
                **_drift(blind, told, gaussian, states, timestep),
            }


def _drift(
    blind: Twin, told: Twin, gaussian: GaussianCodes, states: FloatArray, timestep: int
) -> dict[str, Any]:
    """Errors as root mean squares of a coordinate."""
    level, prediction = told.path.levels[timestep - 1], RECIPES[told.name].prediction
    codes = torch.tensor(states, dtype=torch.float32).view(-1, *SHAPE)
    ours, theirs = (_flat(twin.predict(codes, level).numpy()) for twin in (blind, told))
    levels, counts = told.path.thinned()
    inverse = gaussian.mean_inverse_sigma(states, levels, counts)
    gap = np.abs(level.sigma * inverse - 1.0)
    nu = abs(drift_factors(prediction, level, told.path.rate(timestep - 1))[1])
    straight = abs(drift_factors(prediction, level, (-1.0, 1.0))[1])
    difference = ours - theirs
    return {
        "nu": nu,
        "straight": straight,
        "measured": nu * rms(difference),
        "measured_straight": straight * rms(difference),
        "formula": nu * rms(gap[:, None] * theirs),
        "gap": float(np.median(gap)),
    }


def _flat(codes: Float32Array) -> FloatArray:
    return codes.reshape(len(codes), -1).astype(np.float64)
