"""What can be wrong with a database, found by reading every row once.

Sources and spaces are pinned before the items: while another process adds pictures, nothing of
a batch on its way is taken for an orphan.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from latentdb.errors import LatentDBError, StoreIOError
from latentdb.space import IMPORTED, Space
from latentdb.store import schema
from latentdb.store.problems import Problem
from latentdb.store.registry import SpaceRegistry
from latentdb.store.tables import Pinned, Tables
from latentdb.store.views import CHUNK_ROWS, Ids, vector_block

# A norm is stored as float32; two sums of the same squares differ by less.
_NORM_TOLERANCE = 1e-5

RowIds = NDArray[np.uint64]


@final
@dataclass(frozen=True)
class VectorFaults:
    """Rows of one space's table that are wrong, by `_rowid`."""

    not_finite: RowIds
    wrong_norm: RowIds


def doubled_rows(table: Pinned, key: str) -> RowIds:
    """`_rowid`s of all but the first of the rows that share a key."""
    rows = table.scan([key], with_row_ids=True)
    row_ids: RowIds = rows["_rowid"].to_numpy()
    codes = rows[key].combine_chunks().dictionary_encode().indices.to_numpy()
    _, first = np.unique(codes, return_index=True)
    return np.delete(row_ids, first)


def orphans(table: Pinned, items: Ids) -> Ids:
    """Distinct ids of a table that no item has."""
    return np.setdiff1d(table.scan(["id"])["id"].to_numpy(), items)


def vector_faults(table: Pinned) -> VectorFaults:
    """Rows whose vector is not finite, or whose norm is not the vector's."""
    row_ids: RowIds = table.scan(["id"], with_row_ids=True)["_rowid"].to_numpy()
    not_finite: list[RowIds] = []
    wrong_norm: list[RowIds] = []
    for start in range(0, len(row_ids), CHUNK_ROWS):
        chunk = np.sort(row_ids[start : start + CHUNK_ROWS])
        rows = table.take(chunk, ["vector", "norm"])
        norms = np.sqrt(np.square(vector_block(rows), dtype=np.float64).sum(axis=1))
        stored = rows["norm"].to_numpy()
        finite = np.isfinite(norms)
        close = np.isclose(stored, norms, rtol=_NORM_TOLERANCE, atol=1e-30)
        not_finite.append(chunk[~finite])
        wrong_norm.append(chunk[finite & ~close])
    empty = [np.empty(0, np.uint64)]
    return VectorFaults(np.concatenate(empty + not_finite), np.concatenate(empty + wrong_norm))


def find_problems(tables: Tables, registry: SpaceRegistry) -> list[Problem]:
    """All problems of a database, faults before notes."""
    found = [*_table_problems(tables, registry)]
    return sorted(found, key=lambda problem: problem.severity)


def _table_problems(tables: Tables, registry: SpaceRegistry) -> Iterator[Problem]:
    there = tables.names()
    try:
        spaces = registry.all()
    except LatentDBError as error:
        yield Problem("unreadable", schema.SPACES, 1, str(error), repairable=False)
        return
    by_table = {schema.space_table(space.name): space for space in spaces.values()}
    yield from _misplaced_tables(tables, there, by_table)
    pins = {name: tables.pin(name) for name in _in_reading_order(by_table) if name in there}
    items = np.empty(0, np.int64)
    if schema.ITEMS in pins:
        items = np.unique(pins[schema.ITEMS].scan(["id"])["id"].to_numpy())
    for name, pinned in pins.items():
        try:
            yield from _doubled(pinned)
            if name == schema.SOURCES:
                yield from _orphan_sources(pinned, items)
            if name in by_table and _has_columns_of(pinned, by_table[name]):
                yield from _space_problems(pinned, by_table[name], items)
        except StoreIOError as error:
            yield Problem("unreadable", name, 1, str(error), repairable=False)


def _in_reading_order(spaces: dict[str, Space]) -> list[str]:
    return [schema.SOURCES, *spaces, schema.ITEMS, schema.QUARANTINE, schema.SPACES]


def _misplaced_tables(
    tables: Tables, there: set[str], spaces: dict[str, Space]
) -> Iterator[Problem]:
    """Tables without a record, records without a table, and columns that do not fit."""
    expected = set(_in_reading_order(spaces))
    for name in sorted(expected - there):
        yield Problem("missing_table", name, 1, "the table is not there", repairable=False)
    for name in sorted(there - expected):
        rows = len(tables.pin(name).scan(["id"]))
        detail = f"no space is recorded for this table of {rows} rows"
        yield Problem("unrecorded_table", name, rows, detail, repairable=rows == 0)
    for name, space in spaces.items():
        if name in there and not _has_columns_of(tables.pin(name), space):
            detail = f"the columns are not those of space {space.name!r} of dimension {space.dim}"
            yield Problem("wrong_columns", name, 1, detail, repairable=False)


def _has_columns_of(pinned: Pinned, space: Space) -> bool:
    return bool(schema.space_schema(space).equals(pinned.schema))


def _doubled(pinned: Pinned) -> Iterator[Problem]:
    key = schema.KEYS.get(pinned.name, "id")
    count = len(doubled_rows(pinned, key))
    if count:
        detail = f"{count} rows repeat the {key} of another row"
        yield Problem("doubled_rows", pinned.name, count, detail, repairable=True)


def _orphan_sources(pinned: Pinned, items: Ids) -> Iterator[Problem]:
    count = len(orphans(pinned, items))
    if count:
        detail = f"files point at {count} ids that are not items; the next ingest reads them again"
        yield Problem("orphan_sources", pinned.name, count, detail, repairable=True)


def _space_problems(pinned: Pinned, space: Space, items: Ids) -> Iterator[Problem]:
    name = pinned.name
    lost = orphans(pinned, items)
    if len(lost):
        detail = f"{len(lost)} vectors belong to no item: a batch or a deletion was cut short"
        yield Problem("orphan_vectors", name, len(lost), detail, repairable=True)
    faults = vector_faults(pinned)
    count = len(faults.not_finite)
    if count:
        detail = f"{count} vectors hold NaN or infinity; without them, the next ingest makes them"
        yield Problem("not_finite", name, count, detail, repairable=True)
    count = len(faults.wrong_norm)
    if count:
        detail = f"{count} stored norms are not those of their vectors"
        yield Problem("wrong_norm", name, count, detail, repairable=True)
    missing = len(np.setdiff1d(items, pinned.scan(["id"])["id"].to_numpy()))
    if missing:
        how = "it was imported" if space.spec.startswith(IMPORTED) else "ingest makes them"
        detail = f"{missing} items have no vector in space {space.name!r}; {how}"
        yield Problem("missing_vectors", name, missing, detail, repairable=False, severity="note")
