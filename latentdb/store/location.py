"""Where a database is: a folder of this machine, or an object store."""

from __future__ import annotations

import os
import re
import shutil
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from tempfile import mkdtemp
from typing import ClassVar, final
from urllib.parse import unquote, urlsplit

from latentdb.errors import StoreError, StoreExistsError
from latentdb.store.lock import AbstractWriterLock, WriterLock
from latentdb.store.mirror import AbstractMirror, InPlace
from latentdb.store.state import AbstractState, DatabaseState
from latentdb.store.versions import AbstractVersions, FolderVersions

# One letter before the colon is a Windows drive, not a scheme.
_SCHEME = re.compile(r"^([A-Za-z][A-Za-z0-9+.-]+):")
_OTHER_STORES = frozenset({"abfs", "abfss", "adl", "az", "azure", "gcs", "gs", "oss"})


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


@final
class LocalFolder(AbstractLocation):
    """A folder of this machine.

    Parameters
    ----------
    folder : Path
    """

    def __init__(self, folder: Path) -> None:
        self.uri = str(folder)
        self.folder = folder
        self.lock = WriterLock(folder)
        self.mirror = InPlace()
        self.versions = FolderVersions(folder)

    def exists(self) -> bool:
        """As the base class says."""
        return self.folder.exists()

    def read(self, name: str) -> str:
        """As the base class says."""
        try:
            return (self.folder / name).read_text(encoding="utf-8")
        except NotADirectoryError as error:
            raise FileNotFoundError(self.folder / name) from error

    def write(self, name: str, text: str) -> None:
        """As the base class says."""
        path = self.folder / name
        temporary = path.with_name(f"{name}.new")
        with temporary.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)

    def tables(self) -> tuple[str, dict[str, str] | None]:
        """As the base class says."""
        return str(self.folder), None

    def create(self, build: Callable[[AbstractLocation], None]) -> None:
        """As the base class says; an empty folder is filled."""
        folder = self.folder
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise StoreExistsError(
                f"{folder} exists already; open it if it is a database, or give another name"
            )
        folder.parent.mkdir(parents=True, exist_ok=True)
        building = Path(mkdtemp(prefix=f".{folder.name}.", suffix=".new", dir=folder.parent))
        try:
            build(LocalFolder(building))
            # mkdtemp keeps others out; a database has the rights that any folder made here has.
            building.chmod(folder.parent.stat().st_mode & 0o777)
            building.replace(folder)
        except BaseException:
            shutil.rmtree(building, ignore_errors=True)
            raise

    def state(self) -> AbstractState:
        """As the base class says."""
        return DatabaseState(self.folder)


def locate(uri: str) -> AbstractLocation:
    """The place that an address means; nothing is asked of it yet.

    Parameters
    ----------
    uri : str
        Such as `faces.ldb`, `file:///data/faces.ldb` or `s3://bucket/faces.ldb`.

    Raises
    ------
    StoreError
        The text is empty, or names a scheme that is not supported.
    """
    scheme = _SCHEME.match(uri)
    name = scheme[1].lower() if scheme else ""
    if name == "s3":
        from latentdb.store.object_location import ObjectLocation

        return ObjectLocation(uri)
    if name in _OTHER_STORES:
        raise StoreError(
            f"{name}:// is not supported: one writer at a time is kept by conditional writes of "
            "the S3 protocol; use an object store that speaks it, as s3://BUCKET/NAME"
        )
    return LocalFolder(local_path(uri))


def local_path(uri: str) -> Path:
    """Absolute path of a database given as a path or a `file://` address.

    Parameters
    ----------
    uri : str
        Such as `faces.ldb`, `~/faces.ldb` or `file:///data/faces.ldb`.

    Raises
    ------
    StoreError
        The text is empty, or names a scheme that is not supported.
    """
    if not uri.strip():
        raise StoreError("the address of a database is empty; give a folder such as faces.ldb")
    scheme = _SCHEME.match(uri)
    if scheme is None:
        return Path(uri).expanduser().absolute()
    parts = urlsplit(uri)
    if scheme[1].lower() != "file" or parts.netloc not in ("", "localhost"):
        raise StoreError(
            f"{uri}: expected a local folder, given as a path (faces.ldb) or as "
            f"file:///data/faces.ldb; {scheme[1]}:// is none"
        )
    return Path(unquote(parts.path)).absolute()
