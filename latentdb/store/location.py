"""Where a database is: what differs between a folder of this machine and an object store."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

from latentdb.store.lock import AbstractWriterLock
from latentdb.store.mirror import AbstractMirror
from latentdb.store.state import AbstractState
from latentdb.store.versions import AbstractVersions


class AbstractLocation(ABC):
    """One place of a database, with the parts of a store that differ between kinds of places.

    Attributes
    ----------
    is_read_only : bool
        Whether it is a past state of a database.
    uri : str
        What the database is called by, in texts and to open it again.
    folder : Path
        Local folder of its artefacts.
    lock : AbstractWriterLock
        The right to write.
    mirror : AbstractMirror
        Publishes artefacts.
    versions : AbstractVersions
        Knows which tables may have changed.
    """

    is_read_only: ClassVar[bool] = False
    uri: str
    folder: Path
    lock: AbstractWriterLock
    mirror: AbstractMirror
    versions: AbstractVersions

    def require_writable(self) -> None:  # noqa: B027 - most places may be written to
        """Raise StoreReadOnlyError where it is a past state of a database."""

    @abstractmethod
    def exists(self) -> bool:
        """Whether there is anything, database or not."""

    @abstractmethod
    def read(self, name: str) -> str:
        """Text of a small file beside the tables; FileNotFoundError where there is none."""

    @abstractmethod
    def write(self, name: str, text: str) -> None:
        """Replace that file in one step: a reader sees the old one or the new one."""

    @abstractmethod
    def tables(self) -> tuple[str, dict[str, str] | None]:
        """Address and options that LanceDB opens the tables by."""

    @abstractmethod
    def create(self, build: Callable[[AbstractLocation], None]) -> None:
        """Make a database by what `build` writes, complete or not at all.

        Raises
        ------
        StoreExistsError
            There is something already.
        """

    def explain(self, told: str) -> str:
        """What LanceDB told of a failure, in words that say what to do where those are known."""
        return told

    @abstractmethod
    def state(self) -> AbstractState:
        """Tells changes of the database to who keeps answers."""
