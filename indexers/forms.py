"""How each metric lays vectors out as FAISS rows and turns scores back into distances."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import ClassVar, NamedTuple, final

import numpy as np

from indexers.checks import row_blocks
from indexers.errors import ZeroVectorError
from indexers.ids import Selection
from indexers.metric.angles import zero_vector_text
from indexers.stage import AbstractStage, RowLayout
from indexers.types import Float32Array, FloatArray, IdArray


@final
class Hits(NamedTuple):
    """Positions (n_queries, k) with distances, ascending; −1 and `inf` where there are fewer."""

    positions: IdArray
    distances: FloatArray
    exact: bool
    angular: FloatArray | None = None
    radial: FloatArray | None = None


@final
class Request(NamedTuple):
    """A search over positions, checked: `1 <= k <= selection.count`, at least one query.

    Hits farther than `limit` are not wanted; they may be among the hits all the same.
    """

    queries: Float32Array
    k: int
    selection: Selection
    limit: float


class AbstractForm(ABC):
    """The rows, queries and distances of one metric over a stage.

    Attributes
    ----------
    keeps_norms : bool
        Rows are stored at another length than the vectors', whose norms are kept beside them.
    """

    keeps_norms: ClassVar[bool]

    @abstractmethod
    def layout(self, dim: int) -> RowLayout:
        """How rows for vectors of `dim` values look."""

    @abstractmethod
    def rows(self, vectors: Float32Array) -> tuple[Float32Array, FloatArray | None]:
        """FAISS rows of `vectors`, and their norms where those are kept."""

    @abstractmethod
    def vectors(self, rows: Float32Array, norms: FloatArray | None) -> Float32Array:
        """The vectors back from their rows: what was added, to one rounding in float32."""

    @abstractmethod
    def search(self, stage: AbstractStage, norms: FloatArray, request: Request) -> Hits:
        """The k nearest selected rows of each query."""


@final
class EuclideanForm(AbstractForm):
    """Rows are the vectors; what FAISS finds is measured again."""

    keeps_norms: ClassVar[bool] = False

    def layout(self, dim: int) -> RowLayout:
        """Plain rows under squared Euclidean distance."""
        return RowLayout(dim, inner_product=False)

    def rows(self, vectors: Float32Array) -> tuple[Float32Array, FloatArray | None]:
        """The vectors themselves."""
        return vectors, None

    def vectors(self, rows: Float32Array, norms: FloatArray | None) -> Float32Array:  # noqa: ARG002
        """The rows themselves."""
        return rows

    def search(self, stage: AbstractStage, norms: FloatArray, request: Request) -> Hits:  # noqa: ARG002
        """Search, and compute the distances of what was found again.

        FAISS has many of them from ‖x‖² + ‖y‖² − 2⟨x, y⟩, which cancels between near neighbours;
        from how many queries on depends on its version.
        """
        found = stage.top(request.queries, request.k, request.selection)
        if found.is_measured:
            return Hits(found.positions, np.sqrt(found.scores, dtype=np.float64), found.complete)
        distances = np.empty(found.positions.shape)
        for row, query in enumerate(request.queries):
            near = stage.gather(found.positions[row]).astype(np.float64)
            distances[row] = np.linalg.norm(near - query.astype(np.float64), axis=1)
        order = np.argsort(distances, axis=1, kind="stable")
        return Hits(
            np.take_along_axis(found.positions, order, axis=1),
            np.take_along_axis(distances, order, axis=1),
            found.complete,
        )


@final
class CosineForm(AbstractForm):
    """Rows are unit vectors under the inner product; distance = 1 − score, in float32."""

    keeps_norms: ClassVar[bool] = True

    def layout(self, dim: int) -> RowLayout:
        """Unit rows under the inner product."""
        return RowLayout(dim, inner_product=True)

    def rows(self, vectors: Float32Array) -> tuple[Float32Array, FloatArray | None]:
        """Unit rows and the norms they had."""
        return unit_float32(vectors, what="vectors", allow_zero=False)

    def vectors(self, rows: Float32Array, norms: FloatArray | None) -> Float32Array:
        """Rows at their own norms again."""
        assert norms is not None
        return (rows * norms[:, None]).astype(np.float32)

    def search(self, stage: AbstractStage, norms: FloatArray, request: Request) -> Hits:  # noqa: ARG002
        """Search unit queries; clip what rounding puts outside [0, 2]."""
        units, _ = unit_float32(request.queries, what="queries", allow_zero=False)
        found = stage.top(units, request.k, request.selection)
        distances = np.subtract(1.0, found.scores, dtype=np.float64)
        distances = np.minimum(np.maximum(distances, 0.0), 2.0)
        return Hits(found.positions, distances, found.complete)


def unit_float32(
    vectors: Float32Array, *, what: str, allow_zero: bool
) -> tuple[Float32Array, FloatArray]:
    """Unit rows in float32 and norms in float64, block by block through float64.

    In which squares of float32 neither overflow nor vanish, so that nothing need be scaled first.
    """
    if len(vectors) == 1:
        exact = vectors[0].astype(np.float64)
        # Not by BLAS: a wide product wakes its threads, and waits for them where cores are busy.
        length = math.sqrt(np.add.reduce(np.square(exact)))
        if length > 0.0:
            return (exact / length).astype(np.float32)[None], np.array([length])
    units = np.empty_like(vectors)
    norms = np.empty(len(vectors))
    for block in row_blocks(*vectors.shape):
        # Squares of float32 neither overflow nor underflow in float64.
        exact = vectors[block].astype(np.float64)
        lengths = np.sqrt(np.einsum("ij,ij->i", exact, exact))
        norms[block] = lengths
        if not lengths.all():
            if not allow_zero:
                row = block.start + int(np.flatnonzero(lengths == 0.0)[0])
                raise ZeroVectorError(zero_vector_text(row, what))
            lengths = np.where(lengths > 0.0, lengths, 1.0)
        np.divide(exact, lengths[:, None], out=units[block], casting="same_kind")
    return units, norms
