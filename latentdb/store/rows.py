"""Rows as the callers give them, checked and turned into Arrow tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from indexers.errors import DimensionError, DuplicateIdError, IdError, NonFiniteError
from latentdb.errors import SpaceMismatchError
from latentdb.space import Space
from latentdb.store import schema
from latentdb.types import ItemRow, QuarantineRow, SourceRow, SpaceRows


def id_array(ids: Sequence[int] | NDArray[np.int64]) -> NDArray[np.int64]:
    """Ids as (n,) int64, checked to be non-negative 63-bit integers."""
    try:
        array = np.asarray(ids, dtype=np.int64) if len(ids) else np.empty(0, np.int64)
    except (OverflowError, ValueError, TypeError) as error:
        raise IdError(f"ids are 63-bit integers: {error}") from error
    if array.ndim != 1:
        raise IdError(f"ids have shape (n,), got {array.shape}")
    if len(array) and int(array.min()) < 0:
        raise IdError(f"ids are not negative, got {int(array.min())}")
    return array


def _require_unique(ids: NDArray[np.int64], what: str) -> None:
    unique, counts = np.unique(ids, return_counts=True)
    doubled = unique[counts > 1]
    if len(doubled):
        raise DuplicateIdError(
            f"{what} hold {len(doubled)} ids twice, such as {int(doubled[0])}: the same picture "
            "is one row; drop the second"
        )


def item_table(rows: Sequence[ItemRow], labels: Mapping[str, pa.Array]) -> pa.Table:
    """Arrow table of new items, stamped with the time in UTC."""
    ids = id_array([row.id for row in rows])
    _require_unique(ids, "the items of one batch")
    now = datetime.now(UTC).replace(tzinfo=None)
    columns = [
        ids,
        [row.source for row in rows],
        [row.width for row in rows],
        [row.height for row in rows],
        [row.thumbnail for row in rows],
        [now] * len(rows),
    ]
    base = schema.ITEMS_SCHEMA
    table = pa.table(
        [pa.array(column, type=field.type) for column, field in zip(columns, base, strict=True)],
        schema=base,
    )
    for name, values in labels.items():
        table = table.append_column(pa.field(name, values.type), values)
    return table


def source_table(rows: Sequence[SourceRow]) -> pa.Table:
    """Arrow table of files seen; of two rows of one source the last counts."""
    last = {row.source: row for row in rows}
    id_array([row.id for row in rows])
    return _table_of(list(last.values()), schema.SOURCES_SCHEMA)


def quarantine_table(rows: Sequence[QuarantineRow]) -> pa.Table:
    """Arrow table of files refused; of two rows of one source the last counts."""
    return _table_of(list({row.source: row for row in rows}.values()), schema.QUARANTINE_SCHEMA)


def _table_of(rows: Sequence[SourceRow | QuarantineRow], columns: pa.Schema) -> pa.Table:
    return pa.table(
        [pa.array([getattr(row, field.name) for row in rows], field.type) for field in columns],
        schema=columns,
    )


def vector_table(rows: SpaceRows, space: Space) -> pa.Table:
    """Arrow table of a space's rows, with the norm of each vector as it is stored.

    Raises
    ------
    DimensionError
        The vectors are not (n, dim) for the space's dim and the number of ids.
    NonFiniteError
        A vector holds NaN or infinity, or does once it is stored as float16.
    SpaceMismatchError
        A quality column of the space is missing. Others are passed over: a space keeps the
        columns it was made with, and a newer version of its model may measure more.
    """
    ids = id_array(rows.ids)
    _require_unique(ids, f"the rows for space {space.name!r}")
    if rows.vectors.shape != (len(ids), space.dim):
        raise DimensionError(
            f"space {space.name!r} holds vectors of dimension {space.dim}; expected an array "
            f"({len(ids)}, {space.dim}) for {len(ids)} ids, got {rows.vectors.shape}"
        )
    with np.errstate(over="ignore"):
        stored = np.ascontiguousarray(rows.vectors, dtype=space.dtype)
    # Summed in double precision without a copy in it, four times as large as half precision.
    norms = np.sqrt(np.einsum("ij,ij->i", stored, stored, dtype=np.float64))
    if not np.isfinite(norms).all():
        bad = ids[~np.isfinite(norms)]
        raise NonFiniteError(
            f"{len(bad)} vectors for space {space.name!r} are not finite as {space.dtype}, such "
            f"as that of item {int(bad[0])}; leave those rows out"
        )
    columns = schema.space_schema(space)
    vectors = pa.FixedSizeListArray.from_arrays(pa.array(stored.ravel()), space.dim)
    arrays = [pa.array(ids), vectors, pa.array(norms.astype(np.float32))]
    return pa.table([*arrays, *_quality_arrays(rows, space)], schema=columns)


def _quality_arrays(rows: SpaceRows, space: Space) -> list[pa.Array]:
    if missing := sorted(set(space.quality) - set(rows.quality)):
        raise SpaceMismatchError(
            f"space {space.name!r} has quality columns {sorted(space.quality)}, got "
            f"{sorted(rows.quality)} without {', '.join(missing)}"
        )
    arrays = []
    for name in space.quality:
        values = np.asarray(rows.quality[name], dtype=np.float32)
        if values.shape != (len(rows.ids),):
            raise DimensionError(
                f"quality column {name!r} of space {space.name!r} has shape {values.shape}, "
                f"expected ({len(rows.ids)},)"
            )
        arrays.append(pa.array(values))
    return arrays
