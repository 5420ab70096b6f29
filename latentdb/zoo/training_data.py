"""Faces as arrays, drawn once in parallel processes and kept in a cache folder."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import final

import numpy as np
from numpy.typing import NDArray

from latentdb.zoo.faces import ATTRIBUTES, TRAINING_SEED, draw_face

_CHUNK = 250


@final
@dataclass(frozen=True, slots=True)
class FaceArrays:
    """Many faces side by side.

    Parameters
    ----------
    pixels : (n, 64, 64, 3) uint8
    attributes : (n, 12) bool
        Columns in the order of `latentdb.zoo.faces.ATTRIBUTES`.
    """

    pixels: NDArray[np.uint8]
    attributes: NDArray[np.bool_]


def _draw_chunk(start: int, *, seed: int, stop: int) -> FaceArrays:
    drawn = [draw_face(seed, index) for index in range(start, min(start + _CHUNK, stop))]
    return FaceArrays(
        np.stack([np.asarray(face.image) for face in drawn]),
        np.array([[face.attributes[name] for name in ATTRIBUTES] for face in drawn]),
    )


def face_arrays(
    n: int, *, seed: int = TRAINING_SEED, cache: Path | None = None, workers: int = 2
) -> FaceArrays:
    """Draw faces 0 to n − 1 of a seed.

    Parameters
    ----------
    n : int
        How many, at least 1.
    seed : int
        Of the generator.
    cache : Path, optional
        Folder in which the arrays are kept and looked for. It does not notice a changed generator:
        empty it then.
    workers : int
        Processes that draw; 1 draws in this one.

    Returns
    -------
    FaceArrays
    """
    file = None if cache is None else cache / f"faces_{seed}_{n}.npz"
    if file is not None and file.exists():
        with np.load(file) as stored:
            return FaceArrays(stored["pixels"], stored["attributes"])
    task = partial(_draw_chunk, seed=seed, stop=n)
    starts = range(0, n, _CHUNK)
    if workers == 1:
        chunks = [task(start) for start in starts]
    else:
        with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
            chunks = list(pool.map(task, starts))
    arrays = FaceArrays(
        np.concatenate([chunk.pixels for chunk in chunks]),
        np.concatenate([chunk.attributes for chunk in chunks]),
    )
    if file is not None:
        file.parent.mkdir(parents=True, exist_ok=True)
        np.savez(file, pixels=arrays.pixels, attributes=arrays.attributes)
    return arrays
