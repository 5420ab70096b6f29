"""Import: first the items, then the vectors of each space, block by block.

Every block is one commit, and what is there is passed over: killed at any moment and begun again,
an import goes on where it was, and a finished one changes nothing.
"""

from __future__ import annotations

import hashlib
import time
from pathlib import Path
from typing import Unpack, final

import numpy as np

from latentdb.arrays import BoolArray, IdArray, RealArray, is_among
from latentdb.errors import SourceError, SpaceExistsError, SpaceMismatchError
from latentdb.ingest.committer import Committer
from latentdb.ingest.label_columns import LabelColumns
from latentdb.ingest.labels import LabelTable
from latentdb.interchange.items import AbstractItems
from latentdb.interchange.label_table import label_kinds
from latentdb.interchange.plan import Plan, PlannedFile, make_plan
from latentdb.interchange.request import ImportOptions, ImportRequest
from latentdb.interchange.summary import ImportSummary, SpaceCounts
from latentdb.interchange.vector_file import Block
from latentdb.shared_space_fit import fill_shared
from latentdb.store import Store
from latentdb.store.appending import Appender
from latentdb.store.schema import require_storable
from latentdb.types import QuarantineRow, SourceRow, SpaceRows


def import_vectors(
    store: Store, source: str | Path, **options: Unpack[ImportOptions]
) -> ImportSummary:
    """Put vectors that were made elsewhere into a database, with their attributes.

    Files are refused whole, before anything is written, for their shape, dtype or number of rows;
    single rows that are not finite go to quarantine. Interrupted, it is called again and goes on
    where it was.

    Parameters
    ----------
    store : Store
    source, options
        See `ImportRequest`.

    Returns
    -------
    ImportSummary

    Raises
    ------
    SourceError, LabelsError
        A file cannot be read, rows do not correspond, or the vectors are others than those that
        were imported under that name before.
    SpaceExistsError
        The database has a space of that name with other settings.
    StoreLockedError
        Another process is writing.
    """
    request = ImportRequest(Path(source), **options)
    started = time.monotonic()
    with store.writer():
        plan = make_plan(request, store.known_sources())
        _require_room(store, plan, request)
        for file in plan.files:
            store.add_space(file.space)
        summary = _Run(store, plan, request).all()
        fill_shared(store)
    summary.seconds = time.monotonic() - started
    return summary


def _require_room(store: Store, plan: Plan, request: ImportRequest) -> None:
    """Raise unless the spaces and labels of a plan go with those of the database."""
    there = store.spaces()
    labels = set(store.label_columns())
    labels.update(*(items.labels.column_names for items in plan.items))
    for file in plan.files:
        require_storable(file.space, labels)
        if file.space.name in there:
            try:
                there[file.space.name].require_same(file.space)
            except SpaceMismatchError as error:
                raise SpaceExistsError(
                    f"space {file.space.name!r} is there with other settings; call this one "
                    f"otherwise: --space NAME={file.vectors.path.name}. {error}"
                ) from error
    columns = LabelColumns(store, tell=request.progress.message)
    for items in plan.items:
        columns.require(LabelTable(items.origin, label_kinds(items.labels), {}))


@final
class _Run:
    """The state of one import."""

    def __init__(self, store: Store, plan: Plan, request: ImportRequest) -> None:
        self._store = store
        self._plan = plan
        self._progress = request.progress
        self._known = set(store.item_ids().tolist())
        self._refused_before = {row.source for row in store.quarantined()}
        self._summary = ImportSummary(plan.dataset)

    def all(self) -> ImportSummary:
        """Take every item and every row through to the store."""
        self._progress.total(self._plan.rows)
        ids = {items: self._take_items(items) for items in self._plan.items}
        self._summary.items = len(np.unique(np.concatenate(list(ids.values()))))
        for file in self._plan.files:
            of_rows = ids[file.items] if file.vectors.ids is None else file.vectors.ids
            self._summary.spaces[file.space.name] = self._take_vectors(file, of_rows)
        return self._summary

    def _take_items(self, items: AbstractItems) -> IdArray:
        """Store the items that are new, and labels that changed; the id of each row."""
        # Each batch is written as a whole.
        committer = Committer(self._store, rows=1, seconds=1.0)
        found: list[int] = []
        for entries in items.batches(self._known):
            for entry in entries:
                found.append(entry.id)
                if entry.row is not None and entry.id not in self._known:
                    self._known.add(entry.id)
                    self._summary.added += 1
                    self._summary.with_picture += entry.row.width > 0
                    committer.add_item(entry.row)
                elif entry.labels:
                    committer.set_labels(entry.id, entry.labels)
                if entry.source is not None:
                    committer.add_source(entry.source)
            committer.flush()
            self._progress.advance(files=len(entries))
        return np.array(found, dtype=np.int64)

    def _take_vectors(self, file: PlannedFile, ids: IdArray) -> SpaceCounts:
        """Store the vectors of a file that are not there yet."""
        present = is_among(ids, self._store.vector_ids(file.space.name))
        is_first = np.zeros(len(ids), dtype=bool)
        is_first[np.unique(ids, return_index=True)[1]] = True
        counts = SpaceCounts(
            rows=len(ids),
            present=int((present & is_first).sum()),
            duplicates=int((~is_first).sum()),
        )
        with self._store.appending(file.space.name) as appender:
            for block in file.vectors.blocks():
                rows = slice(block.start, block.start + len(block.vectors))
                self._require_same(file, block, ids[rows], present[rows] & is_first[rows])
                good, bad = _sorted_out(block, is_first[rows] & ~present[rows])
                self._append(appender, block, ids[rows], good)
                self._note(file, block, ids[rows], good, bad)
                counts.quarantined += len(bad)
                self._progress.advance(files=len(block.vectors), quarantined=len(bad))
        counts.added = counts.rows - counts.present - counts.duplicates - counts.quarantined
        return counts

    def _append(self, appender: Appender, block: Block, ids: IdArray, good: BoolArray) -> None:
        """Store the good rows of a block."""
        # A mask copies what it chooses, and mostly it chooses all.
        rows = slice(None) if good.all() else good
        quality = {name: column[rows] for name, column in block.quality.items()}
        appender.append(SpaceRows(ids[rows], block.vectors[rows], quality))

    def _note(
        self, file: PlannedFile, block: Block, ids: IdArray, good: BoolArray, bad: list[int]
    ) -> None:
        """Put bad rows of a block into quarantine, and take good ones that were bad out of it."""
        path = str(file.vectors.path)
        mended = [
            SourceRow(name, _digest(block.vectors[row]), int(ids[row]))
            for row in np.flatnonzero(good)
            if (name := f"{path}#{block.start + row}") in self._refused_before
        ]
        if mended or bad:
            refused = [_refusal(path, block, row) for row in bad]
            self._store.write_batch(items=[], sources=mended, vectors={}, quarantine=refused)

    def _require_same(
        self, file: PlannedFile, block: Block, ids: IdArray, present: BoolArray
    ) -> None:
        """Raise when a row of a block that is there already, is there with another vector."""
        if not present.any():
            return
        row = int(np.argmax(present))
        stored = self._store.vectors(file.space.name, [int(ids[row])])[0]
        if not np.array_equal(stored, block.vectors[row].astype(np.float32)):
            raise SourceError(
                f"row {block.start + row} of {file.vectors.path} is another vector than item "
                f"{int(ids[row])} has in space {file.space.name!r}: the file was changed since, or "
                "is of another data set (--name) or space (--space NAME=FILE)"
            )


def _sorted_out(block: Block, is_new: BoolArray) -> tuple[BoolArray, list[int]]:
    """Of the new rows of a block, which are finite, and the numbers of those that are not."""
    some = slice(None) if is_new.all() else is_new
    good = is_new.copy()
    good[some] = np.isfinite(block.vectors[some]).all(axis=1)
    return good, np.flatnonzero(is_new & ~good).tolist()


def _refusal(path: str, block: Block, row: int) -> QuarantineRow:
    """Why a row of a block was not stored."""
    name = f"{path}#{block.start + row}"
    if row in block.refused:
        return QuarantineRow(name, "", "wrong_shape", block.refused[row])
    count = int((~np.isfinite(block.vectors[row])).sum())
    message = f"{count} of {block.vectors.shape[1]} numbers are NaN or infinite"
    return QuarantineRow(name, "", "not_finite", message)


def _digest(vector: RealArray) -> str:
    return hashlib.sha256(np.ascontiguousarray(vector).tobytes()).hexdigest()
