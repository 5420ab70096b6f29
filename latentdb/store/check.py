"""What can be wrong with a database, found by reading every file and every row once.

Sources and spaces are pinned before the items: while another process adds pictures, nothing of
a batch on its way is taken for an orphan.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import final

import numpy as np
import pyarrow as pa

from latentdb.errors import LatentDBError, StoreIOError
from latentdb.space import IMPORTED, Space
from latentdb.store import schema
from latentdb.store.doubled import RowIds, doubled_rows
from latentdb.store.problems import FETCH, RESTORE, Problem, listed
from latentdb.store.registry import SpaceRegistry
from latentdb.store.seals import Seals
from latentdb.store.tables import Pinned, Tables
from latentdb.store.uploads import upload_problems
from latentdb.store.views import CHUNK_ROWS, Ids, vector_block

# A norm is stored as float32; two sums of the same squares differ by less.
_NORM_TOLERANCE = 1e-5


@final
@dataclass(frozen=True)
class VectorFaults:
    """Rows of one space's table that are wrong, by `_rowid`."""

    not_finite: RowIds
    wrong_norm: RowIds


def orphans(table: Pinned, items: Ids) -> Ids:
    """Distinct ids of a table that no item has."""
    return np.setdiff1d(table.scan(["id"])["id"].to_numpy(), items)


def read_through(table: Pinned) -> Iterator[tuple[RowIds, pa.Table]]:
    """Every column of every row, a chunk at a time in storage order, with their `_rowid`s."""
    first = table.schema.names[0]
    row_ids = np.sort(table.scan([first], with_row_ids=True)["_rowid"].to_numpy())
    for start in range(0, len(row_ids), CHUNK_ROWS):
        chunk = row_ids[start : start + CHUNK_ROWS]
        yield chunk, table.take(chunk, table.schema.names)


def vector_faults(table: Pinned) -> VectorFaults:
    """Rows whose vector is not finite, or whose norm is not the vector's."""
    not_finite: list[RowIds] = []
    wrong_norm: list[RowIds] = []
    for chunk, rows in read_through(table):
        with np.errstate(invalid="ignore"):
            norms = np.sqrt(np.square(vector_block(rows), dtype=np.float64).sum(axis=1))
        stored = rows["norm"].to_numpy()
        finite = np.isfinite(norms)
        close = np.isclose(stored, norms, rtol=_NORM_TOLERANCE, atol=1e-30)
        not_finite.append(chunk[~finite])
        wrong_norm.append(chunk[finite & ~close])
    empty = [np.empty(0, np.uint64)]
    return VectorFaults(np.concatenate(empty + not_finite), np.concatenate(empty + wrong_norm))


def find_problems(
    tables: Tables, registry: SpaceRegistry, *, seals: Seals, folder: Path
) -> list[Problem]:
    """All problems of the database in a folder, faults before notes."""
    found = [*file_problems(tables.names(), seals), *_table_problems(tables, registry)]
    found += upload_problems(tables, folder)
    return sorted(found, key=lambda problem: problem.severity)


def file_problems(names: set[str], seals: Seals) -> Iterator[Problem]:
    """Tables whose files are not what was written; see `store.seals`."""
    for name in sorted(names):
        try:
            faults = seals.faults(name)
        except StoreIOError as error:
            yield Problem("torn_seal", name, 1, str(error), repairable=True)
            continue
        if faults:
            detail, cure = listed(faults), f"{FETCH}; or {cure_of(name)}"
            yield Problem("damaged_files", name, len(faults), detail, False, cure=cure)


def cure_of(table: str) -> str:
    """What to do about a table that cannot be read or relied on."""
    if not can_be_dropped(table):
        return RESTORE
    return (
        f"{RESTORE}; or latentdb check DB --repair --drop-unreadable, which moves the table aside: "
        "the next ingest makes its rows again, an import must be repeated"
    )


def can_be_dropped(table: str) -> bool:
    """Whether the rows of a table can be made again from the pictures."""
    is_space = table.startswith(schema.SPACE_PREFIX)
    return is_space or table in (schema.SOURCES, schema.QUARANTINE)


def _unreadable(table: str, error: LatentDBError) -> Problem:
    cure = f"{FETCH}; or {cure_of(table)}"
    return Problem("unreadable", table, 1, str(error), repairable=False, cure=cure)


def _table_problems(tables: Tables, registry: SpaceRegistry) -> Iterator[Problem]:
    there = tables.names()
    try:
        spaces = registry.all()
    except LatentDBError as error:
        yield _unreadable(schema.SPACES, error)
        return
    by_table = {schema.space_table(space.name): space for space in spaces.values()}
    expected = _in_reading_order(by_table)
    for name in sorted(set(expected) - there):
        detail = "the table is not there"
        yield Problem("missing_table", name, 1, detail, repairable=False, cure=cure_of(name))
    pins: dict[str, Pinned] = {}
    for name in [*expected, *sorted(there - set(expected))]:
        try:
            if name in there:
                pins[name] = tables.pin(name)
        except StoreIOError as error:
            yield _unreadable(name, error)
    items = _items(pins)
    for name, pinned in pins.items():
        try:
            if name not in expected:
                yield _unrecorded(pinned)
            else:
                yield from _row_problems(pinned, by_table.get(name), items)
        except StoreIOError as error:
            yield _unreadable(name, error)


def _in_reading_order(spaces: dict[str, Space]) -> list[str]:
    return [schema.SOURCES, *spaces, schema.ITEMS, schema.QUARANTINE, schema.SPACES]


def _items(pins: dict[str, Pinned]) -> Ids | None:
    """Ids of the items; None where they cannot be read, which is told when their turn comes."""
    try:
        return np.unique(pins[schema.ITEMS].scan(["id"])["id"].to_numpy())
    except (KeyError, StoreIOError):
        return None


def _unrecorded(pinned: Pinned) -> Problem:
    rows = len(pinned.scan(["id"]))
    detail = f"no space is recorded for this table of {rows} rows"
    return Problem("unrecorded_table", pinned.name, rows, detail, repairable=rows == 0)


def _row_problems(pinned: Pinned, space: Space | None, items: Ids | None) -> Iterator[Problem]:
    if space is not None and not schema.space_schema(space).equals(pinned.schema):
        detail = f"the columns are not those of space {space.name!r} of dimension {space.dim}"
        yield Problem("wrong_columns", pinned.name, 1, detail, False, cure=RESTORE)
        return
    key = schema.KEYS.get(pinned.name, "id")
    count = len(doubled_rows(pinned, key))
    if count:
        detail = f"{count} rows repeat the {key} of another row"
        yield Problem("doubled_rows", pinned.name, count, detail, repairable=True)
    if pinned.name == schema.SOURCES and items is not None:
        yield from _orphan_sources(pinned, items)
    if space is None:
        deque(read_through(pinned), maxlen=0)
    else:
        yield from _vector_problems(pinned)
        if items is not None:
            yield from _pairing_problems(pinned, space, items)


def _orphan_sources(pinned: Pinned, items: Ids) -> Iterator[Problem]:
    count = len(orphans(pinned, items))
    if count:
        detail = f"files point at {count} ids that are not items; the next ingest reads them again"
        yield Problem("orphan_sources", pinned.name, count, detail, repairable=True)


def _vector_problems(pinned: Pinned) -> Iterator[Problem]:
    faults = vector_faults(pinned)
    count = len(faults.not_finite)
    if count:
        detail = f"{count} vectors hold NaN or infinity; without them, the next ingest makes them"
        yield Problem("not_finite", pinned.name, count, detail, repairable=True)
    count = len(faults.wrong_norm)
    if count:
        detail = f"{count} stored norms are not those of their vectors"
        yield Problem("wrong_norm", pinned.name, count, detail, repairable=True)


def _pairing_problems(pinned: Pinned, space: Space, items: Ids) -> Iterator[Problem]:
    name = pinned.name
    lost = orphans(pinned, items)
    if len(lost):
        detail = f"{len(lost)} vectors belong to no item: a batch or a deletion was cut short"
        yield Problem("orphan_vectors", name, len(lost), detail, repairable=True)
    missing = len(np.setdiff1d(items, pinned.scan(["id"])["id"].to_numpy()))
    if missing:
        how = "it was imported" if space.spec.startswith(IMPORTED) else "ingest makes them"
        detail = f"{missing} items have no vector in space {space.name!r}; {how}"
        yield Problem("missing_vectors", name, missing, detail, repairable=False, severity="note")
