"""Artefacts of a database in an object store: a local copy, and the list that all machines share.

Publishing: every new file becomes an object of its own, and is checked; then the list is replaced
on the condition that it is the one that was read; then the objects that it no longer names go.
Whatever is killed in between leaves objects that no list names, which `sweep` deletes later.
"""

from __future__ import annotations

import hashlib
import logging
import threading
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Final, final

from filelock import FileLock, Timeout

from latentdb.errors import StoreIOError, StoreLockedError
from latentdb.store.bucket import ABSENT, Bucket, Stored
from latentdb.store.local_copy import LocalCopy, in_order, is_pointer
from latentdb.store.mirror import AbstractMirror
from latentdb.store.polled import Polled
from latentdb.store.problems import Problem
from latentdb.store.published import LIST_KEY, OBJECTS, Published, PublishedFile

_LOG = logging.getLogger(__name__)
_AT_ONCE = 8
_TRIES = 5
# An object that no list names yet may be on its way.
_ORPHAN_AGE = timedelta(hours=24)
# Of processes with one copy, the first fetches for all.
_FIRST_SECONDS = 30
_UNKNOWN: Final = "unknown"


@final
class RemoteMirror(AbstractMirror):
    """Publishes artefacts as objects, and keeps a local copy of all of them.

    Parameters
    ----------
    bucket : Bucket
        The objects of the database.
    listed : Polled
        The list among them.
    folder : Path
        The local copy; made when missing.
    uri : str
        What the database is called in texts.
    """

    def __init__(self, bucket: Bucket, listed: Polled, folder: Path, uri: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._bucket = bucket
        self._folder = folder
        self._listed = listed
        self._uri = uri
        self._copy = LocalCopy(folder)
        # ETag of the list that the copy was last the same as.
        self._at: str | None = _UNKNOWN
        self._was_whole = False
        self._threads = threading.RLock()
        self._processes = FileLock(folder / ".copy.lock", thread_local=False)
        # Files below each top that is being changed, as they were before.
        self._changing: dict[str, set[str]] = {}

    def catch_up(self) -> None:
        """As the base class says; asked of the object store once a second at most.

        While another thread or process changes artefacts, they stay as they are here.
        """
        if self._at == _etag(self._listed.look()):
            return
        if not self._threads.acquire(blocking=not self._was_whole):
            return
        try:
            if not self._changing:
                with self._processes.acquire(timeout=0 if self._was_whole else _FIRST_SECONDS):
                    self._bring()
            self._was_whole = True
        except Timeout as error:
            if not self._was_whole and not self._copy.is_noted():
                raise StoreLockedError(
                    f"another process is fetching the artefacts of {self._uri}; try again later"
                ) from error
            self._was_whole = True
        finally:
            self._threads.release()

    @contextmanager
    def changing(self, top: str) -> Iterator[None]:
        """As the base class says.

        Raises
        ------
        StoreLockedError
            `top` is a file, and another machine changed it meanwhile.
        StoreIOError
            What was changed could not be published; it is taken back.
        """
        with self._threads, self._processes:
            if self._changing:
                self._changing.setdefault(top, self._copy.paths([top]))
                yield
                return
            before, _ = self._bring()
            self._changing[top] = self._copy.paths([top])
            try:
                yield
                self._publish(before)
            except BaseException:
                # What was not published is taken back at the next look.
                self._at = _UNKNOWN
                raise
            finally:
                self._changing.clear()

    def refetch(self) -> bool:
        """As the base class says."""
        with self._threads, self._processes:
            return not self._changing and self._bring(anew=True)[1]

    def _bring(self, *, anew: bool = False) -> tuple[Published, bool]:
        """Make the copy what is published; the list, and whether a file was fetched.

        A file whose object is lost is left out, so that whoever needs it says what is missing.
        """
        for _ in range(_TRIES):
            listed = self._listed.look(again=True)
            published = self._parsed(listed)
            here = self._copy.digests(self._copy.paths(), anew=anew)
            files = published.files
            stale = [path for path, one in files.items() if here.get(path) != one.sha256]
            lost = self._fetch({path: files[path] for path in in_order(stale)})
            # Objects go once a newer list does without them.
            if not lost or _etag(self._listed.look(again=True)) == _etag(listed):
                break
        for path in lost:
            _LOG.warning("%s: the object of %s is lost or torn", self._uri, path)
        fetched = {path: files[path].sha256 for path in set(stale) - lost}
        self._copy.remove(((here.keys() - files.keys()) | lost) & here.keys())
        kept = {path: digest for path, digest in here.items() if path in files.keys() - lost}
        self._copy.note({**kept, **fetched})
        self._at = _etag(listed)
        return published, bool(fetched)

    def _fetch(self, files: Mapping[str, PublishedFile]) -> set[str]:
        """Put files here, several at a time, pointers last; those whose object is lost."""
        lost: set[str] = set()
        for group in (False, True):
            paths = [path for path in files if is_pointer(path) == group]
            with ThreadPoolExecutor(_AT_ONCE) as pool:
                done = pool.map(lambda one: self._copy.fetch(self._bucket, one, files[one]), paths)
                lost |= {path for path, is_whole in zip(paths, done, strict=True) if not is_whole}
        return lost

    def _publish(self, before: Published) -> None:
        """Publish what was changed, made and removed since the list was `before`."""
        here = self._copy.digests(self._copy.paths(self._changing))
        changed = {
            path: PublishedFile.of(self._folder / path)
            for path, digest in here.items()
            if path not in before.files or before.files[path].sha256 != digest
        }
        removed = set().union(*self._changing.values()) - here.keys()
        if not changed and not removed:
            return
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            list(pool.map(lambda one: self._upload(one, changed[one]), changed))
        after = self._listed_with(before, changed, removed)
        touched = changed.keys() | removed
        old = {before.files[path].key for path in touched if path in before.files}
        self._delete(old - {one.key for one in after.files.values()})
        is_alone = after == before.changed(changed, removed)
        listed = self._listed.look(again=True)
        if is_alone and self._parsed(listed) == after:
            self._copy.note({path: one.sha256 for path, one in after.files.items()})
            self._at = _etag(listed)
        else:
            self._at = _UNKNOWN

    def _upload(self, path: str, one: PublishedFile) -> None:
        self._bucket.upload(one.key, self._folder / path)

    def _listed_with(
        self, before: Published, changed: Mapping[str, PublishedFile], removed: set[str]
    ) -> Published:
        """Replace the list by one with these changes, whatever others change meanwhile."""
        for _ in range(_TRIES):
            listed = self._listed.look(again=True)
            now = self._parsed(listed)
            for top in self._changing:
                # A file that was read and is written back, not a folder of files.
                if now.files.get(top) not in (before.files.get(top), changed.get(top)):
                    raise StoreLockedError(
                        f"another machine changed {self._uri}/{top} meanwhile; run the same again"
                    )
            after = now.changed(changed, removed)
            expected = ABSENT if listed is None else listed.etag
            if self._bucket.put(LIST_KEY, after.to_bytes(), expected=expected) is not None:
                return after
        raise StoreIOError(
            f"others publish artefacts of {self._uri} all the time; run the same again"
        )

    def _delete(self, keys: Iterable[str]) -> None:
        for key in keys:
            try:
                self._bucket.delete(key)
            except StoreIOError as error:
                _LOG.info("left to be swept: %s", error)

    def problems(self, *, repair: bool) -> list[Problem]:
        """As the base class says; reads every object."""
        self.refetch()
        published = self._parsed(self._listed.look(again=True))
        found = []
        for path, one in published.files.items():
            if not (fault := self._fault(one)):
                continue
            is_here = self._copy.digests([path] if path in self._copy.paths() else [], anew=True)
            can_be_mended = is_here.get(path) == one.sha256
            if repair and can_be_mended:
                self._upload(path, one)
            else:
                detail = f"the object {one.key} is {fault}; " + (
                    "a whole copy is here" if can_be_mended else "make it anew"
                )
                found.append(Problem("lost_artefact", path, 1, detail, can_be_mended))
        return found

    def _fault(self, one: PublishedFile) -> str:
        """What is wrong with an object; empty when nothing is."""
        digest = hashlib.sha256()
        try:
            for block in self._bucket.blocks(one.key):
                digest.update(block)
        except FileNotFoundError:
            return "lost"
        return "" if digest.hexdigest() == one.sha256 else "torn"

    def sweep(self) -> None:
        """As the base class says."""
        # Asked for anew: of one that has not changed the time of asking would be an old one.
        listed = self._bucket.get(LIST_KEY)
        if listed is None:
            return
        named = {one.key for one in self._parsed(listed).files.values()}
        old = listed.asked - _ORPHAN_AGE
        objects = list(self._bucket.list(OBJECTS))
        self._delete(one.key for one in objects if one.key not in named and one.modified < old)

    def _parsed(self, listed: Stored | None) -> Published:
        if listed is None:
            return Published()
        return Published.parse(listed.content, f"{self._uri}/{LIST_KEY}")


def _etag(listed: Stored | None) -> str | None:
    return None if listed is None else listed.etag
