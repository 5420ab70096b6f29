"""Compaction that was asked for, what it did, and when it is due."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any, final

from latentdb.store.store import Store
from latentdb.store.tables import Tables
from latentdb.store.upkeep import COMMITS_AT_MOST

# Whoever writes tidies after `COMMITS_AT_MOST` commits of its own. Short-lived writers never come
# to that many, so that half of them, left by others, are enough.
_MANY_VERSIONS = COMMITS_AT_MOST // 2


@final
@dataclass(frozen=True)
class Compaction:
    """What compaction did: pieces that the tables are stored in, and versions that are kept."""

    pieces_before: int
    pieces_after: int
    versions_before: int
    versions_after: int

    def to_json(self) -> dict[str, Any]:
        """Plain dictionary for JSON."""
        return asdict(self)


def compact(store: Store, *, keep: timedelta) -> Compaction:
    """Merge small pieces, drop versions older than `keep`; see `Store.compact`."""
    before = _counted(store)
    store.compact(keep=keep)
    after = _counted(store)
    return Compaction(before[0], after[0], before[1], after[1])


def is_due(store: Store) -> bool:
    """Whether the tables of a folder keep so many versions that every commit takes longer."""
    folders = store.path.glob("*.lance/_versions")
    return any(sum(1 for _ in folder.iterdir()) > _MANY_VERSIONS for folder in folders)


def _counted(store: Store) -> tuple[int, int]:
    tables = Tables(store.location)
    histories = [tables.history(name) for name in sorted(tables.names())]
    return sum(one[-1].data_files for one in histories), sum(map(len, histories))
