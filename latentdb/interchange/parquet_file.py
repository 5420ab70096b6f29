"""Vectors as Parquet: `id`, `vector` (a list of fixed size), quality columns, labels.

Read by pandas, pyarrow, DuckDB and Hugging Face datasets as it is. A file of others needs a column
of lists of real numbers; rows whose list is missing or of another length are refused one by one.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from latentdb.arrays import IdArray
from latentdb.errors import SourceError
from latentdb.interchange.card import parse_json
from latentdb.interchange.vector_file import (
    AbstractVectorFile,
    Block,
    as_stored,
    rows_per_block,
    stored_dtype,
)
from latentdb.space import Space
from latentdb.types import SpaceRows

SPACE_KEY = b"latentdb_space"
ID, VECTOR = "id", "vector"


@final
class ParquetVectors(AbstractVectorFile):
    """Column `vector` of a file, or its only column of lists of real numbers.

    Parameters
    ----------
    path : Path

    Raises
    ------
    SourceError
        The file cannot be read, or does not say which of its columns holds the vectors.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = open_parquet(path)
        schema: pa.Schema = self._file.schema_arrow
        self.n = self._file.metadata.num_rows
        self._column = _vector_column(path, schema)
        kind = schema.field(self._column).type
        self.dtype = stored_dtype(np.dtype(kind.value_type.to_pandas_dtype()), path)
        self.dim = kind.list_size if pa.types.is_fixed_size_list(kind) else self._first_length()
        if not self.n or not self.dim:
            raise SourceError(f"{path}: column {self._column!r} holds no vector")
        written = (schema.metadata or {}).get(SPACE_KEY)
        if written is not None:
            self.record = parse_json(written.decode(), f"the metadata of {path}")
            there = self.record.get("quality", ())
            self.quality = [name for name in there if name in schema.names]
            self.ids = self._read_ids()

    def blocks(self) -> Iterator[Block]:
        """All rows in their order."""
        columns = [self._column, *self.quality]
        start = 0
        for batch in self._file.iter_batches(batch_size=self.rows_per_block, columns=columns):
            quality = {name: batch[name].to_numpy().astype(np.float32) for name in self.quality}
            yield self._block(start, batch[self._column], quality)
            start += len(batch)

    def labels(self) -> pa.Table | None:
        """The other columns of the file, the nested ones left out."""
        apart = {ID, self._column, *self.quality} if self.record else {self._column}
        names = [
            field.name
            for field in self._file.schema_arrow
            if field.name not in apart and not pa.types.is_nested(field.type)
        ]
        return self._file.read(columns=names) if names else None

    def _block(self, start: int, column: Any, quality: dict[str, Any]) -> Block:
        lengths = pc.list_value_length(column).to_numpy(zero_copy_only=False)
        is_good = lengths == self.dim
        good = column if is_good.all() else column.filter(pa.array(is_good))
        flat = good.flatten().to_numpy(zero_copy_only=False)
        vectors = as_stored(flat.reshape(-1, self.dim), self.dtype)
        if is_good.all():
            return Block(start, vectors, quality)
        whole = np.full((len(column), self.dim), np.nan, dtype=self.dtype)
        whole[is_good] = vectors
        refused = {
            int(row): "no vector"
            if np.isnan(lengths[row])
            else f"{int(lengths[row])} numbers, expected {self.dim}"
            for row in np.flatnonzero(~is_good)
        }
        return Block(start, whole, quality, refused)

    def _first_length(self) -> int:
        """Length of the first list that is not missing or empty."""
        for batch in self._file.iter_batches(batch_size=64, columns=[self._column]):
            lengths = pc.list_value_length(batch[self._column]).drop_null()
            for length in lengths.to_pylist():
                if length:
                    return int(length)
        return 0

    def _read_ids(self) -> IdArray:
        if ID not in self._file.schema_arrow.names:
            raise SourceError(f"{self.path} was exported with a column `id`, which it has no more")
        ids: IdArray = self._file.read(columns=[ID])[ID].to_numpy()
        return ids


def open_parquet(path: Path) -> pq.ParquetFile:
    """A Parquet file, nothing of it read but its footer.

    Raises
    ------
    SourceError
        It is torn, or is no Parquet.
    """
    try:
        return pq.ParquetFile(path, memory_map=True, pre_buffer=False)
    except (pa.ArrowException, OSError) as error:
        raise SourceError(f"{path} cannot be read as Parquet: {error}") from error


def has_vectors(path: Path) -> bool:
    """Whether a Parquet file has a column that could hold vectors."""
    return any(_is_vector(field.type) for field in open_parquet(path).schema_arrow)


def write_parquet(path: Path, space: Space, blocks: Iterator[SpaceRows], labels: pa.Table) -> None:
    """Write the rows of `blocks`, with the labels that the table `labels` has by column `id`."""
    width = pa.float16() if space.dtype == "float16" else pa.float32()
    fields = [pa.field(ID, pa.int64(), nullable=False)]
    fields += [pa.field(VECTOR, pa.list_(width, space.dim), nullable=False)]
    fields += [pa.field(name, pa.float32()) for name in space.quality]
    names = [name for name in labels.column_names if name != ID]
    fields += [labels.schema.field(name) for name in names]
    written = {SPACE_KEY: json.dumps(space.to_json(), sort_keys=True).encode()}
    schema = pa.schema(fields, metadata=written)
    ids = labels[ID].to_numpy()
    order = np.argsort(ids)
    # Vectors do not compress, a dictionary would hold each once, and their range says nothing.
    counted = [name for name in schema.names if name != VECTOR]
    with pq.ParquetWriter(
        path, schema, compression="none", use_dictionary=names, write_statistics=counted
    ) as writer:
        for rows in blocks:
            at = order[np.searchsorted(ids, rows.ids, sorter=order)]
            stored = np.ascontiguousarray(rows.vectors, dtype=space.dtype)
            vectors = pa.FixedSizeListArray.from_arrays(pa.array(stored.ravel()), space.dim)
            own = labels.take(pa.array(at)).combine_chunks()
            columns = [pa.array(rows.ids), vectors]
            columns += [pa.array(rows.quality[name], pa.float32()) for name in space.quality]
            columns += [own[name].combine_chunks() for name in names]
            table = pa.table(columns, schema=schema)
            writer.write_table(table, row_group_size=rows_per_block(space.dim, space.dtype))


def _vector_column(path: Path, schema: pa.Schema) -> str:
    lists = [field.name for field in schema if _is_vector(field.type)]
    if VECTOR in lists:
        return VECTOR
    if len(lists) == 1:
        return str(lists[0])
    there = ", ".join(f"{field.name} ({field.type})" for field in schema) or "none"
    raise SourceError(
        f"{path}: no column says that it holds the vectors; expected `vector`, or one column of "
        f"lists of real numbers alone. The columns are: {there}"
    )


def _is_vector(kind: pa.DataType) -> bool:
    is_list = (
        pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)
    )
    return bool(is_list and pa.types.is_floating(kind.value_type))
