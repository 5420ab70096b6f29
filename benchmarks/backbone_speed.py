"""What the options of speed give on this machine: python -m benchmarks.backbone_speed.

The bundled diffusion model inverts the same faces plainly and with each option, in turns, in one
process. Times are of the processor, the least of several rounds; ratios are to the plain model.
The first batch of a compiled model compiles, which torch's cache shortens from the second run on.
"""

from __future__ import annotations

import argparse
import json
import time

import numpy as np

from latentdb.spaces import load_model
from latentdb.zoo.measures import held_out_faces

OPTIONS = ("", "compile=true", "channels_last=true", "slicing=true")


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--n", type=int, default=16, help="pictures in a batch")
    arguments.add_argument("--steps", type=int, default=10)
    arguments.add_argument("--rounds", type=int, default=5)
    asked = arguments.parse_args()
    pixels = held_out_faces(asked.n).pixels
    models, first, best, vectors = {}, {}, {}, {}
    for option in OPTIONS:
        started = time.process_time()
        spec = f"noise=bundled:faces-noise?inverter=ddim&steps={asked.steps}&{option}"
        models[option] = load_model(spec.rstrip("&"), device="cpu")
        vectors[option] = models[option].embed(pixels).vectors
        first[option] = time.process_time() - started
    for _ in range(asked.rounds):
        for option, model in models.items():
            started = time.process_time()
            model.embed(pixels)
            best[option] = min(best.get(option, np.inf), time.process_time() - started)
    scale = np.abs(vectors[""]).max()
    for option in OPTIONS:
        found = {
            "option": option or "none",
            "first_batch_s": round(first[option], 1),
            "times_as_fast": round(best[""] / best[option], 2),
            "largest_difference": float(np.abs(vectors[option] - vectors[""]).max() / scale),
        }
        print(json.dumps(found))


if __name__ == "__main__":
    main()
