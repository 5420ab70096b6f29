"""Models never told their noise level, on a ring: with exact fields and with trained networks.

    python -m benchmarks.blind            half an hour on a busy core; networks kept in --cache
    python -m benchmarks.blind --quick    everything once, on sizes that say nothing, kept nowhere

Runs of the deterministic sampler in 2 to 128 dimensions, and drift errors against the formula of
"The Geometry of Noise" (2602.18428). Writes results/blind.json, the tables and pictures of
docs/blind.md. The faces are in `benchmarks.blind_twins`.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path as File
from typing import Any

from benchmarks._arguments import make_parser
from benchmarks._record import ROOT, record, write_section
from benchmarks.blind_exact import ExactPlan, exact_runs, gaps, runs_on
from benchmarks.blind_pictures import draw_gaps, draw_scatter
from benchmarks.blind_tables import ring_section
from benchmarks.blind_toy import Ring, Training
from benchmarks.blind_trained import TrainedPlan, floors, samples, trained_runs
from latentdb.torch_compat import torch

IMAGES = ROOT / "docs" / "images"
_SHOWN = ((2, 10), (2, 250), (32, 10), (32, 250), (128, 250))
"""Dimensions and steps of the rows of the scatter sheet."""


def run(exact: ExactPlan, trained: TrainedPlan, cache: File) -> dict[str, Any]:
    """Everything that is measured on a ring."""
    parts = {
        "exact": lambda: list(exact_runs(exact)),
        "runs_on": lambda: list(runs_on(exact)),
        "floor": lambda: floors(trained),
        "trained": lambda: list(trained_runs(trained, cache)),
        "gaps": lambda: list(gaps(exact, trained.training, cache)),
    }
    results: dict[str, Any] = {}
    for name, measure in parts.items():
        print(name, file=sys.stderr)
        results[name] = measure()
    return results


def draw(results: dict[str, Any], trained: TrainedPlan, cache: File) -> None:
    """The pictures of docs/blind.md that show the ring."""
    found = {
        f"D = {dim}, {steps} steps": samples(trained, dim, steps, cache) for dim, steps in _SHOWN
    }
    draw_scatter(IMAGES / "blind_ring.png", found, Ring(2).flat(2000, 1002))
    panels = [
        (f"ring, D = {dim}", [row for row in results["gaps"] if row["dim"] == dim])
        for dim in (2, 8, 32, 128)
    ]
    draw_gaps(IMAGES / "blind_gap.png", panels)


def main() -> None:
    """Run it and keep the result."""
    parser = make_parser(__doc__)
    parser.add_argument("--quick", action="store_true", help="small, kept nowhere")
    parser.add_argument("--cache", type=File, default=ROOT / "build" / "blind")
    options = parser.parse_args()
    torch.set_num_threads(1)
    if options.quick:
        exact = ExactPlan((2, 32), steps=(5,), codes=16, runs=8, gap_codes=16, gap_states=4)
        small = TrainedPlan((2, 32), steps=(5,), seeds=(0,), runs=16, training=Training(steps=20))
        with tempfile.TemporaryDirectory() as folder:
            results = run(exact, small, File(folder))
        print(json.dumps(results, indent=2), ring_section(results), sep="\n")
        return
    trained = TrainedPlan()
    results = run(ExactPlan(), trained, options.cache)
    record("blind", results, seed=0)
    write_section("blind.md", "blind", ring_section(results))
    draw(results, trained, options.cache)


if __name__ == "__main__":
    main()
