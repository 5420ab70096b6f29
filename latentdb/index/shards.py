"""Indexes of more rows than are to be built in one piece: shards over ranges of ids.

Ids are hashes of pixels, so that a range of them is a random share of the pictures and every
shard has about the same to do.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, final

import numpy as np

from indexers.index import train_index
from indexers.metric import AbstractMetric
from indexers.persistence import read_manifest, save_index
from indexers.sharded import ShardedIndex
from indexers.shards import save_shards
from indexers.stage import AbstractIndexConfig
from indexers.types import IdArray
from latentdb.errors import NotEnoughDataError, QueryError
from latentdb.index.asking import QUESTIONS, Asker
from latentdb.index.build import SAMPLE_VALUES, row_reader, stored_norms
from latentdb.index.exam import Exam
from latentdb.index.name import IndexName, metric_for
from latentdb.index.questions import QuestionSet
from latentdb.index.request import IndexRequest
from latentdb.index.row_times import KEY, rows_now, sweep_times, write_times
from latentdb.index.truth import exact_neighbours
from latentdb.index.tuning import tune
from latentdb.progress import Progress
from latentdb.space import Space
from latentdb.store import Store

_BLOCK_VALUES = 1 << 23
_SEED = 0


@final
@dataclass(frozen=True, eq=False)
class ShardTask:
    """One shard to be built: everything but the database and the space."""

    metric: AbstractMetric
    config: AbstractIndexConfig
    ids: IdArray
    folder: Path


# Writes all shards of a space, in this process or elsewhere; ended when all are on disk.
WriteShards = Callable[[Store, Space, Sequence[ShardTask]], None]


def write_shard(store: Store, space: Space, task: ShardTask) -> None:
    """Build one shard in the memory of its structure and a block of rows, and save it."""
    ids, read = task.ids, row_reader(store, space)
    rng = np.random.default_rng(_SEED)
    picked = rng.choice(ids, min(len(ids), max(1, SAMPLE_VALUES // space.dim)), replace=False)
    index = train_index(
        read(picked), count=len(ids), metric=task.metric, config=task.config, reader=read
    )
    block = max(1, _BLOCK_VALUES // space.dim)
    for start in range(0, len(ids), block):
        some = ids[start : start + block]
        index.add(read(some), some)
    save_index(index, task.folder)


def write_here(store: Store, space: Space, tasks: Sequence[ShardTask]) -> None:
    """One shard after the other in this process: the memory of one."""
    for task in tasks:
        write_shard(store, space, task)


@final
class ShardBuilder:
    """Builds a sharded index of a space.

    Parameters
    ----------
    store : Store
    asker : Asker
        Makes the questions that approximate shards are tuned by.
    """

    def __init__(self, store: Store, asker: Asker) -> None:
        self._store = store
        self._asker = asker

    def build(
        self,
        name: IndexName,
        request: IndexRequest,
        folder: Path,
        *,
        write: WriteShards,
        progress: Progress,
    ) -> None:
        """Build the shards, tune their search where it is approximate, and save them.

        Rows that an approximate index is measured by, as new pictures, stay out of the shards:
        they are searched beside it, exactly.

        Parameters
        ----------
        name, request, folder
            What is to be built, and where it is kept.
        write : callable
            Where the shards are built.
        progress : Progress

        Raises
        ------
        NotEnoughDataError
            There are fewer vectors than shards.
        QueryError
            The kind is left to be chosen.
        """
        started, space = time.perf_counter(), self._store.space(name.space)
        config, count = request.config, request.shards or 1
        if config is None:
            raise QueryError("shards take an index kind by its name: auto chooses for one piece")
        version, rows = self._store.version(space.name), rows_now(self._store, space)
        ids, held_out = self._parted(space, config)
        if len(ids) < count:
            raise NotEnoughDataError(f"{count} shards cannot be made of {len(ids)} vectors")
        metric = metric_for(name, space.dim, lambda: stored_norms(self._store, space))
        told = f"building {count} shards of {name}"

        def put(folders: Sequence[Path]) -> None:
            parts = zip(np.array_split(ids, count), folders, strict=True)
            progress(0, count, told)
            write(self._store, space, [ShardTask(metric, config, *part) for part in parts])
            progress(count, count, told)

        def settle(index: ShardedIndex) -> tuple[AbstractIndexConfig, Mapping[str, Any]]:
            chosen, facts = self._tuned(space, index, request, held_out, progress)
            return chosen, {
                "space": space.name,
                "fingerprint": space.fingerprint,
                "table_version": version,
                "prior": name.prior,
                "asked": request.to_json(),
                KEY: write_times(folder, np.sort(index.ids), rows),
                "seconds": time.perf_counter() - started,
                **facts,
            }

        save_shards(folder, count, put, settle, reader=row_reader(self._store, space))
        sweep_times(folder, keep=read_manifest(folder)["extra"][KEY])

    def _parted(self, space: Space, config: AbstractIndexConfig) -> tuple[IdArray, IdArray]:
        """Rows that go into shards, and those that approximate ones are measured by."""
        ids = self._store.vector_ids(space.name)
        if config.is_exact:
            return ids, ids[:0]
        held_out = self._asker.held_out(space, count=QUESTIONS, seed=_SEED)
        return np.setdiff1d(ids, held_out, assume_unique=True), held_out

    def _tuned(
        self,
        space: Space,
        index: ShardedIndex,
        request: IndexRequest,
        held_out: IdArray,
        progress: Progress,
    ) -> tuple[AbstractIndexConfig, dict[str, Any]]:
        """Effort settings of all shards at once, and what was found of them."""
        if index.config.is_exact:
            return index.config, {"recall_at_10": 1.0, "tuning": None, "reason": None}
        questions = self._asker.questions(space, count=QUESTIONS, seed=_SEED, among=index.ids)
        if len(held_out):
            new = QuestionSet.of_no_item(self._store.vectors(space.name, held_out))
            questions = questions.and_also("image", new)
        exact = partial(exact_neighbours, self._store, space.name, index.metric, among=index.ids)
        exam = Exam.of(questions, exact)
        chosen, tuning = tune(index, exam, target=request.target, progress=progress)
        return chosen, {
            "recall_at_10": tuning.least,
            "tuning": tuning.to_json(),
            "reason": None,
        }
