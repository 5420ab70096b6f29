"""Four twins of drawn faces, told and not told their noise level, from the same noise.

    python -m benchmarks.blind_twins            samples are kept in --cache; an hour on a busy core
    python -m benchmarks.blind_twins --quick    everything once, on sizes that say nothing

Writes results/blind_twins.json, and its tables and pictures of docs/blind.md.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path as File
from typing import Any

import numpy as np

from benchmarks._arguments import make_parser
from benchmarks._record import ROOT, record, write_section
from benchmarks.blind_faces import (
    FULL,
    QUICK,
    SEED,
    Faces,
    FacesPlan,
    load_twin,
    qualities,
    sampled,
)
from benchmarks.blind_faces_drift import drifts
from benchmarks.blind_pictures import draw_gaps, draw_sheet
from benchmarks.blind_tables import faces_section
from latentdb.torch_compat import torch

IMAGES = ROOT / "docs" / "images"
_COLUMNS = 12


def run(faces: Faces, plan: FacesPlan, cache: File) -> dict[str, Any]:
    """Everything that is measured on faces."""
    return {
        "code_scale": float(np.sqrt(np.mean(np.square(faces.codes.astype(np.float64))))),
        "code_scales": faces.code_scales,
        "qualities": list(qualities(faces, plan, cache)),
        "drifts": list(drifts(faces, plan)),
    }


def draw(results: dict[str, Any], faces: Faces, plan: FacesPlan, cache: File) -> None:
    """The sheet of samples, and the drift errors over time."""
    rows = []
    for name in ("velocity", "blind-velocity", "epsilon", "blind-epsilon"):
        twin = load_twin(name)
        for steps in (10, 50, 250):
            codes, _ = sampled(twin, steps, plan.runs[steps], cache)
            label = f"{name.replace('-', ' ')}, {steps} steps"
            rows.append((label, faces.decode(np.clip(codes[:_COLUMNS], -1e3, 1e3))))
    draw_sheet(IMAGES / "blind_faces.png", rows)
    draw_gaps(IMAGES / "blind_gap_faces.png", [("faces, D = 1,024", results["drifts"])])


def main() -> None:
    """Run it and keep the result."""
    parser = make_parser(__doc__)
    parser.add_argument("--quick", action="store_true", help="small, kept nowhere")
    parser.add_argument("--cache", type=File, default=ROOT / "build" / "blind")
    options = parser.parse_args()
    torch.set_num_threads(1)
    plan = QUICK if options.quick else FULL
    faces = Faces(plan)
    if options.quick:
        with tempfile.TemporaryDirectory() as folder:
            results = run(faces, plan, File(folder))
        print(json.dumps(results, indent=2), faces_section(results), sep="\n")
        return
    results = run(faces, plan, options.cache)
    record("blind_twins", results, seed=SEED)
    write_section("blind.md", "blind_twins", faces_section(results))
    draw(results, faces, plan, options.cache)


if __name__ == "__main__":
    main()
