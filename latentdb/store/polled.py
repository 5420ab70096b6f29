"""One small object of a bucket that tells of changes, looked at once a second at most."""

from __future__ import annotations

import threading
import time
from typing import Final, final

from latentdb.store.bucket import Bucket, Stored

STALE_SECONDS: Final = 1.0
"""How far behind other machines' writes an answer may be."""


@final
class Polled:
    """An object as it was a second ago at most.

    A look asks for the object only if it has changed, which costs one small request.

    Parameters
    ----------
    bucket : Bucket
    key : str
    """

    def __init__(self, bucket: Bucket, key: str) -> None:
        self._bucket = bucket
        self._key = key
        self._known: Stored | None = None
        self._at: float | None = None
        self._lock = threading.Lock()

    def look(self, *, again: bool = False) -> Stored | None:
        """The object, None where there is none; `again` asks however short ago the last look was.

        Raises
        ------
        StoreIOError
            The object store does not answer, or refuses.
        """
        with self._lock:
            if again or not self._is_fresh():
                # Before the answer: what comes after it is seen at the next look.
                at = time.monotonic()
                known = self._known
                self._known = (
                    self._bucket.get(self._key)
                    if known is None
                    else self._bucket.get_unless(self._key, known)
                )
                self._at = at
            return self._known

    def last(self) -> tuple[bool, Stored | None]:
        """Whether the last look is fresh, and what it found; nothing is asked."""
        return self._is_fresh(), self._known

    def _is_fresh(self) -> bool:
        return self._at is not None and time.monotonic() - self._at < STALE_SECONDS
