"""What every kind of file of vectors gives: its shape, and its rows a block at a time."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from latentdb.arrays import IdArray, RealArray
from latentdb.errors import SourceError
from latentdb.space import VectorDType

# Of one block: enough that a commit costs little beside it, and a few of them fit any machine.
BLOCK_BYTES = 16 << 20


@final
@dataclass(frozen=True, eq=False)
class Block:
    """Consecutive rows of a file.

    Parameters
    ----------
    start : int
        Number of the first row, from 0.
    vectors : (n, dim) float16 or float32
        In the file's stored dtype; may look into the file, not to be modified.
    quality : mapping of str to (n,) float32
        Values of the quality columns that the file has.
    refused : mapping of int to str
        Rows of this block that hold no vector of the file's length, with what they hold; theirs
        is NaN in `vectors`.
    """

    start: int
    vectors: RealArray
    quality: Mapping[str, NDArray[np.float32]] = field(default_factory=dict)
    refused: Mapping[int, str] = field(default_factory=dict)


class AbstractVectorFile(ABC):
    """One file with one vector per row, opened and not yet read.

    Attributes
    ----------
    path : Path
    n, dim : int
        Rows, and the length of each.
    dtype : "float16" or "float32"
        What rows are stored as: half precision stays half, double becomes single.
    ids : (n,) int64, or None
        Ids of the items, where the file names them; else rows go by their number.
    record : mapping, or None
        `Space.to_json` of the space that the vectors are of, where the file says it.
    quality : sequence of str
        Quality columns that come with the rows.
    """

    path: Path
    n: int
    dim: int
    dtype: VectorDType
    ids: IdArray | None = None
    record: Mapping[str, Any] | None = None
    quality: Sequence[str] = ()

    @abstractmethod
    def blocks(self) -> Iterator[Block]:
        """All rows in their order, about `BLOCK_BYTES` at a time."""

    def labels(self) -> pa.Table | None:
        """Other columns of the file, a row for a row, as they stand in it; None of none."""
        return None

    @property
    def rows_per_block(self) -> int:
        """Rows in a block."""
        return rows_per_block(self.dim, self.dtype)


def rows_per_block(dim: int, dtype: VectorDType) -> int:
    """Rows of about `BLOCK_BYTES` together, at least one and at most 8192."""
    return max(1, min(8192, BLOCK_BYTES // (dim * np.dtype(dtype).itemsize)))


def stored_dtype(dtype: np.dtype[Any], path: Path) -> VectorDType:
    """What vectors of a dtype are stored as; SourceError of one that holds no real numbers."""
    if dtype == np.float16:
        return "float16"
    if dtype in (np.dtype(np.float32), np.dtype(np.float64)):
        return "float32"
    raise SourceError(
        f"{path} holds {dtype}; vectors are float16, float32 or float64: convert it with astype"
    )


def as_stored(vectors: NDArray[Any], dtype: VectorDType) -> RealArray:
    """Vectors in the dtype they are stored as; too large a number becomes infinite."""
    with np.errstate(over="ignore"):
        stored: RealArray = np.asarray(vectors, dtype=dtype)
    return stored
