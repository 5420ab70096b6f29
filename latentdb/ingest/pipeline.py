"""One ingest run: an engine decodes and embeds, and one committer writes."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, final

import numpy as np

from latentdb.errors import ClusterError, ModelError, SourceError
from latentdb.ingest.catalogue import Catalogue
from latentdb.ingest.chunk import Decoded, Refused
from latentdb.ingest.committer import Committer
from latentdb.ingest.crew import Finished, Outcome
from latentdb.ingest.engine import AbstractEngine
from latentdb.ingest.label_columns import LabelColumns
from latentdb.ingest.labeller import Labeller
from latentdb.ingest.labels import read_labels
from latentdb.ingest.options import IngestOptions
from latentdb.ingest.progress import ProgressListener
from latentdb.ingest.sources import AbstractSource, open_source
from latentdb.types import (
    IngestSummary,
    ItemRow,
    LabelValue,
    QuarantineRow,
    SourceRow,
    SpaceRows,
)

if TYPE_CHECKING:
    from latentdb.store import Store


def run_ingest(
    store: Store,
    engine: AbstractEngine,
    source: str | Path,
    *,
    options: IngestOptions,
    progress: ProgressListener,
) -> IngestSummary:
    """Carry out `latentdb.ingest.ingest`, which says what it does, with the models of `engine`."""
    opened = open_source(source, prefix=options.source_prefix)
    table = None if options.labels is None else read_labels(Path(options.labels))
    with store.writer():
        for space in engine.spaces.values():
            store.add_space(space)
        columns = LabelColumns(store, tell=progress.message)
        labeller = Labeller.of(columns, table, opened.keys())
        run = _Run(store, engine, options=options, progress=progress, labeller=labeller)
        return run.all_of(opened)


@final
@dataclass(frozen=True)
class _Work:
    """A picture on its way through the models: what it is, and the spaces it lacks."""

    id: int
    outcome: Outcome
    decoded: Decoded
    labels: Mapping[str, LabelValue]
    missing: tuple[str, ...]


@final
class _Run:
    """The state of one run."""

    def __init__(
        self,
        store: Store,
        engine: AbstractEngine,
        *,
        options: IngestOptions,
        progress: ProgressListener,
        labeller: Labeller,
    ) -> None:
        self._options = options
        self._progress = progress
        self._labeller = labeller
        self._engine = engine
        self._catalogue = Catalogue(
            store, engine.places, retry_quarantined=options.retry_quarantined
        )
        self._committer = Committer(store, rows=options.commit_rows, seconds=options.commit_seconds)
        self._summary = IngestSummary(spaces=list(engine.spaces))
        self._pending: dict[int, _Work] = {}
        self._twins: list[_Work] = []
        self._failed: dict[int, str] = {}

    def all_of(self, source: AbstractSource) -> IngestSummary:
        """Take every candidate of a source through to the store."""
        options, started = self._options, time.monotonic()
        self._progress.total(_fewer(source.total, options.limit))
        candidates = islice(source, options.limit)
        try:
            with closing(self._engine.outcomes(candidates, self._catalogue.plan)) as outcomes:
                for outcome in outcomes:
                    self._take(outcome)
            self._embed_pending()
        except (KeyboardInterrupt, ModelError, SourceError, ClusterError):
            # The vectors that are there are not thrown away.
            self._committer.flush()
            raise
        self._committer.flush()
        summary = self._summary
        summary.seconds = time.monotonic() - started
        summary.skipped = source.skipped
        summary.unlabelled = self._labeller.unlabelled
        summary.labels_unused = self._labeller.unused
        return summary

    def _take(self, outcome: Outcome) -> None:
        """Sort one outcome: refused, done before, or work for the models."""
        self._summary.seen += 1
        labels = self._labeller.labels_of(outcome.candidate)
        result = outcome.result
        if isinstance(result, Decoded):
            self._take_decoded(outcome, result, labels)
        elif isinstance(result, Finished):
            self._take_finished(outcome, result.id, labels)
        else:
            self._refuse(outcome, result)
        # Twins wait for the picture they are of, and must not pile up meanwhile.
        if max(len(self._pending), len(self._twins)) >= self._engine.batch_size:
            self._embed_pending()
        self._committer.flush_if_due()

    def _take_finished(
        self, outcome: Outcome, item_id: int, labels: Mapping[str, LabelValue]
    ) -> None:
        """A file without work: done in an earlier run, or the bytes of another file of this one."""
        if self._catalogue.is_of_this_run(outcome.content_hash):
            self._summary.duplicates += 1
            source = outcome.candidate.source
            self._committer.add_source(SourceRow(source, outcome.content_hash, item_id))
        else:
            self._summary.known += 1
        self._committer.set_labels(item_id, labels)
        self._progress.advance()

    def _take_decoded(
        self, outcome: Outcome, decoded: Decoded, labels: Mapping[str, LabelValue]
    ) -> None:
        catalogue = self._catalogue
        item_id = catalogue.identity(outcome.content_hash, decoded.id)
        missing = catalogue.missing(item_id)
        work = _Work(item_id, outcome, decoded, labels, missing)
        complete = catalogue.has_item(item_id) and not missing
        if complete or item_id in self._pending or item_id in self._failed:
            self._twins.append(work)
            if not self._pending:
                self._settle_twins()
        else:
            self._pending[item_id] = work

    def _embed_pending(self) -> None:
        """Run the models over what is pending, and hand the rows to the committer."""
        batch = list(self._pending.values())
        rows = self._embed(batch)
        for name, found in rows.items():
            good = np.array([int(item_id) not in self._failed for item_id in found.ids], dtype=bool)
            if good.any():
                self._committer.add_vectors(name, _selected(found, good))
        for work in batch:
            if work.id in self._failed:
                self._refuse(work.outcome, Refused("model_failure", self._failed[work.id]))
            else:
                self._store_item(work)
        self._pending.clear()
        self._settle_twins()

    def _embed(self, batch: Sequence[_Work]) -> dict[str, SpaceRows]:
        """Vectors per space of the pictures that lack them; what fails goes to `_failed`."""
        rows: dict[str, SpaceRows] = {}
        for name in self._engine.spaces:
            todo = [w for w in batch if name in w.missing and w.id not in self._failed]
            if not todo:
                continue
            done = self._engine.embed(name, [work.decoded for work in todo])
            for place, message in done.failures.items():
                self._failed[todo[place].id] = f"space {name!r}: {message}"
            ids = np.array([work.id for work in todo], dtype=np.int64)
            rows[name] = SpaceRows(ids[done.rows], done.embedded.vectors, done.embedded.quality)
        return rows

    def _store_item(self, work: _Work) -> None:
        """Hand a picture that has all its vectors to the committer."""
        decoded, candidate = work.decoded, work.outcome.candidate
        if self._catalogue.has_item(work.id):
            self._summary.completed += 1
            self._committer.set_labels(work.id, work.labels)
        else:
            self._summary.added += 1
            self._committer.add_item(
                ItemRow(
                    work.id,
                    candidate.source,
                    decoded.width,
                    decoded.height,
                    decoded.thumbnail,
                    work.labels,
                )
            )
        self._know(work)

    def _settle_twins(self) -> None:
        """Files with the pixels of another: they share its fate."""
        for work in self._twins:
            if work.id in self._failed:
                self._refuse(work.outcome, Refused("model_failure", self._failed[work.id]))
                continue
            self._summary.duplicates += 1
            self._committer.set_labels(work.id, work.labels)
            self._know(work)
        self._twins.clear()

    def _know(self, work: _Work) -> None:
        outcome = work.outcome
        row = SourceRow(outcome.candidate.source, outcome.content_hash, work.id)
        self._committer.add_source(row)
        self._catalogue.record(work.id, outcome.content_hash, work.missing)
        self._progress.advance()

    def _refuse(self, outcome: Outcome, refused: Refused) -> None:
        summary, reason = self._summary, refused.reason
        summary.quarantined += 1
        summary.reasons[reason] = summary.reasons.get(reason, 0) + 1
        self._committer.add_quarantine(
            QuarantineRow(outcome.candidate.source, outcome.content_hash, reason, refused.message)
        )
        self._progress.advance(quarantined=1)


def _selected(rows: SpaceRows, good: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> SpaceRows:
    quality = {name: values[good] for name, values in rows.quality.items()}
    return SpaceRows(rows.ids[good], rows.vectors[good], quality)


def _fewer(total: int | None, limit: int | None) -> int | None:
    """Number of files to come, as far as it is known."""
    if limit is None or total is None:
        return total
    return min(total, limit)
