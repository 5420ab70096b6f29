"""Models over batches, with less at a time when memory runs out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from latentdb.device import is_out_of_memory
from latentdb.errors import ModelError
from latentdb.ingest.batch_size import FIRST_BATCH, fitting_batch
from latentdb.memory import watched
from latentdb.model import AbstractSpaceModel, Embedded, Pixels

# ModelError is a RuntimeError, and so are torch's own.
_MODEL_ERRORS = (RuntimeError, ValueError, ArithmeticError, MemoryError)


@final
@dataclass(frozen=True)
class EmbeddedBatch:
    """Vectors of the pictures that have one.

    Parameters
    ----------
    rows : (n_good,) int64
        Places in the batch of the pictures that have a vector.
    embedded : Embedded
        Their vectors and quality, in that order.
    failures : mapping of int to str
        Place in the batch to why there is no vector.
    """

    rows: NDArray[np.int64]
    embedded: Embedded
    failures: Mapping[int, str]


@final
@dataclass(frozen=True)
class _Trouble:
    """What a model said instead of vectors."""

    message: str
    is_memory: bool


@final
class Embedder:
    """Runs one model over batches; the batch size that memory allows is kept for the run.

    Parameters
    ----------
    model : AbstractSpaceModel
        The model.
    batch_size : int or None
        Pictures at once, to begin with; None to find out what memory holds.
    tell : callable of str
        Told when the batch is halved.
    """

    def __init__(
        self, model: AbstractSpaceModel, *, batch_size: int | None, tell: Callable[[str], None]
    ) -> None:
        self.batch_size = FIRST_BATCH if batch_size is None else batch_size
        self._is_settled = batch_size is not None
        self._model = model
        self._tell = tell

    def embed(self, pictures: Sequence[Pixels]) -> EmbeddedBatch:
        """Vectors of at least one picture, each (size, size, 3).

        Raises
        ------
        ModelError
            Every one of several pictures fails, or the model breaks its contract.
        """
        parts: list[Embedded] = []
        rows: list[int] = []
        failures: dict[int, str] = {}
        start = 0
        while start < len(pictures):
            batch = np.stack(pictures[start : start + self.batch_size])
            trouble = self._try(batch, parts)
            if trouble is None:
                rows.extend(range(start, start + len(batch)))
            elif len(batch) > 1 and trouble.is_memory:
                self._halve(len(batch))
                continue
            else:
                failures.update(self._singly(batch, start, parts, rows))
            start += len(batch)
        done = self._without_broken(parts, np.array(rows, dtype=np.int64), failures)
        self._require_some(len(pictures), done.failures)
        return done

    def _try(self, batch: Pixels, parts: list[Embedded]) -> _Trouble | None:
        """Append the vectors of a batch to `parts`, or say what the model raised.

        The error itself is not kept: its traceback would hold on to the very tensors that did not
        fit while a smaller batch is tried.
        """
        try:
            embedded = self._run(batch)
        except _MODEL_ERRORS as error:
            return _Trouble(str(error) or type(error).__name__, is_out_of_memory(error))
        self._require_contract(embedded, len(batch))
        parts.append(embedded)
        return None

    def _run(self, batch: Pixels) -> Embedded:
        """What the model says; of the first full batch, also how much memory it took."""
        if self._is_settled or len(batch) < self.batch_size:
            return self._model.embed(batch)
        with watched() as taken:
            embedded = self._model.embed(batch)
        self.batch_size = fitting_batch(taken, n=len(batch), picture_bytes=batch[0].nbytes)
        self._is_settled = True
        return embedded

    def _singly(
        self, batch: Pixels, start: int, parts: list[Embedded], rows: list[int]
    ) -> dict[int, str]:
        """Each picture of a batch that failed on its own; failures by place."""
        failures: dict[int, str] = {}
        for at in range(len(batch)):
            trouble = self._try(batch[at : at + 1], parts)
            if trouble is None:
                rows.append(start + at)
            else:
                failures[start + at] = trouble.message
        return failures

    def _halve(self, failed: int) -> None:
        self.batch_size = failed // 2
        self._is_settled = True
        name = self._model.space.name
        self._tell(
            f"space {name!r}: memory ran out with {failed} pictures at once, going on with "
            f"{self.batch_size}"
        )

    def _require_some(self, n: int, failures: Mapping[int, str]) -> None:
        if n > 1 and len(failures) == n:
            raise ModelError(
                f"the model of space {self._model.space.name!r} fails on every picture of a batch "
                f"of {n}, so the fault is not with the pictures: {failures[0]}"
            )

    def _require_contract(self, embedded: Embedded, n: int) -> None:
        space = self._model.space
        vectors = embedded.vectors
        if vectors.shape != (n, space.dim) or vectors.dtype != np.float32:
            raise ModelError(
                f"the model of space {space.name!r} gave vectors of shape {vectors.shape} and "
                f"dtype {vectors.dtype} for {n} pictures; its space says ({n}, {space.dim}) float32"
            )
        if set(embedded.quality) != set(space.quality):
            raise ModelError(
                f"the model of space {space.name!r} gave quality columns "
                f"{sorted(embedded.quality)}; its space names {sorted(space.quality)}"
            )

    def _without_broken(
        self, parts: Sequence[Embedded], rows: NDArray[np.int64], failures: dict[int, str]
    ) -> EmbeddedBatch:
        """All parts as one, without vectors that hold NaN or infinity."""
        space = self._model.space
        vectors = np.concatenate([part.vectors for part in parts] or [_no_rows(space.dim)])
        quality = {
            name: np.concatenate([part.quality[name] for part in parts])
            for name in space.quality
            if parts
        }
        good = np.isfinite(vectors).all(axis=1)
        broken = {int(at): "the vector has values that are not numbers" for at in rows[~good]}
        kept = {name: values[good] for name, values in quality.items()}
        return EmbeddedBatch(rows[good], Embedded(vectors[good], kept), {**failures, **broken})


def _no_rows(dim: int) -> NDArray[np.float32]:
    return np.empty((0, dim), dtype=np.float32)
