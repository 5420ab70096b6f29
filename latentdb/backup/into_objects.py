"""Making a database in an object store of a backup.

Everything is verified before anything is written. A mark (`RESTORING`) is the first object, and the
version file the last but for taking the mark away: what is there between is no database, is opened
by nobody, and is gone on with by the next restore, of this backup or of another.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import final

from latentdb.backup.content import hash_file
from latentdb.backup.facts import Backup, KeptFile, Tally
from latentdb.backup.into_folder import is_seal, restore_file
from latentdb.backup.of_objects import AT_ONCE
from latentdb.backup.repository import Repository
from latentdb.errors import BackupError, StoreExistsError, StoreIOError
from latentdb.progress import Progress
from latentdb.store.bucket import Listed, etag_of
from latentdb.store.format import FORMAT_FILE
from latentdb.store.lease import LOCK_KEY
from latentdb.store.object_location import RESTORING, ObjectLocation
from latentdb.store.published import LIST_KEY, OBJECTS, TOPS, Published, PublishedFile, sha256_of
from latentdb.store.table_files import TABLE


def restore_into_objects(
    repository: Repository, chosen: Backup, place: ObjectLocation, progress: Progress
) -> None:
    """Make the database; what belongs to a machine comes into the local copy. See `restore`."""
    _require_free(place)
    _verify(repository, chosen, progress)
    plan = _Plan.of(repository, chosen)
    tally = Tally(progress, plan.total_bytes, "restoring")
    with place.lock.held():
        # Another may have restored meanwhile.
        _require_free(place)
        place.write(RESTORING, json.dumps({"backup": chosen.id}))
        _upload(repository, plan.objects, place, tally)
        place.write(LIST_KEY, plan.listed.to_bytes().decode())
        _keep_here(repository, plan.own, place.folder, tally)
        place.write(FORMAT_FILE, plan.version)
        place.bucket.delete(RESTORING)


@final
@dataclass(frozen=True)
class _Plan:
    """Where the files of a backup go.

    Parameters
    ----------
    objects : mapping of str to KeptFile
        By key.
    listed : Published
        Those among them that are artefacts.
    own : tuple of KeptFile
        For the local copy.
    version : str
        Text of the version file.
    """

    objects: Mapping[str, KeptFile]
    listed: Published
    own: tuple[KeptFile, ...]
    version: str

    @classmethod
    def of(cls, repository: Repository, chosen: Backup) -> _Plan:
        """The plan of a backup that was verified."""
        objects: dict[str, KeptFile] = {}
        listed: dict[str, PublishedFile] = {}
        own: list[KeptFile] = []
        version = None
        for file in chosen.files:
            top = file.path.split("/")[0]
            if file.path == FORMAT_FILE:
                version = repository.content(file).read_text(encoding="utf-8")
            elif top in TOPS:
                listed[file.path] = published = _published(repository, file)
                objects[published.key] = file
            elif not top.endswith(TABLE):
                own.append(file)
            elif not is_seal(file.path):
                objects[file.path] = file
        if version is None:
            raise BackupError(f"backup {chosen.id} has no {FORMAT_FILE}: it is of no database")
        return cls(objects, Published(listed), tuple(own), version)

    @property
    def total_bytes(self) -> int:
        """Of all but the version file."""
        return sum(file.bytes for file in (*self.objects.values(), *self.own))


def _published(repository: Repository, file: KeptFile) -> PublishedFile:
    """An artefact, under a key that the same restore finds again and no other file has."""
    digest = sha256_of(repository.content(file))
    place = blake2b(file.path.encode(), digest_size=4).hexdigest()
    return PublishedFile(digest, file.bytes, f"{OBJECTS}{digest[:16]}-{place}")


def _require_free(place: ObjectLocation) -> None:
    """Raise where there is anything but what a restore left that was cut short."""
    there = place.bucket.tops()
    is_begun = RESTORING in there and FORMAT_FILE not in there
    if there - {LOCK_KEY} and not is_begun:
        raise StoreExistsError(
            f"{place.uri} exists already; give a new name: nothing is restored over"
        )


def _verify(repository: Repository, chosen: Backup, progress: Progress) -> None:
    tally = Tally(progress, chosen.total_bytes, "verifying")
    for file in chosen.files:
        repository.require_same(file, hash_file(repository.required(file)))
        tally(file.bytes)


def _upload(
    repository: Repository, objects: Mapping[str, KeptFile], place: ObjectLocation, tally: Tally
) -> None:
    """Write the objects that are not there yet, and delete those of another backup."""
    there = {one.key: one for one in place.bucket.list()}
    for key in there.keys() - objects.keys() - {LOCK_KEY, RESTORING}:
        place.bucket.delete(key)

    def upload(key: str) -> None:
        file = objects[key]
        content = repository.content(file)
        if not _is_same(there.get(key), content):
            place.lock.require_kept()
            place.bucket.upload(key, content)
        tally(file.bytes)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(upload, objects))


def _is_same(found: Listed | None, content: Path) -> bool:
    if found is None or found.size != content.stat().st_size:
        return False
    return found.etag == etag_of(content)


def _keep_here(
    repository: Repository, files: tuple[KeptFile, ...], folder: Path, tally: Tally
) -> None:
    """Put uploads, jobs and reports into the local copy."""
    try:
        for file in files:
            target = folder / file.path
            draft = target.with_name(f".{target.name}.new")
            draft.unlink(missing_ok=True)
            restore_file(repository, file, draft, tally)
            draft.replace(target)
    except OSError as error:
        raise StoreIOError(
            f"writing to {folder} failed: {error}; run the same again, which goes on"
        ) from error
