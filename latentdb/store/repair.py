"""Mending: rows that are wrong are removed or computed anew, nothing is invented.

Doubled rows go first, because the other repairs address rows by id; norms last, on the rows
that stay. What is removed here, the next ingest makes again.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from latentdb.store import schema
from latentdb.store.check import doubled_rows, orphans, vector_faults
from latentdb.store.registry import SpaceRegistry
from latentdb.store.tables import Tables
from latentdb.store.views import CHUNK_ROWS, vector_block

# Numbers in one predicate of a deletion.
_CHUNK = 1000


def mend(tables: Tables, registry: SpaceRegistry) -> None:
    """Mend everything that `find_problems` calls repairable; the caller holds the lock.

    A table that cannot be read raises StoreIOError: nothing can be mended around it.
    """
    there = tables.names()
    for name in sorted(there & set(schema.KEYS)):
        _remove_doubled(tables, name, schema.KEYS[name])
    spaces = {schema.space_table(name): space for name, space in registry.all().items()}
    _drop_unrecorded(tables, there - set(schema.KEYS) - set(spaces))
    for name in sorted(there & set(spaces)):
        if not schema.space_schema(spaces[name]).equals(tables.pin(name).schema):
            continue
        _remove_doubled(tables, name, "id")
        _delete(tables, name, "_rowid", vector_faults(tables.pin(name)).not_finite)
        _renew_norms(tables, name)
    items = np.unique(tables.pin(schema.ITEMS).scan(["id"])["id"].to_numpy())
    for name in (schema.SOURCES, *sorted(there & set(spaces))):
        _delete(tables, name, "id", orphans(tables.pin(name), items))


def _remove_doubled(tables: Tables, name: str, key: str) -> None:
    """Keep the first of the rows that share a key."""
    _delete(tables, name, "_rowid", doubled_rows(tables.pin(name), key))


def _delete(
    tables: Tables, name: str, column: str, values: NDArray[np.int64] | NDArray[np.uint64]
) -> None:
    table = tables.table(name)
    # A deletion in Lance moves no row, so addresses found before it stay right.
    for start in range(0, len(values), _CHUNK):
        table.delete(
            f"{column} IN ({', '.join(map(str, values[start : start + _CHUNK].tolist()))})"
        )


def _drop_unrecorded(tables: Tables, names: set[str]) -> None:
    """Drop empty tables of no space; one with rows stays, for a person to look at."""
    for name in sorted(names):
        if not len(tables.pin(name).scan(["id"])):
            tables.drop(name)


def _renew_norms(tables: Tables, name: str) -> None:
    """Compute anew the norms that are not those of their vectors."""
    pinned = tables.pin(name)
    wrong = vector_faults(pinned).wrong_norm
    fields = [pinned.schema.field("id"), pinned.schema.field("norm")]
    for start in range(0, len(wrong), CHUNK_ROWS):
        rows = pinned.take(wrong[start : start + CHUNK_ROWS], ["id", "vector"])
        norms = np.sqrt(np.square(vector_block(rows), dtype=np.float64).sum(axis=1))
        renewed = [rows["id"].combine_chunks(), pa.array(norms.astype(np.float32))]
        tables.table(name).update(pa.table(renewed, schema=pa.schema(fields)), key="id")
