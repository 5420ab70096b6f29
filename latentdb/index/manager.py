"""Indexes of a database: built, kept beside the store, and never silently behind it."""

from __future__ import annotations

import logging
import shutil
import time
from collections.abc import Mapping, Sequence
from typing import Any, final

import numpy as np

from indexers.errors import IndexFileError, MetricError
from indexers.files import CURRENT
from indexers.flat import FlatConfig
from indexers.index import VectorIndex
from indexers.persistence import load_index, read_config, read_manifest
from indexers.types import METRIC_NAMES, PRIOR_NAMES, MetricName, PriorName
from latentdb.errors import NotEnoughDataError, SpaceMismatchError, UnknownSpaceError
from latentdb.index.asking import Asker
from latentdb.index.info import IndexInfo, LoadedIndex
from latentdb.index.live import LiveIndex, RowTimes
from latentdb.index.making import IndexMaker
from latentdb.index.name import IndexName
from latentdb.index.refresh import LAID_OUT, refreshed
from latentdb.index.request import TARGET_RECALL, IndexRequest, WantedKind
from latentdb.index.row_times import read_row_times, rows_now, save_with_times
from latentdb.index.shelf import LiveShelf, pointer_stamp, require_fingerprint
from latentdb.index.tuning import effort_of, tuning_of
from latentdb.progress import Progress, silent
from latentdb.space import Space
from latentdb.store import Problem, Store

_LOG = logging.getLogger(__name__)
_PREFERRED: tuple[MetricName, ...] = ("cosine", "nao", "euclidean")


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
        self._folder = store.artefact_dir("indexes")
        self._live = LiveShelf(store, self._folder)
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
        name, started = self._choose(space.name, metric, prior), time.perf_counter()
        if str(name) not in self._names():
            raise NotEnoughDataError(
                f"there is no index {name} to refresh; build it: latentdb index DB "
                f"--space {space.name} --metric {name.metric}"
            )
        done = refreshed(self._store, space, name, self._folder / str(name))
        if isinstance(done, str):
            _LOG.info("index %s is built anew: %s", name, done)
            return self._build(name, self._asked(name), progress)
        if not done.added + done.removed:
            return self._info(name)
        made = self._maker.measured_again(space, done.index, done.extra, progress)
        facts = {"seconds": time.perf_counter() - started, **made.facts()}
        return self._save(name, made.index, done.rows, {**done.extra, **facts})

    def _save(
        self, name: IndexName, index: VectorIndex, rows: RowTimes, extra: Mapping[str, Any]
    ) -> IndexInfo:
        with self._store.changing("indexes"):
            save_with_times(index, self._folder / str(name), rows, extra)
        self._live.forget(name)
        return self._info(name)

    def infos(self) -> list[IndexInfo]:
        """All indexes on disk, by name."""
        return [self._info(_parse(folder)) for folder in self._names()]

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
        return self._live.get(space, self._choose(space.name, metric, prior))

    def loaded(self) -> list[LoadedIndex]:
        """Of every index that was searched by in this process, how far it is behind."""
        return [
            LoadedIndex(str(name), len(live), live.newer_rows, live.facts, self._age(name))
            for name, live in self._live.loaded().items()
        ]

    def _age(self, name: IndexName) -> float | None:
        stamp = pointer_stamp(self._folder / str(name))
        return None if stamp is None else max(0.0, time.time() - stamp[1] / 1e9)

    def usual(self, space: str) -> tuple[MetricName, PriorName]:
        """Metric and prior of a question that names none."""
        name = self._choose(space, None, None)
        return name.metric, name.prior or PRIOR_NAMES[0]

    def copy_kinds(self, source: str, target: Space) -> list[IndexInfo]:
        """Build for `target` every index that space `source` has and `target` lacks.

        Raises
        ------
        IndexerError
            A structure does not go with the vectors of `target`; build another kind for it.
        """
        there = [_parse(folder) for folder in self._names()]
        new = {name: name._replace(space=target.name) for name in there if name.space == source}
        return [
            self._build(copy, self._asked(name)) for name, copy in new.items() if copy not in there
        ]

    def drop(self, space: str) -> None:
        """Delete the indexes of a space; repeated after a kill, it ends what was begun."""
        for folder in self._folder.glob(f"{space}--*"):
            with self._store.changing("indexes"):
                # Without its pointer it is no index any more, whatever else is still there.
                (folder / CURRENT).unlink(missing_ok=True)
                shutil.rmtree(folder)
            if (name := IndexName.parse(folder.name)) is not None:
                self._live.forget(name)

    def check(self, *, repair: bool) -> list[Problem]:
        """Indexes that cannot be read or belong to other settings; `repair` builds them anew."""
        problems: list[Problem] = []
        for folder in self._names():
            name = _parse(folder)
            detail = self._fault(name)
            if detail and repair:
                self._build(name, self._asked(name))
            elif detail:
                problems.append(Problem("torn_index", f"indexes/{name}", 1, detail, True))
        return problems

    def _fault(self, name: IndexName) -> str:
        """What is wrong with an index on disk; empty when nothing is."""
        folder = self._folder / str(name)
        try:
            index = load_index(folder)
            extra = read_manifest(folder)["extra"]
            require_fingerprint(extra, self._store.space(name.space))
            read_row_times(folder, extra, np.sort(index.ids))
        except (IndexFileError, SpaceMismatchError, UnknownSpaceError) as error:
            return str(error)
        tuning = tuning_of(extra)
        if tuning is not None and dict(tuning.settings) != effort_of(index.config):
            return (
                f"it is searched with {effort_of(index.config)}, and was tuned to "
                f"{dict(tuning.settings)}: the recall it tells is of other settings"
            )
        return ""

    def _asked(self, name: IndexName) -> IndexRequest:
        """What an index was asked to be, as far as that can still be read."""
        folder = self._folder / str(name)
        try:
            asked = read_manifest(folder)["extra"].get("asked")
        except IndexFileError:
            asked = None
        if asked is not None:
            return IndexRequest.from_json(asked)
        config = read_config(folder)
        return IndexRequest(FlatConfig() if config is None else config, TARGET_RECALL)

    def _names(self) -> list[str]:
        """Indexes that were saved whole at least once."""
        self._store.catch_up()
        return sorted(pointer.parent.name for pointer in self._folder.glob(f"*/{CURRENT}"))

    def _info(self, name: IndexName) -> IndexInfo:
        manifest = read_manifest(self._folder / str(name))
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

    def _choose(self, space: str, metric: MetricName | None, prior: PriorName | None) -> IndexName:
        """The metric and prior asked for, else those of an index of the space, else defaults."""
        metrics = _PREFERRED if metric is None else (metric,) if metric == "nao" else ()
        there = self._first_there(space, metrics)
        chosen = metric or (_PREFERRED[0] if there is None else there.metric)
        if prior is not None and chosen != "nao":
            raise MetricError(
                f"a prior belongs to the nao metric, got prior {prior!r} with {chosen!r}: "
                "leave it out, or ask for --metric nao"
            )
        return IndexName.of(space, chosen, prior or (None if there is None else there.prior))

    def _first_there(self, space: str, metrics: Sequence[MetricName]) -> IndexName | None:
        """The first index that is saved; few are looked for, since every search asks."""
        for metric in metrics:
            for prior in PRIOR_NAMES if metric == "nao" else PRIOR_NAMES[:1]:
                name = IndexName.of(space, metric, prior)
                if pointer_stamp(f"{self._folder}/{name}") is not None:
                    return name
        return None


def _parse(folder: str) -> IndexName:
    name = IndexName.parse(folder)
    if name is None:
        raise MetricError(
            f"the folder indexes/{folder} is not of an index: its metric is none of "
            f"{', '.join(METRIC_NAMES)}; move it away"
        )
    return name
