"""From the columns of an attributes file to labels that the database can hold."""

from __future__ import annotations

import re
from collections.abc import Callable

import pyarrow as pa
import pyarrow.compute as pc

from latentdb.errors import LabelsError
from latentdb.store.schema import RESERVED, is_column_name

_KINDS: dict[pa.DataType, type] = {
    pa.bool_(): bool,
    pa.int64(): int,
    pa.float64(): float,
    pa.string(): str,
}
# Before a name that cannot stand in a filter, such as CelebA's 5_o_Clock_Shadow.
_PREFIX = "label_"


def as_label_table(columns: pa.Table, *, origin: str, tell: Callable[[str], None]) -> pa.Table:
    """Columns as labels: of four types, and named as a filter can write them.

    What is renamed or left out (lists, pictures, columns without any value) is told.

    Parameters
    ----------
    columns : pyarrow.Table
    origin : str
        Where they are from, for messages.
    tell : callable of str

    Raises
    ------
    LabelsError
        Two columns would have one name, or a number is too large.
    """
    names: list[str] = []
    arrays: list[pa.ChunkedArray] = []
    for raw in columns.column_names:
        column = _of_label_type(columns[raw], f"{origin}: column {raw!r}")
        if column is None:
            tell(f"{origin}: column {raw!r} is left out: {columns[raw].type} is no label")
            continue
        name = _storable(raw)
        if name != raw:
            tell(f"{origin}: label {raw!r} is called {name!r} here")
        names.append(name)
        arrays.append(column)
    lower = [name.lower() for name in names]
    if doubled := sorted({name for name in names if lower.count(name.lower()) > 1}):
        raise LabelsError(f"{origin}: two columns would be called {', '.join(doubled)}: rename one")
    return pa.table(arrays, names=names)


def label_kinds(labels: pa.Table) -> dict[str, type]:
    """bool, int, float or str of each label."""
    return {field.name: _KINDS[field.type] for field in labels.schema}


def original_name(name: str) -> str:
    """What a label was called before `as_label_table` made its name one that can be stored."""
    bare = name.removeprefix(_PREFIX)
    return bare if _storable(bare) == name else name


def _storable(raw: str) -> str:
    name = re.sub(r"[^A-Za-z0-9_]", "_", raw.strip())
    return name if is_column_name(name) and name.lower() not in RESERVED else f"{_PREFIX}{name}"


def _of_label_type(column: pa.ChunkedArray, what: str) -> pa.ChunkedArray | None:
    """The column in one of the four types; None where it cannot be a label or has no value."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        return _of_label_type(column.cast(kind.value_type), what)
    if pa.types.is_null(kind) or pa.types.is_nested(kind) or pa.types.is_binary(kind):
        return None
    if column.null_count == len(column):
        return None
    try:
        if pa.types.is_floating(kind):
            wide = column.cast(pa.float64())
            return pc.if_else(pc.is_nan(wide), pa.scalar(None, pa.float64()), wide)
        if pa.types.is_integer(kind):
            return column.cast(pa.int64())
        return column if pa.types.is_boolean(kind) else column.cast(pa.string())
    except pa.ArrowInvalid as error:
        raise LabelsError(f"{what} cannot be a label: {error}") from error
