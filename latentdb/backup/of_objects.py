"""A database in an object store at one moment.

The writer's lock is held while objects are listed. The files of tables never change, and each
object is asked for by the ETag that it was listed with, so they are copied afterwards while others
write. What compaction pruned meanwhile is gone: then there has to be another moment. Artefacts are
those of one list (`store.published`), read from the local copy where that holds the same content.

A folder of the same database has the same files at the same paths, but for the seals of tables.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Final

from latentdb.backup.content import blocks_of
from latentdb.backup.moment import GoneError, Moment, SourceFile, source_file
from latentdb.errors import StoreIOError
from latentdb.store import Store
from latentdb.store.bucket import Bucket, Listed
from latentdb.store.cut import settled_below
from latentdb.store.format import FORMAT_FILE
from latentdb.store.object_location import ObjectLocation
from latentdb.store.published import LIST_KEY, Published, PublishedFile
from latentdb.store.seals import SEAL
from latentdb.store.table_files import TABLE, files_of_version, latest_manifest
from latentdb.store.tables import Tables

AT_ONCE: Final = 8
OF_THE_MACHINE: Final = ("jobs", "reports", "uploads")
"""Folders of the local copy that are published nowhere."""


def moment_of_objects(store: Store, place: ObjectLocation) -> Moment:
    """The database as it is now.

    Raises
    ------
    StoreLockedError
        Somebody else is writing.
    StoreIOError
        A table lacks files, or the object store does not answer.
    """
    with store.exclusively():
        there = {one.key: one for one in place.bucket.list()}
        files = [_object(place.bucket, there[FORMAT_FILE]), *_tables(place, there)]
        files += _artefacts(place)
        return Moment(
            created_at=datetime.now(UTC).isoformat(timespec="seconds"),
            items=len(store.item_ids()),
            spaces=tuple(store.spaces()),
            files=(*files, *_of_this_machine(place.folder)),
            at_once=AT_ONCE,
        )


def _tables(place: ObjectLocation, there: dict[str, Listed]) -> Iterator[SourceFile]:
    """The latest version of every table."""
    tables = Tables(place)
    for table in sorted(tables.names()):
        below = f"{table}{TABLE}/"
        paths = [key.removeprefix(below) for key in there if key.startswith(below)]
        # One that was copied here from a folder tells nothing of what was written since.
        paths = [path for path in paths if path != SEAL]
        latest = latest_manifest(paths, table)
        manifest = place.bucket.get(below + latest)
        if manifest is None:
            raise GoneError(below + latest)
        needed = files_of_version(
            paths,
            latest,
            manifest.content,
            # A piece is of one file at least. Its exact number is asked of every version there is.
            data_files=tables.table(table).fragments(),
            table=table,
        )
        yield from (_object(place.bucket, there[below + path]) for path in needed)


def _object(bucket: Bucket, found: Listed) -> SourceFile:
    nanoseconds = int(found.modified.timestamp()) * 10**9
    read = partial(_object_blocks, bucket, found)
    return SourceFile(found.key, found.size, nanoseconds, found.etag, read)


def _object_blocks(bucket: Bucket, found: Listed) -> Iterator[bytes]:
    try:
        yield from bucket.blocks(found.key, etag=found.etag)
    except FileNotFoundError as error:
        raise GoneError(found.key) from error


def _artefacts(place: ObjectLocation) -> Iterator[SourceFile]:
    listed = place.bucket.get(LIST_KEY)
    if listed is None:
        return
    published = Published.parse(listed.content, f"{place.uri}/{LIST_KEY}")
    nanoseconds = int(listed.modified.timestamp()) * 10**9
    for path, one in published.files.items():
        read = partial(_artefact_blocks, place, path, one)
        yield SourceFile(path, one.size, nanoseconds, one.sha256, read)


def _artefact_blocks(place: ObjectLocation, path: str, one: PublishedFile) -> Iterator[bytes]:
    copy = place.folder / path
    try:
        with copy.open("rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() == one.sha256:
                file.seek(0)
                yield from iter(lambda: file.read(2**20), b"")
                return
    except FileNotFoundError:
        pass
    digest = hashlib.sha256()
    try:
        for block in place.bucket.blocks(one.key):
            digest.update(block)
            yield block
    except FileNotFoundError as error:
        raise GoneError(path) from error
    if digest.hexdigest() != one.sha256:
        raise StoreIOError(
            f"the object {one.key} of {path} in {place.uri} is torn; run latentdb check --repair"
        )


def _of_this_machine(folder: Path) -> Iterable[SourceFile]:
    """Uploads, jobs and reports; those that go meanwhile are left out."""
    for top in OF_THE_MACHINE:
        if not (folder / top).is_dir():
            continue
        for path in settled_below(folder / top):
            try:
                yield source_file(folder, f"{top}/{path.as_posix()}", _own_blocks)
            except FileNotFoundError:
                continue


def _own_blocks(path: Path) -> Iterator[bytes]:
    try:
        yield from blocks_of(path)
    except FileNotFoundError as error:
        raise GoneError(path.name) from error
