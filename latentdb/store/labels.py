"""Label columns: one type each, names that a filter can write as they stand."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from latentdb.errors import LabelsError
from latentdb.store.schema import ITEM_COLUMNS, RESERVED, is_column_name
from latentdb.types import LabelValue

ARROW_TYPES: dict[type, pa.DataType] = {
    bool: pa.bool_(),
    int: pa.int64(),
    float: pa.float64(),
    str: pa.string(),
}
# A float64 holds every integer up to here.
_EXACT_INTEGER = 2**53
_INT64_END = 2**63


def label_types(items: pa.Schema) -> dict[str, type]:
    """Type of each label column of the items table."""
    names = {arrow: kind for kind, arrow in ARROW_TYPES.items()}
    return {field.name: names[field.type] for field in items if field.name not in ITEM_COLUMNS}


def label_arrays(
    columns: Mapping[str, Sequence[LabelValue]],
    *,
    existing: Mapping[str, type],
    taken: Iterable[str],
) -> dict[str, pa.Array]:
    """Arrow arrays of label columns, in the type that each column has or gets.

    Parameters
    ----------
    columns : mapping of str to sequence of (n,) scalars
        None is a missing value. A column that is all None and new is left out.
    existing : mapping of str to type
        Columns there are, with bool, int, float or str.
    taken : iterable of str
        Names in use for something else, besides the reserved ones.

    Raises
    ------
    LabelsError
        A name cannot be a column, or a value is not of its column's type.
    """
    arrays: dict[str, pa.Array] = {}
    _require_names(columns, existing, frozenset(name.lower() for name in taken))
    for name, raw in columns.items():
        values = [_plain(name, value) for value in raw]
        kind = existing.get(name) or _common_type(name, values)
        if kind is not None:
            arrays[name] = pa.array(
                [_fitted(name, value, kind) for value in values], type=ARROW_TYPES[kind]
            )
    return arrays


def as_booleans(column: str, values: NDArray[Any]) -> NDArray[np.bool_]:
    """Values (n,) of a label of two values as booleans; of two numbers the larger is true.

    Raises
    ------
    LabelsError
        They are texts, or another number of values.
    """
    if values.dtype == np.bool_:
        return values
    different = np.unique(values) if values.dtype != np.object_ else values[:0]
    if len(different) != 2:
        what = "text" if values.dtype == np.object_ else f"{len(different)} different values"
        raise LabelsError(
            f"label {column!r} is of {what}; a yes-or-no label is needed: bool, or two numbers"
        )
    is_larger: NDArray[np.bool_] = values == different[1]
    return is_larger


def _require_names(
    columns: Iterable[str], existing: Mapping[str, type], taken: frozenset[str]
) -> None:
    """Raise LabelsError for names that cannot be columns, all of them in one text."""
    seen = {name.lower(): name for name in existing}
    refused: list[str] = []
    for name in columns:
        clash = seen.setdefault(name.lower(), name)
        if not is_column_name(name):
            refused.append(f"{name!r} (letters, digits and '_' only, a letter first)")
        elif name.lower() in RESERVED | taken:
            refused.append(f"{name!r} (the database has a column of that name)")
        elif clash != name:
            refused.append(f"{name!r} (only upper and lower case tell it from {clash!r})")
    if refused:
        raise LabelsError(f"labels cannot be named {', '.join(refused)}: rename them")


def _plain(name: str, value: Any) -> LabelValue:
    """The value without NumPy's wrapping."""
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    raise LabelsError(
        f"label {name!r} has a value of type {type(value).__name__}; use bool, int, float, str, "
        "or None where there is none"
    )


def _common_type(name: str, values: Sequence[LabelValue]) -> type | None:
    """Type of a new column: that of its values, float where integers and floats meet."""
    kinds = {type(value) for value in values if value is not None}
    if kinds == {int, float}:
        return float
    if len(kinds) > 1:
        raise LabelsError(
            f"label {name!r} mixes {', '.join(sorted(kind.__name__ for kind in kinds))}; give "
            "every row the same type"
        )
    return next(iter(kinds), None)


def _fitted(name: str, value: LabelValue, kind: type) -> LabelValue:
    """The value in the type of its column, when nothing is lost."""
    if value is None:
        return None
    if isinstance(value, float) and math.isnan(value):
        raise LabelsError(f"label {name!r} is NaN; use None where there is no value")
    if kind is int and type(value) is int and not -_INT64_END <= value < _INT64_END:
        raise LabelsError(f"label {name!r} is {value}, too large for int64; use a string")
    if type(value) is kind:
        return value
    if kind is float and type(value) is int and abs(value) <= _EXACT_INTEGER:
        return float(value)
    raise LabelsError(
        f"label {name!r} is a column of {kind.__name__}, got {value!r} of type "
        f"{type(value).__name__}; convert it, or use another name"
    )
