"""Vectors as safetensors: tensors `ids` and `vectors`, quality columns, the space as metadata.

The format (8 bytes of length, a JSON header, then the tensors) is written by hand, since the
library's writer wants every tensor in memory; it is read by the library.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any, final

import numpy as np
from safetensors import SafetensorError, safe_open

from latentdb.arrays import IdArray
from latentdb.errors import SourceError
from latentdb.interchange.card import parse_json
from latentdb.interchange.vector_file import AbstractVectorFile, Block, as_stored, stored_dtype
from latentdb.space import Space
from latentdb.types import SpaceRows

SPACE_KEY = "latentdb_space"
_QUALITY = "quality."
_DTYPES: dict[str, np.dtype[Any]] = {
    "F16": np.dtype(np.float16),
    "F32": np.dtype(np.float32),
    "F64": np.dtype(np.float64),
}
_NAMES = {"float16": "F16", "float32": "F32", "int64": "I64"}
# Headers end on a multiple of it, so that the tensors lie aligned.
_ALIGN = 8


@final
class SafetensorsVectors(AbstractVectorFile):
    """Tensor `vectors` of a file, or its only matrix of real numbers.

    Parameters
    ----------
    path : Path

    Raises
    ------
    SourceError
        The file cannot be read, or does not say which of its tensors are the vectors.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            file: Any = safe_open(path, framework="numpy")
            self._file = file
            self._keys: list[str] = list(file.keys())
            metadata: Mapping[str, str] = file.metadata() or {}
            slices = {key: file.get_slice(key) for key in self._keys}
            self._shapes = {key: tuple(one.get_shape()) for key, one in slices.items()}
            dtypes = {key: str(one.get_dtype()) for key, one in slices.items()}
        except (SafetensorError, OSError) as error:
            raise SourceError(f"{path} cannot be read as safetensors: {error}") from error
        self._name = self._vectors_name(dtypes)
        self.n, self.dim = self._shapes[self._name]
        self.dtype = stored_dtype(_DTYPES[dtypes[self._name]], path)
        self.ids = self._read_ids(dtypes)
        self.quality = [
            key.removeprefix(_QUALITY)
            for key, shape in self._shapes.items()
            if key.startswith(_QUALITY) and shape == (self.n,)
        ]
        if SPACE_KEY in metadata:
            self.record = parse_json(metadata[SPACE_KEY], f"the header of {path}")

    def blocks(self) -> Iterator[Block]:
        """All rows in their order."""
        tensor = self._file.get_slice(self._name)
        columns = {name: self._file.get_tensor(_QUALITY + name) for name in self.quality}
        for start in range(0, self.n, self.rows_per_block):
            end = min(start + self.rows_per_block, self.n)
            quality = {name: column[start:end] for name, column in columns.items()}
            yield Block(start, as_stored(tensor[start:end], self.dtype), quality)

    def _vectors_name(self, dtypes: Mapping[str, str]) -> str:
        matrices = [
            key
            for key, shape in self._shapes.items()
            if len(shape) == 2 and 0 not in shape and dtypes[key] in _DTYPES
        ]
        if "vectors" in matrices:
            return "vectors"
        if len(matrices) == 1:
            return matrices[0]
        there = ", ".join(f"{key} {dtypes[key]} {shape}" for key, shape in self._shapes.items())
        raise SourceError(
            f"{self.path} holds {there or 'nothing'}; expected a tensor `vectors` (rows, length) "
            "of F16, F32 or F64, or one such matrix alone: write each space to a file of its own"
        )

    def _read_ids(self, dtypes: Mapping[str, str]) -> IdArray | None:
        if "ids" not in self._keys:
            return None
        if dtypes["ids"] != "I64" or self._shapes["ids"] != (self.n,):
            raise SourceError(
                f"{self.path}: tensor `ids` is {dtypes['ids']} {self._shapes['ids']}, expected I64 "
                f"({self.n},): an id for each row of `{self._name}`"
            )
        ids: IdArray = self._file.get_tensor("ids")
        return ids


def write_safetensors(path: Path, space: Space, ids: IdArray, blocks: Iterator[SpaceRows]) -> None:
    """Write ids, quality columns and vectors of `blocks`, whose rows are those of `ids`."""
    n = len(ids)
    sizes: dict[str, tuple[str, tuple[int, ...]]] = {"ids": ("int64", (n,))}
    sizes["vectors"] = (space.dtype, (n, space.dim))
    sizes |= {f"{_QUALITY}{name}": ("float32", (n,)) for name in space.quality}
    columns = {name: np.empty(n, np.float32) for name in space.quality}
    with path.open("wb") as file:
        _write_header(file, sizes, {SPACE_KEY: json.dumps(space.to_json(), sort_keys=True)})
        ids.astype("<i8").tofile(file)
        done = 0
        for rows in blocks:
            np.ascontiguousarray(rows.vectors, dtype=_little(space.dtype)).tofile(file)
            for name, column in columns.items():
                column[done : done + len(rows.ids)] = rows.quality[name]
            done += len(rows.ids)
        for name in space.quality:
            columns[name].astype("<f4").tofile(file)


def _write_header(
    file: IO[bytes],
    sizes: Mapping[str, tuple[str, tuple[int, ...]]],
    metadata: Mapping[str, str],
) -> None:
    header: dict[str, Any] = {"__metadata__": dict(metadata)}
    at = 0
    for key, (dtype, shape) in sizes.items():
        end = at + int(np.prod(shape)) * np.dtype(dtype).itemsize
        header[key] = {"dtype": _NAMES[dtype], "shape": shape, "data_offsets": [at, end]}
        at = end
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % _ALIGN)
    file.write(struct.pack("<Q", len(text)) + text)


def _little(dtype: str) -> np.dtype[Any]:
    return np.dtype(dtype).newbyteorder("<")
