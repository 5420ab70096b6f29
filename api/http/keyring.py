"""Who has which key: the keys of a file, read again when it changes."""

from __future__ import annotations

import hmac
import logging
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import final

from api.http.keys import KEY_PATTERN, Key, KeyFile, KeysError, KeySet, digest_of

# A revoked key stops within this and the time of one request.
LOOK_AGAIN_S = 0.5
# What an unknown id is compared with, so that it takes as long as a wrong secret.
_NOBODYS_DIGEST = digest_of("nobody's")

_log = logging.getLogger("latentdb.http")


@final
class KeysUnreadableError(Exception):
    """The file of keys went bad while the server runs: nobody is let in until it is mended."""


@final
class KeyRing:
    """The keys of one file as they are now.

    Parameters
    ----------
    path : Path
        Read at once, so that a server whose keys are not in order does not start.
    clock : callable
        Seconds, monotonic.

    Raises
    ------
    KeysError
        The file cannot be used.
    """

    def __init__(self, path: Path, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._file = KeyFile(path)
        self._clock = clock
        self._lock = threading.Lock()
        self._stamp = self._stamp_now()
        self._keys: KeySet | None = self._file.read()
        self._by_id = {key.id: key for key in self._keys.keys}
        self._looked_at = clock()

    def holder(self, presented: str) -> Key | None:
        """The valid key that a client presents, or None.

        Raises
        ------
        KeysUnreadableError
            The file cannot be read any more.
        """
        self.current()
        well_formed = KEY_PATTERN.fullmatch(presented)
        found = self._by_id.get(well_formed[1]) if well_formed else None
        expected = _NOBODYS_DIGEST if found is None else found.digest
        is_its_own = hmac.compare_digest(digest_of(presented), expected)
        return found if found is not None and is_its_own and found.is_valid() else None

    def by_id(self, key_id: str) -> Key | None:
        """The valid key of that id; for those who showed otherwise that they hold it."""
        self.current()
        found = self._by_id.get(key_id)
        return found if found is not None and found.is_valid() else None

    def current(self) -> KeySet:
        """What the file holds, at most half a second ago.

        Raises
        ------
        KeysUnreadableError
            It cannot be read.
        """
        now = self._clock()
        if now - self._looked_at >= LOOK_AGAIN_S:
            with self._lock:
                self._look(now)
        if self._keys is None:
            raise KeysUnreadableError
        return self._keys

    def _look(self, now: float) -> None:
        self._looked_at = now
        stamp = self._stamp_now()
        if stamp == self._stamp and self._keys is not None:
            return
        try:
            read = self._file.read()
        except KeysError as error:
            if self._keys is not None:
                _log.error("nobody is let in until the keys are in order: %s", error)
            self._keys = None
            return
        self._by_id = {key.id: key for key in read.keys}
        self._keys, self._stamp = read, stamp

    def _stamp_now(self) -> tuple[int, int, int, int] | None:
        """What differs once the file was replaced, written, or given to others."""
        try:
            status = self._file.path.stat()
        except OSError:
            return None
        return (status.st_ino, status.st_mtime_ns, status.st_size, status.st_mode)
