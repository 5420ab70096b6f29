"""The toy without training: exact fields of a finite set of points, told and not told the level."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path as File
from typing import Any, final

import numpy as np

from benchmarks.blind_measures import ends, rms
from benchmarks.blind_paths import N_LEVELS, Path, PathName, Predict, make_path, sample
from benchmarks.blind_toy import KINDS, Ring, Training, as_predict, trained
from indexers.types import FloatArray
from latentdb.affine import Level, Prediction
from latentdb.geometry.blind_field import BlindField, drift_factors, jensen_gain
from latentdb.geometry.marginal_energy import EnergyCorpus, NoisePrior
from latentdb.torch_compat import torch

Cell = tuple[Prediction, PathName]
USED: tuple[Cell, ...] = (("velocity", "flow"), ("epsilon", "ddpm"))
CROSSED: tuple[Cell, ...] = (("velocity", "ddpm"), ("epsilon", "flow"))
"""Each target on the other's path, to tell the one from the other."""
GAP_TIMESTEPS = (1, 2, 5, 10, 20, 50, 100, 200, 350, 500, 650, 800, 900, 950, 990, 999)


@final
@dataclass(frozen=True)
class ExactPlan:
    """Sizes of the study of exact fields."""

    dims: tuple[int, ...] = (2, 8, 32, 128)
    crossed_dims: tuple[int, ...] = (32,)
    steps: tuple[int, ...] = (10, 50, 250)
    codes: int = 96
    runs: int = 64
    gap_codes: int = 256
    gap_states: int = 48


def make_field(codes: FloatArray, path: Path, prediction: Prediction) -> BlindField:
    """The exact field of `codes` over the levels of a path, thinned."""
    levels, counts = path.thinned()
    prior = NoisePrior(tuple(levels), counts / counts.sum())
    return BlindField(EnergyCorpus(codes), prior, prediction)


def exact_runs(plan: ExactPlan) -> Iterator[dict[str, Any]]:
    """Where runs of each exact field end, from the same noise."""
    cells = [*product(plan.dims, USED), *product(plan.crossed_dims, CROSSED)]
    for dim, (prediction, name) in cells:
        codes = Ring(dim).draw(plan.codes, 0)
        path = make_path(name)
        field = make_field(codes, path, prediction)
        start = _noise(plan.runs, dim)
        for is_blind, steps in product((False, True), plan.steps):
            found = sample(path.grid(prediction, steps), _exact(field, is_blind), start)
            yield {
                "dim": dim,
                "prediction": prediction,
                "path": name,
                "is_blind": is_blind,
                "steps": steps,
                **ends(found.numpy(), codes),
            }


def runs_on(plan: ExactPlan, *, longer: float = 0.25) -> Iterator[dict[str, Any]]:
    """Blind velocity that goes on with steps of the same length when its time is over."""
    steps = max(plan.steps)
    path = make_path("flow")
    for dim in plan.dims:
        codes = Ring(dim).draw(plan.codes, 0)
        field = make_field(codes, path, "velocity")
        state = sample(path.grid("velocity", steps), _exact(field, True), _noise(plan.runs, dim))
        state = state.numpy()
        for _ in range(int(longer * steps)):
            state = state - field.blind(state) / steps
        yield {"dim": dim, "steps": steps, "longer": longer, **ends(state, codes)}


def gaps(plan: ExactPlan, training: Training, cache: File) -> Iterator[dict[str, Any]]:
    """Drift errors at noised codes of known level: exact, by the formula, and of networks."""
    for dim, (prediction, name) in product(plan.dims, USED):
        ring, path = Ring(dim), make_path(name)
        codes = ring.draw(plan.gap_codes, 0)
        field = make_field(codes, path, prediction)
        told, blind = (
            as_predict(kind, trained(kind, ring, training, seed=0, cache=cache))
            for kind in KINDS
            if kind.prediction == prediction
        )
        rng = np.random.default_rng(dim)
        for timestep in GAP_TIMESTEPS:
            level = path.levels[timestep - 1]
            x0 = codes[rng.integers(len(codes), size=plan.gap_states)]
            states = level.signal * x0 + level.sigma * rng.standard_normal(x0.shape)
            _, nu = drift_factors(prediction, level, path.rate(timestep - 1))
            tensor = torch.tensor(states, dtype=torch.float32)
            learnt = (blind(tensor, level) - told(tensor, level)).double().numpy()
            yield {
                "dim": dim,
                "prediction": prediction,
                "time": timestep / N_LEVELS,
                "flow_time": level.flow_time,
                "sigma": level.sigma,
                "nu": abs(nu),
                # Of each unit of error of the output, that of dy/dτ = ε − x_0 in y = u/(a + b).
                "straight": abs(drift_factors(prediction, level, (-1.0, 1.0))[1]),
                "trained": abs(nu) * rms(learnt),
                **_gap(field, prediction, states, level, path.rate(timestep - 1)),
            }


def _gap(
    field: BlindField,
    prediction: Prediction,
    states: FloatArray,
    level: Level,
    rates: tuple[float, float],
) -> dict[str, Any]:
    """Exact drift error and the formula's, as root mean squares of a coordinate."""
    told = field.told(states, level)
    _, nu = drift_factors(prediction, level, rates)
    measured = abs(nu) * np.linalg.norm(field.blind(states) - told, axis=1)
    inverse = field.mean_inverse_sigma(states)
    if prediction == "epsilon":
        # ε = (u − a·x_0)/b, so that its norm times b is the residue.
        residue = level.sigma * np.linalg.norm(told, axis=1)
        formula = jensen_gain(level, rates, inverse) * residue
    else:
        formula = abs(nu) * np.abs(level.sigma * inverse - 1.0) * np.linalg.norm(told, axis=1)
    root = np.sqrt(states.shape[1])
    return {
        "exact": rms(measured) / root,
        "formula": rms(formula) / root,
        "gap": float(np.median(np.abs(level.sigma * inverse - 1.0))),
        "correlation": _log_correlation(measured, formula),
    }


def _log_correlation(first: FloatArray, second: FloatArray) -> float | None:
    """Pearson's of the logarithms; None where rounding is all that is left."""
    if min(first.min(), second.min()) < 1e-9:
        return None
    return float(np.corrcoef(np.log(first), np.log(second))[0, 1])


def _exact(field: BlindField, is_blind: bool) -> Predict:
    def predict(states: torch.Tensor, level: Level) -> torch.Tensor:
        exact = states.numpy()
        return torch.tensor(field.blind(exact) if is_blind else field.told(exact, level))

    return predict


def _noise(n: int, dim: int) -> torch.Tensor:
    drawn = np.random.default_rng(1).standard_normal((n, dim))
    return torch.tensor(drawn)
