"""Parquet with a column of pictures, as Hugging Face datasets write it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any, final

import pyarrow as pa
import pyarrow.parquet as pq

from latentdb.errors import SourceError
from latentdb.ingest.recipes import AbstractRecipe, FileBytes, InlineBytes, Unreadable
from latentdb.ingest.sources.base import AbstractSource, Candidate
from latentdb.types import LabelValue

_ROWS_AT_A_TIME = 64
_USUAL_NAMES = ("image", "img", "picture", "photo", "jpg", "png", "bytes")


@final
class ParquetSource(AbstractSource):
    """Rows of one Parquet file; other columns of plain values become labels.

    The picture column is a struct with `bytes` (and `path`), or plain binary. Where several
    would do, one with a usual name such as `image` is taken, else the first.

    Parameters
    ----------
    path : Path
        The Parquet file.
    prefix : str, optional
        Stands in stored names where `path!` would.

    Raises
    ------
    SourceError
        It is no Parquet file, or has no picture column; the text names its columns.
    """

    def __init__(self, path: Path, *, prefix: str | None = None) -> None:
        self._path = path
        self._prefix = f"{path.as_posix()}!" if prefix is None else f"{prefix}/"
        try:
            with pq.ParquetFile(path) as file:
                self._schema = file.schema_arrow
                self._total = int(file.metadata.num_rows)
        except (OSError, pa.ArrowException) as error:
            raise SourceError(f"{path} cannot be read as Parquet: {error}") from error
        self._column = self._picture_column()

    def __iter__(self) -> Iterator[Candidate]:
        columns = [self._column, *self._label_columns]
        row = 0
        try:
            with pq.ParquetFile(self._path) as file:
                for batch in file.iter_batches(_ROWS_AT_A_TIME, columns=columns):
                    for values in batch.to_pylist():
                        yield self._candidate(row, values)
                        row += 1
        except (OSError, pa.ArrowException) as error:
            rest = f"rows from {row} on cannot be read: {error}"
            yield Candidate(f"{self._prefix}{row}", str(row), Unreadable(rest))

    @property
    def total(self) -> int:
        """Number of candidates."""
        return self._total

    @cached_property
    def _label_columns(self) -> list[str]:
        fields = (self._schema.field(name) for name in self._schema.names)
        return [field.name for field in fields if field.name != self._column and _is_label(field)]

    def _candidate(self, row: int, values: dict[str, Any]) -> Candidate:
        picture = values[self._column]
        data, path = (picture, None) if isinstance(picture, bytes) else _struct_parts(picture)
        key = path or str(row)
        labels: dict[str, LabelValue] = {name: values[name] for name in self._label_columns}
        # Paths may repeat, or be absent: the row number makes the stored name unique.
        name = f"{self._prefix}{row}:{path}" if path else f"{self._prefix}{row}"
        return Candidate(name, key, self._recipe(data, path), labels)

    def _recipe(self, data: bytes | None, path: str | None) -> AbstractRecipe:
        if data is not None:
            return InlineBytes(data)
        # Hugging Face leaves the bytes out when they lie in a file beside the table.
        if path is not None:
            return FileBytes(str(self._path.parent / path))
        return Unreadable("the row holds no picture")

    def _picture_column(self) -> str:
        """Name of the column that holds pictures."""
        structs = [f.name for f in self._schema if pa.types.is_struct(f.type) and _has_bytes(f)]
        found = structs or [f.name for f in self._schema if _is_binary(f.type)]
        if not found:
            columns = ", ".join(f"{f.name} ({f.type})" for f in self._schema)
            raise SourceError(
                f"{self._path} has no column of pictures, which would be binary or a struct with "
                f"bytes and path; its columns are: {columns}"
            )
        return next((name for name in _USUAL_NAMES if name in found), found[0])


def _struct_parts(picture: dict[str, Any] | None) -> tuple[bytes | None, str | None]:
    return (None, None) if picture is None else (picture["bytes"], picture.get("path"))


def _is_binary(kind: pa.DataType) -> bool:
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind))


def _has_bytes(field: pa.Field) -> bool:
    at = field.type.get_field_index("bytes")
    return at >= 0 and _is_binary(field.type.field(at).type)


def _is_label(field: pa.Field) -> bool:
    kind = field.type.value_type if pa.types.is_dictionary(field.type) else field.type
    plain = (
        pa.types.is_boolean,
        pa.types.is_integer,
        pa.types.is_floating,
        pa.types.is_string,
        pa.types.is_large_string,
    )
    return any(is_kind(kind) for is_kind in plain)
