"""The toy with training: where the runs of four small networks end."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path as File
from typing import Any, final

import numpy as np

from benchmarks.blind_measures import ends, energy_distance
from benchmarks.blind_paths import make_path, sample
from benchmarks.blind_toy import KINDS, Kind, Ring, Training, as_predict, trained
from indexers.types import FloatArray
from latentdb.torch_compat import torch

_DENSE = 5000
"""Points of the ring that stand for all of them where distances are measured."""


@final
@dataclass(frozen=True)
class TrainedPlan:
    """Sizes of the study of small networks."""

    dims: tuple[int, ...] = (2, 8, 32, 128)
    steps: tuple[int, ...] = (10, 50, 250)
    seeds: tuple[int, ...] = (0,)
    runs: int = 500
    training: Training = field(default_factory=Training)


def trained_runs(plan: TrainedPlan, cache: File) -> Iterator[dict[str, Any]]:
    """Quality of the samples of each network, mean over the seeds that it was trained with."""
    for dim, kind, steps in product(plan.dims, KINDS, plan.steps):
        rows = [_one(plan, kind, Ring(dim), (steps, seed), cache) for seed in plan.seeds]
        yield {
            "dim": dim,
            "kind": kind.name,
            "steps": steps,
            **{name: float(np.mean([row[name] for row in rows])) for name in rows[0]},
        }


def floors(plan: TrainedPlan) -> dict[str, float]:
    """Energy distance of two draws of the ring themselves, the most of five pairs."""
    ring = Ring(2)
    pairs = [(ring.flat(plan.runs, 2 * i), ring.flat(plan.runs, 2 * i + 1)) for i in range(5)]
    return {"energy_distance": max(energy_distance(one, other) for one, other in pairs)}


def samples(plan: TrainedPlan, dim: int, steps: int, cache: File) -> dict[str, FloatArray]:
    """Places in the plane (runs, 2) where the runs of each network end, of the first seed."""
    ring = Ring(dim)
    return {
        kind.name: ring.split(_ends(plan, kind, ring, (steps, plan.seeds[0]), cache))[0]
        for kind in KINDS
    }


def _one(
    plan: TrainedPlan, kind: Kind, ring: Ring, run: tuple[int, int], cache: File
) -> dict[str, float]:
    found = _ends(plan, kind, ring, run, cache)
    inside, off = ring.split(found)
    return {
        "energy_distance": energy_distance(inside, ring.flat(plan.runs, 1000)),
        "off_plane": float(np.median(off)),
        **ends(found, ring.draw(_DENSE, 1001)),
    }


def _ends(
    plan: TrainedPlan, kind: Kind, ring: Ring, run: tuple[int, int], cache: File
) -> FloatArray:
    steps, seed = run
    network = trained(kind, ring, plan.training, seed=seed, cache=cache)
    generator = torch.Generator().manual_seed(1)
    start = torch.randn(plan.runs, ring.dim, generator=generator)
    grid = make_path(kind.path).grid(kind.prediction, steps)
    return sample(grid, as_predict(kind, network), start).double().numpy()
