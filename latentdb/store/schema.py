"""What the tables hold: their names, columns and keys, and the names labels may not take."""

from __future__ import annotations

import re
from collections.abc import Iterable

import pyarrow as pa

from latentdb.errors import SpaceSpecError
from latentdb.space import Space

ITEMS = "items"
SOURCES = "sources"
QUARANTINE = "quarantine"
SPACES = "spaces"
SPACE_PREFIX = "space_"

ITEM_COLUMNS = ("id", "source", "width", "height", "thumbnail", "added_at")
VECTOR_COLUMNS = ("id", "vector", "norm")
# Lower-case: DuckDB does not tell `Hat` from `hat`.
RESERVED = frozenset(
    {*ITEM_COLUMNS, *VECTOR_COLUMNS, "distance", "angular", "radial", "similarity", "metadata"}
)

_SPACE_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
_COLUMN_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,62}")

ITEMS_SCHEMA = pa.schema(
    [
        pa.field("id", pa.int64(), nullable=False),
        pa.field("source", pa.string(), nullable=False),
        pa.field("width", pa.int32(), nullable=False),
        pa.field("height", pa.int32(), nullable=False),
        pa.field("thumbnail", pa.binary(), nullable=False),
        pa.field("added_at", pa.timestamp("us"), nullable=False),  # UTC
    ]
)
SOURCES_SCHEMA = pa.schema(
    [
        pa.field("source", pa.string(), nullable=False),
        pa.field("content_hash", pa.string(), nullable=False),
        pa.field("id", pa.int64(), nullable=False),
    ]
)
QUARANTINE_SCHEMA = pa.schema(
    [
        pa.field("source", pa.string(), nullable=False),
        pa.field("content_hash", pa.string(), nullable=False),
        pa.field("reason", pa.string(), nullable=False),
        pa.field("message", pa.string(), nullable=False),
    ]
)
SPACES_SCHEMA = pa.schema(
    [
        pa.field("name", pa.string(), nullable=False),
        pa.field("record", pa.string(), nullable=False),  # JSON of Space.to_json
    ]
)
KEYS = {ITEMS: "id", SOURCES: "source", QUARANTINE: "source", SPACES: "name"}


def space_table(name: str) -> str:
    """Name of the table that holds a space's vectors."""
    return f"{SPACE_PREFIX}{name}"


def space_schema(space: Space) -> pa.Schema:
    """Columns of a space's table: id, vector, norm and the quality columns."""
    width = pa.float16() if space.dtype == "float16" else pa.float32()
    fields = [
        pa.field("id", pa.int64(), nullable=False),
        pa.field("vector", pa.list_(width, space.dim), nullable=False),
        pa.field("norm", pa.float32(), nullable=False),
    ]
    return pa.schema(fields + [pa.field(name, pa.float32()) for name in space.quality])


def is_column_name(name: str) -> bool:
    """Whether a filter can write `name` as it stands."""
    return _COLUMN_NAME.fullmatch(name) is not None


def require_storable(space: Space, labels: Iterable[str]) -> None:
    """Raise unless the space's name and quality columns can be stored.

    Raises
    ------
    SpaceSpecError
        Naming the part that cannot, and what is allowed.
    """
    if _SPACE_NAME.fullmatch(space.name) is None:
        raise SpaceSpecError(
            f"{space.name!r} cannot name a space: use 1 to 63 lower-case letters, digits, "
            "'-' and '_', beginning with a letter or digit"
        )
    if space.dim < 1:
        raise SpaceSpecError(
            f"space {space.name!r} has dimension {space.dim}; at least 1 is needed"
        )
    taken = RESERVED | {label.lower() for label in labels}
    lower = [name.lower() for name in space.quality]
    for name in space.quality:
        if not is_column_name(name) or name.lower() in taken or lower.count(name.lower()) > 1:
            raise SpaceSpecError(
                f"space {space.name!r} cannot have a quality column {name!r}: use letters, "
                "digits and '_', once each, and no name of a label or of "
                f"{', '.join(sorted(RESERVED))}"
            )
