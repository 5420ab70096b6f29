"""A database in an object store: tables and lock there, artefacts there and in a local copy."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Final, final

from latentdb.errors import StoreError, StoreExistsError
from latentdb.store.bucket import Bucket, Stored
from latentdb.store.lease import LOCK_KEY, LeaseLock, holder_of
from latentdb.store.location import AbstractLocation
from latentdb.store.polled import STALE_SECONDS, Polled
from latentdb.store.published import LIST_KEY
from latentdb.store.remote_mirror import RemoteMirror
from latentdb.store.state import AbstractState, State
from latentdb.store.troubles import plain_words
from latentdb.store.versions import RemoteVersions

CACHE: Final = "LATENTDB_CACHE"
"""Environment variable that names the folder of local copies."""

# What a creation that was cut short may have left: it is gone on with.
_BEGUN = frozenset(
    {LOCK_KEY, *(f"{name}.lance" for name in ("items", "sources", "quarantine", "spaces"))}
)

RESTORING: Final = "restore.json"
"""There while a backup is being restored: what else is there is no database yet."""


@final
class ObjectLocation(AbstractLocation):
    """Objects below one prefix of a bucket.

    Parameters
    ----------
    uri : str
        Such as `s3://bucket/faces.ldb`.

    Attributes
    ----------
    bucket : Bucket
        The objects.

    Raises
    ------
    StoreError
        The address names no bucket or no database in it, or boto3 is not installed.
    """

    def __init__(self, uri: str) -> None:
        bucket, _, prefix = uri.partition("://")[2].strip("/").partition("/")
        if not bucket or not prefix or set("@?#") & set(uri):
            raise StoreError(
                "a database in an object store is given as s3://BUCKET/NAME, such as "
                "s3://pictures/faces.ldb; keys and endpoints are set by the environment"
            )
        self.uri = f"s3://{bucket}/{prefix}"
        self.bucket = Bucket(bucket, prefix)
        self.folder = _cache() / _digest(f"{self.bucket.endpoint} {self.uri}") / Path(prefix).name
        self.lock = LeaseLock(self.bucket, self.uri)
        self._lock_seen = Polled(self.bucket, LOCK_KEY)
        listed = Polled(self.bucket, LIST_KEY)
        self.mirror = RemoteMirror(self.bucket, listed, self.folder, self.uri)
        self.versions = RemoteVersions(
            lambda: mark_of(self._lock_seen.look()), stale_seconds=STALE_SECONDS
        )
        self._state = RemoteState(self._lock_seen, listed)

    def exists(self) -> bool:
        """As the base class says."""
        return bool(self.bucket.tops())

    def read(self, name: str) -> str:
        """As the base class says."""
        there = self.bucket.get(name)
        if there is None:
            raise FileNotFoundError(f"{self.uri}/{name}")
        return there.content.decode()

    def write(self, name: str, text: str) -> None:
        """As the base class says."""
        self.lock.require_kept()
        self.bucket.put(name, text.encode())

    def tables(self) -> tuple[str, dict[str, str] | None]:
        """As the base class says; credentials LanceDB finds as the AWS SDKs do."""
        options = {
            "client_max_retries": "3",
            "client_retry_timeout": "20",
            "connect_timeout": "5s",
            "timeout": "60s",
        }
        if not self.bucket.is_aws:
            options["aws_endpoint"] = self.bucket.endpoint
            options["aws_region"] = self.bucket.region
            options["allow_http"] = str(self.bucket.endpoint.startswith("http://")).lower()
        return self.uri, options

    def create(self, build: Callable[[AbstractLocation], None]) -> None:
        """As the base class says; the version file, written last, is what makes it one."""
        there = self.bucket.tops()
        if RESTORING in there:
            raise StoreExistsError(
                f"a restore to {self.uri} was cut short or goes on; run latentdb restore again, or "
                "give another name"
            )
        if there - _BEGUN:
            raise StoreExistsError(
                f"{self.uri} exists already; open it if it is a database, or give another name"
            )
        with self.lock.held():
            build(self)

    def explain(self, told: str) -> str:
        """As the base class says."""
        return plain_words(told, bucket=self.bucket.name, endpoint=self.bucket.endpoint)

    def state(self) -> AbstractState:
        """As the base class says."""
        return self._state


@final
class RemoteState(AbstractState):
    """The state of a database in an object store, known for a second after somebody looked.

    It asks for nothing itself: whoever reads an answer from the database looks.

    Parameters
    ----------
    lock, listed : Polled
        What tells of writes to tables, and of artefacts.
    """

    def __init__(self, lock: Polled, listed: Polled) -> None:
        self._lock = lock
        self._listed = listed

    def now(self) -> State:
        """As the base class says; empty while somebody writes."""
        looks = (self._lock.last(), self._listed.last())
        mark = mark_of(looks[0][1])
        if mark is None or not all(is_fresh for is_fresh, _ in looks):
            return ()
        listed = looks[1][1]
        return _number(mark), _number("" if listed is None else listed.etag)


def mark_of(lock: Stored | None) -> str | None:
    """A mark that stays as long as nobody takes the writer's lock; None while it is taken."""
    if lock is None:
        return "never"
    return None if holder_of(lock) else lock.etag


def _cache() -> Path:
    return Path(os.environ.get(CACHE) or "~/.cache/latentdb").expanduser().absolute()


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _number(text: str) -> int:
    """Smaller than any time of a file, so that it always counts as settled."""
    return int(hashlib.sha256(text.encode()).hexdigest()[:12], 16)
