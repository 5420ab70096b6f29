"""Indexes of a database: built, kept beside the store, and never silently behind it."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from typing import Any, Unpack, final

from indexers.index import VectorIndex
from indexers.persistence import read_manifest
from indexers.types import PRIOR_NAMES, MetricName, PriorName
from latentdb.errors import NotEnoughDataError
from latentdb.index.asking import Asker
from latentdb.index.audit import AuditOptions, IndexAudit, audit_index
from latentdb.index.folder import IndexFolder
from latentdb.index.info import IndexInfo, LoadedIndex
from latentdb.index.live import LiveIndex, RowTimes
from latentdb.index.making import IndexMaker
from latentdb.index.name import IndexName
from latentdb.index.refresh import LAID_OUT, refreshed
from latentdb.index.request import IndexRequest, WantedKind
from latentdb.index.row_times import rows_now, save_with_times
from latentdb.index.shards import ShardBuilder, WriteShards, write_here
from latentdb.index.shelf import LiveShelf, Opener
from latentdb.index.tuning import tuning_of
from latentdb.progress import Progress, silent
from latentdb.space import Space
from latentdb.store import Problem, Store

_LOG = logging.getLogger(__name__)


@final
class IndexManager:
    """Builds, loads and refreshes the indexes of one store; safe for several threads.

    Parameters
    ----------
    store : Store
        Where the vectors are.
    asker : Asker
        Makes the questions that indexes are tuned by.
    """

    def __init__(self, store: Store, asker: Asker) -> None:
        self._store = store
        self._folder = IndexFolder(store)
        self._live = LiveShelf(store, self._folder.path)
        self._asker = asker
        self._maker = IndexMaker(store, asker)

    def build(
        self,
        space: Space,
        metric: MetricName,
        prior: PriorName | None,
        kind: WantedKind,
        *,
        target_recall: float | None = None,
        memory: int | None = None,
        progress: Progress = silent,
    ) -> IndexInfo:
        """Build and save; see `LatentDB.build_index` and `IndexRequest`."""
        request = IndexRequest(kind, target_recall, memory)
        return self._build(IndexName.of(space.name, metric, prior), request, progress)

    def build_as(
        self,
        name: IndexName,
        request: IndexRequest,
        *,
        write: WriteShards = write_here,
        progress: Progress = silent,
    ) -> IndexInfo:
        """Build and save what is asked for, its shards by `write` where it is to have any."""
        if request.shards is None:
            return self._build(name, request, progress)
        self._store.location.require_writable()
        with self._store.changing("indexes"):
            ShardBuilder(self._store, self._asker).build(
                name, request, self._folder.of(name), write=write, progress=progress
            )
            self._folder.forget_audit(name)
        self._live.forget(name)
        return self._info(name)

    def open_by(self, name: IndexName, opener: Opener | None) -> None:
        """Have searches of an index on disk answered by what `opener` makes of its folder."""
        self._live.open_by(name, opener)

    def _build(
        self, name: IndexName, request: IndexRequest, progress: Progress = silent
    ) -> IndexInfo:
        self._store.location.require_writable()
        started = time.perf_counter()
        space = self._store.space(name.space)
        version, rows = self._store.version(space.name), rows_now(self._store, space)
        made = self._maker.make(space, name, request, progress)
        extra = {
            "space": space.name,
            "fingerprint": space.fingerprint,
            "table_version": version,
            "prior": name.prior,
            "asked": request.to_json(),
            LAID_OUT: len(made.index),
            "seconds": time.perf_counter() - started,
            **made.facts(),
        }
        return self._save(name, made.index, rows, extra)

    def refresh(
        self,
        space: Space,
        *,
        metric: MetricName | None = None,
        prior: PriorName | None = None,
        progress: Progress = silent,
    ) -> IndexInfo:
        """Bring an index up to its table, or build it anew where too much changed.

        See `latentdb.index.refresh`.

        Raises
        ------
        NotEnoughDataError
            There is no such index.
        """
        self._store.location.require_writable()
        name, started = self._folder.choose(space.name, metric, prior), time.perf_counter()
        if name not in self._folder.names():
            raise NotEnoughDataError(
                f"there is no index {name} to refresh; build it: latentdb index DB "
                f"--space {space.name} --metric {name.metric}"
            )
        done = refreshed(self._store, space, name, self._folder.of(name))
        if isinstance(done, str):
            _LOG.info("index %s is built anew: %s", name, done)
            return self.build_as(name, self._folder.asked(name), progress=progress)
        if not done.added + done.removed:
            return self._info(name)
        made = self._maker.measured_again(space, done.index, done.extra, progress)
        facts = {"seconds": time.perf_counter() - started, **made.facts()}
        return self._save(name, made.index, done.rows, {**done.extra, **facts})

    def _save(
        self, name: IndexName, index: VectorIndex, rows: RowTimes, extra: Mapping[str, Any]
    ) -> IndexInfo:
        with self._store.changing("indexes"):
            save_with_times(index, self._folder.of(name), rows, extra)
            self._folder.forget_audit(name)
        # The new pointer is noticed: searches go on by the old one while this loads the new.
        return self._info(name)

    def infos(self) -> list[IndexInfo]:
        """All indexes on disk, by name."""
        return [self._info(name) for name in self._folder.names()]

    def live(self, space: Space, metric: MetricName | None, prior: PriorName | None) -> LiveIndex:
        """What answers a search of `space` now, complete with the newest rows.

        Where no such index is on disk, an exact one is made from the stored vectors and kept in
        memory. Either is kept and grown by the rows that come, and an index on disk is mapped
        from its file, so that processes share it.

        Raises
        ------
        IndexFileError
            The files are torn; building the index again mends it.
        SpaceMismatchError
            The index was built from vectors of other settings.
        """
        return self._live.get(space, self._folder.choose(space.name, metric, prior))

    def loaded(self) -> list[LoadedIndex]:
        """Of every index that was searched by in this process, how far it is behind."""
        return [
            LoadedIndex(
                str(name),
                len(live),
                live.newer_rows,
                live.facts,
                self._folder.age(name),
                self._folder.last_audit(name),
            )
            for name, live in self._live.loaded().items()
        ]

    def usual(self, space: str) -> tuple[MetricName, PriorName]:
        """Metric and prior of a question that names none."""
        name = self._folder.choose(space, None, None)
        return name.metric, name.prior or PRIOR_NAMES[0]

    def copy_kinds(self, source: str, target: Space) -> list[IndexInfo]:
        """Build for `target` every index that space `source` has and `target` lacks.

        Raises
        ------
        IndexerError
            A structure does not go with the vectors of `target`; build another kind for it.
        """
        there = self._folder.names()
        new = {name: name._replace(space=target.name) for name in there if name.space == source}
        return [
            self.build_as(copy, self._folder.asked(name))
            for name, copy in new.items()
            if copy not in there
        ]

    def drop(self, space: str) -> None:
        """Delete the indexes of a space; repeated after a kill, it ends what was begun."""
        with self._store.changing("indexes"):
            for name in self._folder.drop(space):
                self._live.forget(name)

    def check(self, *, repair: bool) -> list[Problem]:
        """Indexes that cannot be read or belong to other settings; `repair` builds them anew."""
        problems: list[Problem] = []
        for name in self._folder.names():
            detail = self._folder.fault(name)
            if detail and repair:
                self.build_as(name, self._folder.asked(name))
            elif detail:
                problems.append(Problem("torn_index", f"indexes/{name}", 1, detail, True))
        return problems

    def audit(self, space: str | None, **options: Unpack[AuditOptions]) -> list[IndexAudit]:
        """Ask every index, or those of one space, questions of every kind; see `index.audit`.

        What is found is kept beside the index until it is built again.
        """
        if space is not None:
            self._store.space(space)
        audits = []
        for name in self._folder.names():
            if space in (None, name.space):
                live = self._live.get(self._store.space(name.space), name)
                audits.append(audit_index(self._store, self._asker, name, live, **options))
        if audits and not self._store.location.is_read_only:
            with self._store.changing("indexes"):
                for one in audits:
                    self._folder.keep_audit(one.index, one.to_json())
        return audits

    def _info(self, name: IndexName) -> IndexInfo:
        manifest = read_manifest(self._folder.of(name))
        extra = manifest["extra"]
        loaded = self._live.get(self._store.space(name.space), name)
        return IndexInfo(
            space=name.space,
            metric=name.metric,
            prior=name.prior,
            kind=manifest["config"]["kind"],
            count=manifest["count"],
            recall_at_10=extra["recall_at_10"],
            newer_rows=loaded.newer_rows,
            removed_rows=loaded.facts.removed_rows,
            index_bytes=sum(fact["bytes"] for fact in manifest["files"].values()),
            seconds=extra["seconds"],
            reason=extra.get("reason"),
            tuning=tuning_of(extra),
        )
