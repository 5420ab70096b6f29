"""One writer at a time: an exclusive file lock that dies with its holder, even under kill -9."""

from __future__ import annotations

import json
import os
import socket
import threading
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import final

from filelock import FileLock, Timeout

from latentdb.errors import StoreIOError, StoreLockedError


class AbstractWriterLock(ABC):
    """The right to write to one database; re-entrant and shared by threads."""

    @abstractmethod
    def held(self) -> AbstractContextManager[None]:
        """Hold the lock for the length of the block.

        Raises
        ------
        StoreLockedError
            Another process, or another `Store` of this one, holds it; the text names it.
        """

    @abstractmethod
    def require_kept(self) -> None:
        """Raise StoreLockedError where the lock was taken and has been lost since.

        Asked before each commit.
        """


@final
class WriterLock(AbstractWriterLock):
    """The right to write to one database folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        # The operating system lets go of it when the process ends, however it ends.
        self._lock = FileLock(folder / "writer.lock", timeout=0, thread_local=False)
        self._holder = folder / "writer.json"
        self._transition = threading.Lock()

    @contextmanager
    def held(self) -> Iterator[None]:
        """As the base class says."""
        with self._transition:
            self._acquire()
        try:
            yield
        finally:
            with self._transition:
                self._lock.release()

    def require_kept(self) -> None:
        """Nothing: the operating system takes it from no process that lives."""

    def _acquire(self) -> None:
        first = not self._lock.is_locked
        try:
            self._lock.acquire()
        except Timeout as error:
            raise StoreLockedError(
                f"{self._folder} is being written by {self._describe_holder()}; wait for it to "
                "end, or stop it"
            ) from error
        except OSError as error:
            raise self._unwritable(error) from error
        if first:
            holder = {"pid": os.getpid(), "host": socket.gethostname()}
            try:
                self._holder.write_text(json.dumps(holder), encoding="utf-8")
            except OSError as error:
                self._lock.release()
                raise self._unwritable(error) from error

    def _unwritable(self, error: OSError) -> StoreIOError:
        return StoreIOError(f"{self._folder} cannot be written to: {error}")

    def _describe_holder(self) -> str:
        """The process that wrote its name last; advisory, so anything unreadable is passed over."""
        try:
            holder = json.loads(self._holder.read_text(encoding="utf-8"))
            return f"process {int(holder['pid'])} on {holder['host']}"
        except (OSError, ValueError, KeyError, TypeError):
            return "another process"
