"""`python -m latentdb.zoo.train`: train the bundled models.

The defaults are what the bundled weights took on one thread each of two shared CPU cores: 96
minutes together, and 19 to 22 for each of the four twins, which are given steps so that they can be
compared. On a GPU give fewer minutes.
"""

from __future__ import annotations

import importlib
import math
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final

import typer

from latentdb.zoo.training import CACHE, WEIGHTS, Settings

_DEFAULT_MINUTES: Final = {
    "autoencoder": 9.0,
    "diffusion": 44.0,
    "clip": 31.0,
    "ssl": 12.0,
    "twins": math.inf,
}
_DEFAULT_STEPS: Final = {"twins": 5_500}


class Model(StrEnum):
    """What can be trained; `all` is every other one, in this order."""

    AUTOENCODER = "autoencoder"
    DIFFUSION = "diffusion"
    CLIP = "clip"
    SSL = "ssl"
    TWINS = "twins"
    ALL = "all"


def _main(
    model: Annotated[
        Model, typer.Argument(help="Which model; diffusion and twins need a trained autoencoder.")
    ],
    device: Annotated[str, typer.Option(help="As torch names it: cpu, cuda.")] = "cpu",
    minutes: Annotated[
        float | None, typer.Option(min=0.01, help="Of each model; default by model.")
    ] = None,
    steps: Annotated[int | None, typer.Option(min=1, help="Stop here, if it comes first.")] = None,
    out: Annotated[Path, typer.Option(help="Folder for the model folders.")] = WEIGHTS,
    cache: Annotated[Path, typer.Option(help="Folder for drawn faces and checkpoints.")] = CACHE,
    n_faces: Annotated[int, typer.Option(min=16, help="Faces to train on.")] = 32_000,
) -> None:
    """Train a bundled model, or all; run it again to resume."""
    names = list(_DEFAULT_MINUTES) if model is Model.ALL else [model.value]
    for name in names:
        settings = Settings(
            minutes=_DEFAULT_MINUTES[name] if minutes is None else minutes,
            steps=_DEFAULT_STEPS.get(name) if steps is None else steps,
            device=device,
            out=out,
            cache=cache,
            n_faces=n_faces,
        )
        module = importlib.import_module(f"latentdb.zoo.train_{name}")
        getattr(module, f"train_{name}")(settings)


if __name__ == "__main__":
    typer.run(_main)
