"""The folder of a database's indexes: which there are, what they were asked to be, their faults."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, final

import numpy as np

from indexers.errors import IndexFileError, MetricError
from indexers.files import CURRENT
from indexers.flat import FlatConfig
from indexers.persistence import read_config, read_manifest
from indexers.shards import load_any
from indexers.types import METRIC_NAMES, PRIOR_NAMES, MetricName, PriorName
from latentdb.durable import write_whole
from latentdb.errors import SpaceMismatchError, UnknownSpaceError
from latentdb.index.name import IndexName
from latentdb.index.request import TARGET_RECALL, IndexRequest
from latentdb.index.row_times import read_row_times
from latentdb.index.shelf import pointer_stamp, require_fingerprint
from latentdb.index.tuning import effort_of, tuning_of
from latentdb.store import Store

_AUDIT: Final = ".audit.json"
_PREFERRED: tuple[MetricName, ...] = ("cosine", "nao", "euclidean")


@final
class IndexFolder:
    """Files of the indexes of one store.

    Parameters
    ----------
    store : Store
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self.path = store.artefact_dir("indexes")

    def of(self, name: IndexName) -> Path:
        """Where an index lies, or would."""
        return self.path / str(name)

    def names(self) -> list[IndexName]:
        """Indexes that were saved whole at least once, by name.

        Raises
        ------
        MetricError
            A folder has a pointer, and its name is not of an index.
        """
        self._store.catch_up()
        return [
            _parse(one) for one in sorted(p.parent.name for p in self.path.glob(f"*/{CURRENT}"))
        ]

    def choose(self, space: str, metric: MetricName | None, prior: PriorName | None) -> IndexName:
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
                if pointer_stamp(f"{self.path}/{name}") is not None:
                    return name
        return None

    def age(self, name: IndexName) -> float | None:
        """Seconds since an index was saved; None where it is in memory alone."""
        stamp = pointer_stamp(self.of(name))
        return None if stamp is None else max(0.0, time.time() - stamp[1] / 1e9)

    def asked(self, name: IndexName) -> IndexRequest:
        """What an index was asked to be, as far as that can still be read."""
        folder = self.of(name)
        try:
            asked = read_manifest(folder)["extra"].get("asked")
        except IndexFileError:
            asked = None
        if asked is not None:
            return IndexRequest.from_json(asked)
        config = read_config(folder)
        return IndexRequest(FlatConfig() if config is None else config, TARGET_RECALL)

    def fault(self, name: IndexName) -> str:
        """What is wrong with an index on disk; empty when nothing is."""
        folder = self.of(name)
        try:
            index = load_any(folder)
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

    def drop(self, space: str) -> list[IndexName]:
        """Delete the indexes of a space, and what a kill left of them; their names."""
        for audit in self.path.glob(f"{space}--*{_AUDIT}"):
            audit.unlink()
        folders = list(self.path.glob(f"{space}--*"))
        for folder in folders:
            # Without its pointer it is no index any more, whatever else is still there.
            (folder / CURRENT).unlink(missing_ok=True)
            shutil.rmtree(folder)
        return [name for name in (IndexName.parse(one.name) for one in folders) if name]

    # Audits lie beside the folders, since what lies in one is of one version of its index.

    def keep_audit(self, name: IndexName, told: Mapping[str, Any]) -> None:
        """Keep what the last audit of an index found."""
        write_whole(self._audit(name), json.dumps(told).encode(), synced=False)

    def last_audit(self, name: IndexName) -> dict[str, Any] | None:
        """What it found; None where there was none since the index was saved."""
        try:
            told = json.loads(self._audit(name).read_bytes())
        except (FileNotFoundError, ValueError):
            return None
        return told if isinstance(told, dict) else None

    def forget_audit(self, name: IndexName) -> None:
        """The index is another one now."""
        self._audit(name).unlink(missing_ok=True)

    def _audit(self, name: IndexName) -> Path:
        return self.path / f"{name}{_AUDIT}"


def _parse(folder: str) -> IndexName:
    name = IndexName.parse(folder)
    if name is None:
        raise MetricError(
            f"the folder indexes/{folder} is not of an index: its metric is none of "
            f"{', '.join(METRIC_NAMES)}; move it away"
        )
    return name
