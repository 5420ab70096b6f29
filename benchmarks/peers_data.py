"""The data that searches are compared on: vectors, questions, payload, and the true neighbours."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import final

import numpy as np

from benchmarks._synthetic import encoder_like, text_like, zoo_noise
from indexers.faiss_library import faiss
from indexers.types import BoolArray, Float32Array, IdArray

K = 10
BLOCK_ROWS = 4096
Make = Callable[[int, int, int], Float32Array]


@final
@dataclass(frozen=True)
class DataSet:
    """How many vectors of which width, and what is asked of them.

    Attributes
    ----------
    about : str
        For tables.
    rows, dim, questions : int
    kinds : dict of str to callable
        Kinds of questions, each made of (count, dim, number of the first row).
    """

    about: str
    rows: int
    dim: int
    questions: int
    make: Make
    kinds: dict[str, Make]

    def cut(self, divisor: int) -> DataSet:
        """The same, that many times smaller."""
        return DataSet(
            self.about, self.rows // divisor, self.dim, self.questions // 5, self.make, self.kinds
        )


def _encoder(n: int, dim: int, start: int) -> Float32Array:
    return encoder_like(n, dim, start=start)


def _text(n: int, dim: int, start: int) -> Float32Array:
    return text_like(n, dim, start=start)


def _noise(n: int, dim: int, start: int) -> Float32Array:
    return np.concatenate(list(zoo_noise(n, dim, start=start)))


DATASETS = {
    "encoder": DataSet(
        "embeddings of an encoder", 100_000, 512, 1000, _encoder, {"image": _encoder, "text": _text}
    ),
    "noise": DataSet("inverted noise", 100_000, 1024, 500, _noise, {"image": _noise}),
    "large": DataSet("inverted noise", 20_000, 16_384, 100, _noise, {"image": _noise}),
}


@final
@dataclass(frozen=True)
class Folder:
    """The files of a data set.

    Parameters
    ----------
    path : Path
    """

    path: Path

    def vectors(self) -> Float32Array:
        """Vectors (n, dim), mapped; row i is of id i."""
        mapped: Float32Array = np.load(self.path / "vectors.npy", mmap_mode="r")
        return mapped

    def blocks(self) -> Iterator[tuple[IdArray, Float32Array]]:
        """Ids and vectors, some thousand at a time, in memory of their own."""
        mapped = self.vectors()
        for start in range(0, len(mapped), BLOCK_ROWS):
            block = np.array(mapped[start : start + BLOCK_ROWS])
            yield np.arange(start, start + len(block)), block

    def questions(self, kind: str) -> Float32Array:
        """Questions (m, dim)."""
        found: Float32Array = np.load(self.path / f"{kind}.npy")
        return found

    def truth(self, kind: str, *, filtered: bool = False) -> IdArray:
        """Ids (m, K) of the true nearest rows, or of those among the rows that a filter passes."""
        found: IdArray = np.load(self.path / f"{kind}{'_half' if filtered else ''}_truth.npy")
        return found


def source_of(item_id: int) -> str:
    """Name of an item, which every database keeps beside its vector."""
    return f"pictures/{item_id:06d}.png"


def halves(n: int) -> BoolArray:
    """The label that is filtered by: about half of the rows, in no order."""
    drawn: BoolArray = np.random.default_rng(7).random(n) < 0.5
    return drawn


def group_of(item_id: int) -> int:
    """The other label."""
    return item_id % 10


def make_data(data: DataSet, path: Path) -> Folder:
    """Draw a data set into a folder, with its true neighbours by cosine."""
    path.mkdir(parents=True, exist_ok=True)
    vectors = data.make(data.rows, data.dim, 0)
    np.save(path / "vectors.npy", vectors)
    faiss.normalize_L2(vectors)
    is_half = halves(data.rows)
    for kind, make in data.kinds.items():
        questions = make(data.questions, data.dim, data.rows)
        np.save(path / f"{kind}.npy", questions)
        faiss.normalize_L2(questions)
        np.save(path / f"{kind}_truth.npy", _nearest(questions, vectors))
        chosen = np.flatnonzero(is_half)
        np.save(path / f"{kind}_half_truth.npy", chosen[_nearest(questions, vectors[is_half])])
    return Folder(path)


def _nearest(questions: Float32Array, vectors: Float32Array) -> IdArray:
    _, ids = faiss.knn(questions, vectors, K, metric=faiss.METRIC_INNER_PRODUCT)
    found: IdArray = ids
    return found
