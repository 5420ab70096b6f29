"""When to merge small pieces and drop old versions, so that cost does not grow with commits."""

from __future__ import annotations

from datetime import timedelta
from typing import final

from latentdb.store.seals import Seals
from latentdb.store.tables import Tables

# Every commit adds a piece and a version; a reader in another process may be on the last few.
COMMITS_AT_LEAST = 64
COMMITS_AT_MOST = 512
KEEP_WHILE_WRITING = timedelta(seconds=60)


@final
class Upkeep:
    """Counts commits per table and tidies up when there are many.

    Merging rewrites the rows that are not in full-sized pieces yet, so it waits until the new
    rows are half as many as the old ones: each row is then rewritten a few times, not once per
    tidying. Versions cost little beside that and wait for the same moment, at the latest for
    `COMMITS_AT_MOST` commits.
    """

    def __init__(self, tables: Tables, seals: Seals) -> None:
        self._tables = tables
        self._seals = seals
        self._commits: dict[str, int] = {}
        self._new_rows: dict[str, int] = {}
        self._old_rows: dict[str, int] = {}

    def committed(self, table: str, rows: int) -> None:
        """Note one commit of `rows` rows, and tidy the table when it is time."""
        self._commits[table] = commits = self._commits.get(table, 0) + 1
        self._new_rows[table] = new = self._new_rows.get(table, 0) + rows
        grown = new >= self._old_rows.get(table, 0) / 2
        if commits >= COMMITS_AT_MOST or (commits >= COMMITS_AT_LEAST and grown):
            self.tidy(table, keep=KEEP_WHILE_WRITING, sweep=False)

    def tidy(self, table: str, *, keep: timedelta, sweep: bool) -> None:
        """Merge pieces and drop versions older than `keep`; the caller holds the writer's lock.

        Raises
        ------
        StoreIOError
            A file is not what was written: merged into another, that could not be told any more.
        """
        self._seals.require_sound(table)
        self._tables.table(table).optimise(keep=keep, sweep=sweep)
        self._old_rows[table] = self._old_rows.get(table, 0) + self._new_rows.pop(table, 0)
        self._commits[table] = 0
