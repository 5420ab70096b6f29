"""One writer at a time in an object store: a lease, which ends by itself when its holder dies.

The lock is one small object. Whoever holds it rewrites it every few seconds; once that has not
been done for `LEASE_SECONDS`, another may take it. Every write of it names the ETag that it
replaces, so of several that try the server lets one through. Times are compared on the server's
clock alone, when the object was last written with when the server answers, so that clocks of
clients may be wrong. A holder reckons by its own steady clock and stops early.
"""

from __future__ import annotations

import json
import logging
import os
import socket
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, Final, final

from latentdb.errors import StoreError, StoreIOError, StoreLockedError
from latentdb.store.bucket import ABSENT, Bucket, Stored
from latentdb.store.lock import AbstractWriterLock

LOCK_KEY: Final = "writer.lock"
LEASE_SECONDS: Final = 30.0
_LOG = logging.getLogger(__name__)
# The server tells times in whole seconds.
_ROUNDING = timedelta(seconds=1)
# A holder stops so much of the lease before its end: a commit that has begun ends in that time.
_MARGIN = 1 / 6
_TRIES = 3
_NO_ETAG = '"00000000000000000000000000000000"'


@final
class LeaseLock(AbstractWriterLock):
    """The right to write to one database in an object store.

    Parameters
    ----------
    bucket : Bucket
        The objects of the database.
    uri : str
        What the database is called in texts.
    seconds : float
        How long the lock outlives its last renewal.
    """

    def __init__(self, bucket: Bucket, uri: str, *, seconds: float = LEASE_SECONDS) -> None:
        self._bucket = bucket
        self._uri = uri
        self._seconds = seconds
        self._transition = threading.Lock()
        self._depth = 0
        self._turn = 0
        self._owner = ""
        self._etag: str | None = None
        self._kept_until = 0.0
        self._released = threading.Event()
        self._conditions_hold = False

    @contextmanager
    def held(self) -> Iterator[None]:
        """As the base class says."""
        with self._transition:
            if self._depth == 0:
                self._acquire()
            self._depth += 1
        try:
            yield
        finally:
            with self._transition:
                self._depth -= 1
                if self._depth == 0:
                    self._release()

    def require_kept(self) -> None:
        """As the base class says."""
        if self._depth and (self._etag is None or time.monotonic() >= self._kept_until):
            raise StoreLockedError(
                f"the right to write to {self._uri} was lost: it could not be renewed for "
                f"{self._seconds * (1 - _MARGIN):.0f} s. Nothing more is written; run it again"
            )

    def _acquire(self) -> None:
        self._owner = uuid.uuid4().hex
        for _ in range(_TRIES):
            there = self._bucket.get(LOCK_KEY)
            if there is not None and self._is_held(there):
                raise StoreLockedError(self._told(there))
            if self._renewed(ABSENT if there is None else there.etag):
                break
        else:
            raise StoreLockedError(f"{self._uri} was locked by others meanwhile; try again")
        self._require_conditions()
        self._released = threading.Event()
        threading.Thread(
            target=self._keep, args=(self._released,), name="latentdb-lease", daemon=True
        ).start()

    def _is_held(self, there: Stored) -> bool:
        """Whether another has it, by the server's clock."""
        record = holder_of(there)
        if record is None or record["owner"] == self._owner:
            return False
        return there.asked - there.modified <= timedelta(seconds=record["lease_s"]) + _ROUNDING

    def _told(self, there: Stored) -> str:
        record = holder_of(there) or {}
        ago = (there.asked - there.modified).total_seconds()
        left = max(0.0, record["lease_s"] - ago) + _ROUNDING.total_seconds()
        return (
            f"{self._uri} is being written by process {record['pid']} on {record['host']}, which "
            f"was last heard of {ago:.0f} s ago; wait for it to end, or stop it. Were it dead, "
            f"the lock would be free in {left:.0f} s"
        )

    def _renewed(self, expected: str) -> bool:
        """Write the lock over the object of that ETag; whether it was still there."""
        self._turn += 1
        record = {
            "owner": self._owner,
            "pid": os.getpid(),
            "host": socket.gethostname(),
            "lease_s": self._seconds,
            "turn": self._turn,
        }
        # Reckoned from before the request: the server's clock starts later.
        until = time.monotonic() + self._seconds * (1 - _MARGIN)
        etag = self._bucket.put(LOCK_KEY, json.dumps(record).encode(), expected=expected)
        if etag is None:
            return False
        self._etag, self._kept_until = etag, until
        return True

    def _require_conditions(self) -> None:
        """Raise where the server lets a write through that names what is not there."""
        if self._conditions_hold:
            return
        probe = json.dumps({"owner": None, "turn": -1}).encode()
        for condition in (ABSENT, _NO_ETAG):
            if self._bucket.put(LOCK_KEY, probe, expected=condition) is not None:
                raise StoreError(
                    f"{self._bucket.endpoint} ignores conditional writes, without which two "
                    "writers destroy each other's work; use an object store that has them "
                    "(AWS S3, Cloudflare R2, MinIO)"
                )
        self._conditions_hold = True

    def _keep(self, released: threading.Event) -> None:
        """Renew until it is given back or lost."""
        wait = self._seconds / 3
        while not released.wait(wait):
            with self._transition:
                if released.is_set() or self._etag is None:
                    return
                try:
                    self._renew(self._etag)
                    wait = self._seconds / 3
                except StoreIOError as error:
                    # Until `_kept_until` there is time to try again.
                    _LOG.info("the writer's lock was not renewed: %s", error)
                    wait = self._seconds / 10

    def _renew(self, etag: str) -> None:
        if self._renewed(etag):
            return
        there = self._bucket.get(LOCK_KEY)
        record = None if there is None else holder_of(there)
        # A renewal that got no answer may have been written all the same.
        is_ours = record is not None and record["owner"] == self._owner
        self._etag = there.etag if is_ours and there is not None else None

    def _release(self) -> None:
        self._released.set()
        if self._etag is None:
            return
        self._turn += 1
        free = json.dumps({"owner": None, "turn": self._turn, "by": self._owner}).encode()
        try:
            self._bucket.put(LOCK_KEY, free, expected=self._etag)
        except StoreIOError as error:
            _LOG.warning("the writer's lock ends in %.0f s only: %s", self._seconds, error)
        self._etag = None


def holder_of(there: Stored) -> dict[str, Any] | None:
    """Record of who has the lock; None where it is free. One that is torn is nobody's."""
    try:
        record = json.loads(there.content)
        if record["owner"] is None:
            return None
        return {
            "owner": str(record["owner"]),
            "pid": int(record["pid"]),
            "host": str(record["host"]),
            "lease_s": float(record["lease_s"]),
        }
    except (ValueError, KeyError, TypeError):
        return None
