"""The whole pipeline against its models alone: images/s of both, and their ratio, in one run.

    python -m benchmarks.ingest --n 600 --space faces-clip --space faces-ssl --space faces-noise
    python -m benchmarks.ingest --parquet train.parquet --n 2000 --space faces-clip

The models alone get ready pixels in memory, in batches of the same size. The pipeline reads files,
decodes, hashes, makes thumbnails, runs the same models and commits to a store, its start and its
end included. Both run in turns, so that what else the machine does falls on both.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from benchmarks._arguments import make_parser
from benchmarks._record import record
from latentdb.ingest import IngestOptions, RichProgress, ingest
from latentdb.ingest.decode import DEFAULT_MAX_MEGAPIXELS, decode_picture, max_bytes_of
from latentdb.ingest.sources import open_source
from latentdb.model import AbstractSpaceModel, Pixels
from latentdb.spaces import load_model
from latentdb.store import Store
from latentdb.zoo.faces import write_folder

TARGET = 0.85


@dataclass(frozen=True)
class Setting:
    """What is the same in every round."""

    source: Path
    n: int
    batch_size: int
    workers: int | None


def main() -> None:
    """Time both sides in turns, print and keep the ratios."""
    arguments = make_parser(__doc__)
    arguments.add_argument("--n", type=int, default=600)
    arguments.add_argument("--batch-size", type=int, default=32)
    arguments.add_argument("--workers", type=int)
    arguments.add_argument("--rounds", type=int, default=3)
    arguments.add_argument("--space", action="append", help="a space spec; may be repeated")
    arguments.add_argument("--parquet", type=Path, help="pictures, instead of generated faces")
    arguments.add_argument("--name", default="ingest", help="of the file with the results")
    arguments.add_argument("--seed", type=int, default=0)
    asked = arguments.parse_args()
    specs = asked.space or ["faces-clip", "faces-ssl", "faces-noise"]
    models = {model.space.name: model for model in map(load_model, specs)}
    with tempfile.TemporaryDirectory() as folder:
        source = asked.parquet or Path(folder) / "faces"
        if asked.parquet is None:
            write_folder(source, asked.n, seed=asked.seed)
        setting = Setting(source, asked.n, asked.batch_size, asked.workers)
        results = _compare(models, setting, rounds=asked.rounds, folder=Path(folder))
    results["source"] = "parquet" if asked.parquet else "generated faces, PNG"
    record(asked.name, results, seed=asked.seed)


def _compare(
    models: dict[str, AbstractSpaceModel], setting: Setting, *, rounds: int, folder: Path
) -> dict[str, object]:
    ready = _ready_pixels(list(models.values()), setting)
    for model, pixels in zip(models.values(), ready, strict=True):
        model.embed(pixels[: setting.batch_size])
    alone: list[float] = []
    whole: list[float] = []
    for at in range(rounds):
        alone.append(_models_alone(list(models.values()), ready, setting.batch_size))
        whole.append(_pipeline(models, setting, folder / f"{at}.ldb"))
    ratios = [models_s / pipeline_s for models_s, pipeline_s in zip(alone, whole, strict=True)]
    fraction = statistics.median(ratios)
    return {
        "spaces": list(models),
        "n": setting.n,
        "batch_size": setting.batch_size,
        "workers": IngestOptions(workers=setting.workers).worker_count,
        "models_alone_images_per_s": [setting.n / seconds for seconds in alone],
        "pipeline_images_per_s": [setting.n / seconds for seconds in whole],
        "fraction_of_models_alone": ratios,
        "median_fraction": fraction,
        "target": TARGET,
        "reached": fraction >= TARGET,
    }


def _ready_pixels(models: Sequence[AbstractSpaceModel], setting: Setting) -> list[Pixels]:
    """Pixels (n, size, size, 3) per model, in memory."""
    limit = max_bytes_of(DEFAULT_MAX_MEGAPIXELS)
    pictures = [
        decode_picture(candidate.recipe.read(limit))
        for candidate in islice(open_source(setting.source), setting.n)
    ]
    return [np.stack([model.transform.apply(image) for image in pictures]) for model in models]


def _models_alone(
    models: Sequence[AbstractSpaceModel], ready: Sequence[Pixels], batch_size: int
) -> float:
    started = time.perf_counter()
    for start in range(0, len(ready[0]), batch_size):
        for model, pixels in zip(models, ready, strict=True):
            model.embed(pixels[start : start + batch_size])
    return time.perf_counter() - started


def _pipeline(models: dict[str, AbstractSpaceModel], setting: Setting, path: Path) -> float:
    store = Store.create(str(path))
    options = IngestOptions(batch_size=setting.batch_size, workers=setting.workers, limit=setting.n)
    started = time.perf_counter()
    with RichProgress() as progress:
        summary = ingest(store, models, setting.source, options=options, progress=progress)
    seconds = time.perf_counter() - started
    if summary.added + summary.duplicates != setting.n:
        raise SystemExit(f"expected {setting.n} pictures to go in, got {summary}")
    return seconds


if __name__ == "__main__":
    main()
