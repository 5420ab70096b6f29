"""Vectors as `.npy`: a matrix (n, dim), mapped into memory, never unpickled."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any, final

import numpy as np
from numpy.typing import NDArray

from latentdb.errors import SourceError
from latentdb.interchange.vector_file import AbstractVectorFile, Block, as_stored, stored_dtype
from latentdb.space import Space
from latentdb.types import SpaceRows


@final
class NpyVectors(AbstractVectorFile):
    """A matrix (n, dim) of vectors, row by row.

    Parameters
    ----------
    path : Path
    record : mapping, optional
        What a card says of the space.
    quality : Path, optional
        A matrix (n, len(names)) float32 of the quality columns `quality_names`.
    quality_names : sequence of str

    Raises
    ------
    SourceError
        A file cannot be read, holds no such matrix, or holds pickled objects.
    """

    def __init__(
        self,
        path: Path,
        *,
        record: Mapping[str, Any] | None = None,
        quality: Path | None = None,
        quality_names: Sequence[str] = (),
    ) -> None:
        self.path, self.record = path, record
        self._array = read_npy(path, ndim=2)
        self.n, self.dim = self._array.shape
        self.dtype = stored_dtype(self._array.dtype, path)
        self._quality: NDArray[Any] | None = None
        if quality is not None:
            self.quality = quality_names
            self._quality = read_npy(quality, ndim=2)
            if self._quality.shape != (self.n, len(quality_names)):
                raise SourceError(
                    f"{quality} has shape {self._quality.shape}, expected "
                    f"{(self.n, len(quality_names))} for {', '.join(quality_names)}"
                )

    def blocks(self) -> Iterator[Block]:
        """All rows in their order."""
        for start in range(0, self.n, self.rows_per_block):
            rows = slice(start, start + self.rows_per_block)
            quality: dict[str, NDArray[np.float32]] = {}
            if self._quality is not None:
                block = self._quality[rows].astype(np.float32)
                quality = {name: block[:, i] for i, name in enumerate(self.quality)}
            yield Block(start, as_stored(self._array[rows], self.dtype), quality)


def read_npy(path: Path, *, ndim: int) -> NDArray[Any]:
    """An array of `ndim` dimensions, mapped into memory and read-only.

    Raises
    ------
    SourceError
        The file is torn, is of another shape or has no rows, or needs pickle.
    """
    try:
        array: NDArray[Any] = np.lib.format.open_memmap(path, mode="r")
    except (OSError, ValueError, EOFError) as error:
        raise SourceError(
            f"{path} cannot be read as an .npy array: {error}; write it with "
            "numpy.save(..., allow_pickle=False)"
        ) from error
    if array.ndim != ndim or 0 in array.shape:
        flat = " (flatten each row: array.reshape(len(array), -1))" if array.ndim > ndim else ""
        raise SourceError(
            f"{path} has shape {array.shape}; expected {ndim} dimensions, (rows, length), and at "
            f"least one row{flat}"
        )
    return array


def write_npy(path: Path, space: Space, n: int, blocks: Iterator[SpaceRows]) -> None:
    """Write the vectors of `blocks`, `n` rows in all, and beside them nothing."""
    with path.open("wb") as file:
        _write_header(file, np.dtype(space.dtype), (n, space.dim))
        for rows in blocks:
            np.ascontiguousarray(rows.vectors, dtype=space.dtype).tofile(file)


def write_quality_npy(path: Path, space: Space, columns: Mapping[str, Any]) -> None:
    """Write quality columns, each (n,), as a matrix (n, q) float32 in the order of the space's."""
    matrix = np.stack([columns[name] for name in space.quality], axis=1).astype(np.float32)
    np.save(path, matrix, allow_pickle=False)


def _write_header(file: IO[bytes], dtype: np.dtype[Any], shape: tuple[int, int]) -> None:
    header = {
        "descr": np.lib.format.dtype_to_descr(dtype),
        "fortran_order": False,
        "shape": shape,
    }
    np.lib.format.write_array_header_1_0(file, header)
