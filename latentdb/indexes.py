"""Indexes of a database: built, kept beside the store, and never silently behind it."""

from __future__ import annotations

import shutil
import threading
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, final

import numpy as np

from indexers.abstract import AbstractIndex
from indexers.errors import IndexFileError, MetricError
from indexers.files import CURRENT
from indexers.flat import FlatConfig
from indexers.index import build_index
from indexers.kinds import make_config
from indexers.metric import AbstractMetric, make_metric, make_prior
from indexers.persistence import load_index, read_config, read_manifest, save_index
from indexers.recall import measured_recall
from indexers.stage import AbstractIndexConfig
from indexers.types import (
    METRIC_NAMES,
    PRIOR_NAMES,
    IdArray,
    IndexKind,
    MetricName,
    PriorName,
)
from latentdb.errors import NotEnoughDataError, SpaceMismatchError, UnknownSpaceError
from latentdb.live_index import LiveFacts, LiveIndex
from latentdb.model import Vectors
from latentdb.space import Space
from latentdb.store import Problem, Store
from latentdb.types import SpaceRows

# Queries that the recall of an approximate index is measured by, when it is built.
_RECALL_QUERIES = 100
_PREFERRED: tuple[MetricName, ...] = ("cosine", "nao", "euclidean")


@final
@dataclass(frozen=True)
class IndexInfo:
    """One index on disk.

    `count` vectors are in it; `recall_at_10` is 1 where answers are exact, else what was measured
    when it was built, over stored vectors that were asked for and left out; `newer_rows` came to
    the table after it was built and are searched exactly beside it; `removed_rows` are in it but
    no longer in the table, and are left out.
    """

    space: str
    metric: MetricName
    prior: PriorName | None
    kind: str
    count: int
    recall_at_10: float
    newer_rows: int
    removed_rows: int
    index_bytes: int
    seconds: float

    def to_json(self) -> dict[str, Any]:
        """Plain dictionary for JSON."""
        return asdict(self)


@final
@dataclass
class _Loaded:
    """A live index, and the state of files and tables that it was made from."""

    stamp: tuple[object, ...]
    live: LiveIndex


@final
class IndexManager:
    """Builds, loads and refreshes the indexes of one store; safe for several threads.

    Parameters
    ----------
    store : Store
        Where the vectors are.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._folder = store.artefact_dir("indexes")
        self._loaded: dict[str, _Loaded] = {}
        self._lock = threading.RLock()

    def build(
        self,
        space: Space,
        metric: MetricName,
        prior: PriorName,
        kind: AbstractIndexConfig | IndexKind,
    ) -> IndexInfo:
        """Build and save; see `LatentDB.build_index`."""
        config = make_config(kind) if isinstance(kind, str) else kind
        rows = self._visible_rows(space)
        if not len(rows.ids):
            raise NotEnoughDataError(
                f"space {space.name!r} holds no vectors yet, so there is nothing to index: "
                "latentdb ingest DB SOURCE"
            )
        started = time.perf_counter()
        index = build_index(
            rows.vectors, rows.ids, metric=_metric_for(metric, prior, rows.vectors), config=config
        )
        seconds = time.perf_counter() - started
        name = _name(space.name, metric, prior)
        extra = {
            "space": space.name,
            "fingerprint": space.fingerprint,
            "table_version": self._store.version(space.name),
            "prior": prior if metric == "nao" else None,
            "seconds": seconds,
            "recall_at_10": 1.0 if config.is_exact else _recall(index, rows),
        }
        save_index(index, self._folder / name, manifest_extra=extra)
        with self._lock:
            self._loaded.pop(name, None)
        return self._info(name)

    def infos(self) -> list[IndexInfo]:
        """All indexes on disk, by name."""
        return [self._info(name) for name in self._names()]

    def live(self, space: Space, metric: MetricName | None, prior: PriorName | None) -> LiveIndex:
        """What answers a search of `space` now, complete with the newest rows.

        Where no such index is on disk, an exact one is made from the stored vectors and kept in
        memory.

        Raises
        ------
        IndexFileError
            The files are torn; building the index again mends it.
        SpaceMismatchError
            The index was built from vectors of other settings.
        """
        chosen = self._choose(space.name, metric, prior)
        name = _name(space.name, *chosen)
        stamp = (
            self._store.version(space.name),
            self._store.items_version(),
            _pointer_stamp(self._folder / name),
        )
        with self._lock:
            loaded = self._loaded.get(name)
            if loaded is None or loaded.stamp != stamp:
                loaded = _Loaded(stamp, self._open(space, *chosen))
                self._loaded[name] = loaded
            return loaded.live

    def usual(self, space: str) -> tuple[MetricName, PriorName]:
        """Metric and prior of a question that names none."""
        return self._choose(space, None, None)

    def copy_kinds(self, source: str, target: Space) -> list[IndexInfo]:
        """Build for `target` every index that space `source` has and `target` lacks.

        Raises
        ------
        IndexerError
            A structure does not go with the vectors of `target`; build another kind for it.
        """
        there = self._names()
        made = []
        for name in there:
            space, metric, prior = _parse(name)
            if space == source and _name(target.name, metric, prior) not in there:
                config = read_config(self._folder / name) or FlatConfig()
                made.append(self.build(target, metric, prior or "chi", config))
        return made

    def drop(self, space: str) -> None:
        """Delete the indexes of a space; repeated after a kill, it ends what was begun."""
        for folder in self._folder.glob(f"{space}--*"):
            # Without its pointer it is no index any more, whatever else is still there.
            (folder / CURRENT).unlink(missing_ok=True)
            shutil.rmtree(folder)
            with self._lock:
                self._loaded.pop(folder.name, None)

    def check(self, *, repair: bool) -> list[Problem]:
        """Indexes that cannot be read or belong to other settings; `repair` builds them anew."""
        problems: list[Problem] = []
        for name in self._names():
            detail = self._fault(name)
            if detail and repair:
                self._rebuild(name)
            elif detail:
                problems.append(Problem("torn_index", f"indexes/{name}", 1, detail, True))
        return problems

    def _fault(self, name: str) -> str:
        """What is wrong with an index on disk; empty when nothing is."""
        try:
            load_index(self._folder / name)
            manifest = read_manifest(self._folder / name)
            self._require_fingerprint(manifest, self._store.space(_parse(name)[0]))
        except (IndexFileError, SpaceMismatchError, UnknownSpaceError) as error:
            return str(error)
        return ""

    def _rebuild(self, name: str) -> None:
        """Build an index anew, of its own kind where that can still be read."""
        space, metric, prior = _parse(name)
        config = read_config(self._folder / name) or FlatConfig()
        self.build(self._store.space(space), metric, prior or "chi", config)

    def _names(self) -> list[str]:
        """Indexes that were saved whole at least once."""
        return sorted(pointer.parent.name for pointer in self._folder.glob(f"*/{CURRENT}"))

    def _info(self, name: str) -> IndexInfo:
        space, metric, prior = _parse(name)
        manifest = read_manifest(self._folder / name)
        loaded = self.live(self._store.space(space), metric, prior)
        return IndexInfo(
            space=space,
            metric=metric,
            prior=prior,
            kind=manifest["config"]["kind"],
            count=manifest["count"],
            recall_at_10=manifest["extra"]["recall_at_10"],
            newer_rows=loaded.newer_rows,
            removed_rows=loaded.facts.removed_rows,
            index_bytes=sum(fact["bytes"] for fact in manifest["files"].values()),
            seconds=manifest["extra"]["seconds"],
        )

    def _choose(
        self, space: str, metric: MetricName | None, prior: PriorName | None
    ) -> tuple[MetricName, PriorName]:
        """The metric and prior asked for, else those of an index of the space, else defaults."""
        there = [(m, p) for s, m, p in map(_parse, self._names()) if s == space]
        metrics = [m for m in _PREFERRED if m in {m for m, _ in there}]
        chosen = [*metrics, _PREFERRED[0]][0] if metric is None else metric
        if prior is not None and chosen != "nao":
            raise MetricError(
                f"a prior belongs to the nao metric, got prior {prior!r} with {chosen!r}: "
                "leave it out, or ask for --metric nao"
            )
        priors = [p for p in PRIOR_NAMES if (chosen, p) in there]
        return chosen, [*priors, PRIOR_NAMES[0]][0] if prior is None else prior

    def _open(self, space: Space, metric: MetricName, prior: PriorName) -> LiveIndex:
        """Load the index from disk, or make an exact one, and bring it up to date."""
        folder = self._folder / _name(space.name, metric, prior)
        shown_prior = prior if metric == "nao" else None
        if not (folder / CURRENT).exists():
            rows = self._visible_rows(space)
            made = build_index(
                rows.vectors,
                rows.ids,
                metric=_metric_for(metric, prior, rows.vectors),
                config=FlatConfig(),
            )
            return LiveIndex(made, None, shown_prior, LiveFacts())
        manifest = read_manifest(folder)
        self._require_fingerprint(manifest, space)
        recall = float(manifest["extra"]["recall_at_10"])
        return self._bring_up_to_date(load_index(folder), space, shown_prior, recall)

    def _bring_up_to_date(
        self, index: AbstractIndex, space: Space, prior: PriorName | None, recall: float
    ) -> LiveIndex:
        """The index without rows that are gone, beside an exact one of the rows that are new."""
        now, then = self._visible_ids(space), index.ids
        gone, new = np.setdiff1d(then, now), np.setdiff1d(now, then)
        if len(gone):
            index.remove(gone)
        if not len(new):
            return LiveIndex(index, None, prior, LiveFacts(len(gone), recall))
        newer = build_index(
            self._store.vectors(space.name, new), new, metric=index.metric, config=FlatConfig()
        )
        return LiveIndex(index, newer, prior, LiveFacts(len(gone), recall))

    def _visible_ids(self, space: Space) -> IdArray:
        """Rows whose item is committed: a crash may leave vectors that have none."""
        return np.intersect1d(self._store.vector_ids(space.name), self._store.item_ids())

    def _visible_rows(self, space: Space) -> SpaceRows:
        rows = self._store.all_vectors(space.name)
        keep = np.isin(rows.ids, self._store.item_ids())
        return rows if keep.all() else SpaceRows(rows.ids[keep], rows.vectors[keep])

    def _require_fingerprint(self, manifest: dict[str, Any], space: Space) -> None:
        built_from = manifest["extra"].get("fingerprint")
        if built_from != space.fingerprint:
            raise SpaceMismatchError(
                f"an index of space {space.name!r} was built from vectors of fingerprint "
                f"{built_from}, the space now has {space.fingerprint}: build it again with "
                f"latentdb index DB --space {space.name}"
            )


def _recall(index: AbstractIndex, rows: SpaceRows) -> float:
    """Recall at 10 over some of the stored vectors."""
    exact = build_index(rows.vectors, rows.ids, metric=index.metric, config=FlatConfig())
    picked = np.random.default_rng(0).permutation(len(rows.ids))[:_RECALL_QUERIES]
    return measured_recall(index, exact, rows.vectors[picked])


def _metric_for(metric: MetricName, prior: PriorName, vectors: Vectors) -> AbstractMetric:
    """The metric of that name for vectors (n, dim); a fitted prior is fitted to their norms."""
    if metric != "nao":
        return make_metric(metric)
    is_fitted = prior == "fitted"
    norms = np.linalg.norm(vectors.astype(np.float64), axis=1) if is_fitted else None
    return make_metric(metric, make_prior(prior, dim=vectors.shape[1], norms=norms))


def _name(space: str, metric: MetricName, prior: PriorName | None) -> str:
    """Folder of an index: `clip--cosine`, `noise--nao--chi`."""
    return f"{space}--{metric}" + (f"--{prior}" if metric == "nao" else "")


def _parse(name: str) -> tuple[str, MetricName, PriorName | None]:
    space, metric, *prior = name.split("--")
    found = next((m for m in METRIC_NAMES if m == metric), None)
    if found is None:
        raise MetricError(
            f"the folder indexes/{name} is not of an index: its metric {metric!r} is none of "
            f"{', '.join(METRIC_NAMES)}; move it away"
        )
    return space, found, next((p for p in PRIOR_NAMES if [p] == prior), None)


def _pointer_stamp(folder: Path) -> object:
    """Changes whenever an index is saved: saving renames a new pointer into its folder."""
    try:
        return (folder / CURRENT).stat().st_mtime_ns
    except FileNotFoundError:
        return None
