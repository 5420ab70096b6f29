"""Pictures of this machine into a server's database: read here, sent in batches, embedded there."""

from __future__ import annotations

import json
import time
from collections import deque
from collections.abc import Mapping
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Unpack, final

from latentdb.client.batches import Batch, Picture, Receiver, Terms
from latentdb.client.jobs import Job, JobProgress, begun, read_job
from latentdb.client.questions import without_engine
from latentdb.client.transport import Call, Transport
from latentdb.errors import PictureError, QueryError, ServerBusyError, StoreLockedError
from latentdb.ingest.chunk import Decoded, DecodeSettings, Refused
from latentdb.ingest.label_columns import LabelColumns
from latentdb.ingest.labeller import Labeller
from latentdb.ingest.labels import read_labels
from latentdb.ingest.options import IngestOptions
from latentdb.ingest.pool import DecoderPool, Outcome
from latentdb.ingest.progress import ProgressListener, SilentProgress
from latentdb.ingest.sources import AbstractSource, open_source
from latentdb.types import IngestSummary, Item, LabelValue
from latentdb.wire import decode
from latentdb.wire.fields import Fields

if TYPE_CHECKING:
    from latentdb.intake import IntakeOptions

# How long the ingest of somebody else is waited for, beside what the server itself waits.
_LOCKED_TRIES: Final = 30
_LOCKED_PAUSE_S: Final = 2.0
# Batches that a server has while the next is read here.
_UNDER_WAY: Final = 2
_LOOKED_UP_AT_ONCE: Final = 64


def upload(
    db: Receiver,
    transport: Transport,
    source: str | Path,
    **intake: Unpack[IntakeOptions],
) -> IngestSummary:
    """Send the pictures of `source` to a server, which puts them into its database.

    They are read and decoded here, by the same code as an ingest without a server; what cannot be
    used is told to `progress` and counted, and not sent. A picture that the server has already is
    known by its pixels and not sent again, so that an upload that was interrupted is called again.
    Labels of such a picture are set where they differ.

    Parameters
    ----------
    db, transport
        The database, and how its server is reached.
    source, **intake
        As `LatentDB.ingest`. A batch is of at most `commit_rows` pictures; how many a model gets
        at once is the server's to say.

    Raises
    ------
    UnknownSpaceError, SourceError, LabelsError
        No such space; the source or the labels cannot be read.
    QueryError
        `batch_size`, an engine or its address was given.
    """
    asked = intake.get("options") or IngestOptions()
    without_engine(intake)
    if asked.batch_size is not None:
        raise QueryError(
            "how many pictures a model gets at once is for the server to find out: leave "
            "batch_size out"
        )
    terms = Terms.of(db, intake.get("spaces"))
    opened = open_source(source, prefix=asked.source_prefix)
    table = None if asked.labels is None else read_labels(Path(asked.labels))
    listener = intake.get("progress") or SilentProgress()
    columns = LabelColumns(db, tell=listener.message)
    labeller = Labeller.of(columns, table, opened.keys())
    run = _Upload(db, transport, terms, options=asked, progress=listener, labeller=labeller)
    return run.all_of(opened)


@final
class _Upload:
    """The state of one upload."""

    def __init__(
        self,
        db: Receiver,
        transport: Transport,
        terms: Terms,
        *,
        options: IngestOptions,
        progress: ProgressListener,
        labeller: Labeller,
    ) -> None:
        self._db = db
        self._transport = transport
        self._terms = terms
        self._options = options
        self._progress = progress
        self._labeller = labeller
        self._summary = IngestSummary()
        self._ids: set[int] = set()
        self._waiting: list[Picture] = []
        self._batch = Batch()
        self._under_way: deque[tuple[Job, int]] = deque()
        self._twins: dict[int, dict[str, LabelValue]] = {}
        # Set at the end: nobody can while the server ingests what was sent.
        self._changes: dict[int, dict[str, LabelValue]] = {}

    def all_of(self, source: AbstractSource) -> IngestSummary:
        """Take every candidate of a source to the server."""
        started, options, terms = time.monotonic(), self._options, self._terms
        total = source.total
        if total is not None and options.limit is not None:
            total = min(total, options.limit)
        self._progress.total(total)
        most = min(options.max_megapixels, terms.megapixels)
        pool = DecoderPool(
            DecodeSettings((), most, options.min_side),
            lambda _content_hash: (),
            workers=options.worker_count,
            ahead=_LOOKED_UP_AT_ONCE,
        )
        with closing(pool.outcomes(islice(source, options.limit))) as outcomes:
            for outcome in outcomes:
                self._take(outcome)
        self._look_up()
        self._send()
        while self._under_way:
            self._follow_oldest()
        self._compare_labels(self._db.known(list(self._twins)), self._twins)
        for item_id, labels in self._changes.items():
            self._set_labels(item_id, labels)
        summary = self._summary
        summary.seconds = time.monotonic() - started
        summary.spaces = terms.spaces
        summary.skipped = source.skipped
        summary.unlabelled = self._labeller.unlabelled
        summary.labels_unused = self._labeller.unused
        return summary

    def _take(self, outcome: Outcome) -> None:
        """Sort one outcome: refused, seen before, or to be looked up."""
        self._summary.seen += 1
        labels = self._labeller.labels_of(outcome.candidate)
        result = outcome.result
        if isinstance(result, Refused):
            self._refuse(outcome.candidate.source, result.reason, result.message)
            return
        assert isinstance(result, Decoded)
        if result.id in self._ids:
            self._summary.duplicates += 1
            if labels:
                self._twins[result.id] = {**self._twins.get(result.id, {}), **labels}
            self._progress.advance()
            return
        self._ids.add(result.id)
        self._waiting.append(Picture(result.id, outcome, labels))
        if len(self._waiting) >= _LOOKED_UP_AT_ONCE:
            self._look_up()

    def _refuse(self, source: str, reason: str, message: str) -> None:
        self._summary.quarantined += 1
        self._summary.reasons[reason] = self._summary.reasons.get(reason, 0) + 1
        self._progress.message(f"{source} cannot be used: {message}")
        self._progress.advance(quarantined=1)

    def _look_up(self) -> None:
        """Ask which of the waiting pictures the server has, and pack the others."""
        pictures, self._waiting = self._waiting, []
        if not pictures:
            return
        known = self._db.known([one.id for one in pictures])
        self._compare_labels(known, {one.id: one.labels for one in pictures if one.id in known})
        for picture in pictures:
            if picture.id in known and self._terms.is_complete:
                self._summary.known += 1
                self._progress.advance()
            else:
                self._pack(picture)

    def _pack(self, picture: Picture) -> None:
        """Put a picture into the batch, which is sent where there is no room for it."""
        candidate, terms = picture.outcome.candidate, self._terms
        try:
            data = candidate.recipe.read(terms.body_bytes)
        except PictureError as error:
            self._refuse(candidate.source, error.reason, error.message)
            return
        if not self._batch.has_room(picture, data, terms):
            self._send()
        self._batch.add(picture, data)
        if len(self._batch.files) >= min(terms.pictures, self._options.commit_rows):
            self._send()

    def _send(self) -> None:
        """Send the batch, and follow the oldest job where several are under way."""
        batch, self._batch = self._batch, Batch()
        if not batch.files:
            return
        fields = {"labels": json.dumps(batch.labels)} if batch.labels else {}
        if self._terms.named:
            fields["spaces"] = json.dumps(self._terms.spaces)
        call = begun(Call("POST", "/v1/items", files=batch.files, fields=fields))
        answer = Fields(self._taken(call), "upload")
        for one in answer.each("quarantined"):
            # The job counts them.
            self._progress.message(f"{one.text('name')} cannot be used: {one.text('message')}")
        self._under_way.append((read_job(answer.mapping("job")), len(batch.files)))
        if len(self._under_way) > _UNDER_WAY:
            self._follow_oldest()

    def _taken(self, call: Call) -> Any:
        """What the server says to a batch, once it has room for it."""
        while True:
            try:
                return self._transport.json(call)
            except ServerBusyError:
                # Its queue is full, of these batches among others.
                if not self._under_way:
                    raise
                self._follow_oldest()

    def _follow_oldest(self) -> None:
        """See the oldest batch through, and count what became of it."""
        job, count = self._under_way.popleft()
        told = 0

        def tell(progress: JobProgress) -> None:
            nonlocal told
            more = min(progress.done, count) - told
            if more > 0:
                self._progress.advance(files=more)
                told += more

        done = decode(IngestSummary, self._db.jobs.follow(job, tell))
        summary = self._summary
        for name in ("added", "completed", "known", "duplicates", "quarantined"):
            setattr(summary, name, getattr(summary, name) + getattr(done, name))
        for reason, refused in done.reasons.items():
            summary.reasons[reason] = summary.reasons.get(reason, 0) + refused
        if count > told or done.quarantined:
            self._progress.advance(files=count - told, quarantined=done.quarantined)

    def _compare_labels(
        self, known: Mapping[int, Item], wanted: Mapping[int, Mapping[str, LabelValue]]
    ) -> None:
        """Note the labels that differ from those stored; what is not said takes nothing away."""
        for item_id, item in known.items():
            changed = {
                name: value
                for name, value in wanted.get(item_id, {}).items()
                if value is not None and item.labels.get(name) != value
            }
            if changed:
                self._changes[item_id] = {**self._changes.get(item_id, {}), **changed}

    def _set_labels(self, item_id: int, labels: Mapping[str, LabelValue]) -> None:
        """Set labels of an item, once no ingest of somebody else is in the way."""
        call = Call("PUT", f"/v1/items/{item_id}/labels", body=dict(labels), may_repeat=True)
        for _ in range(_LOCKED_TRIES):
            try:
                self._transport.json(call)
            except StoreLockedError:
                time.sleep(_LOCKED_PAUSE_S)
            else:
                return
        self._transport.json(call)
