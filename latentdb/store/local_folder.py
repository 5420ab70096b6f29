"""A database in a folder of this machine."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from tempfile import mkdtemp
from typing import final
from urllib.parse import unquote, urlsplit

from latentdb.errors import StoreError, StoreExistsError
from latentdb.store.location import AbstractLocation
from latentdb.store.lock import WriterLock
from latentdb.store.mirror import InPlace
from latentdb.store.state import AbstractState, DatabaseState
from latentdb.store.versions import FolderVersions

# One letter before the colon is a Windows drive, not a scheme.
_SCHEME = re.compile(r"^([A-Za-z][A-Za-z0-9+.-]+):")


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
    scheme = scheme_of(uri)
    if not scheme:
        return Path(uri).expanduser().absolute()
    parts = urlsplit(uri)
    if scheme != "file" or parts.netloc not in ("", "localhost"):
        raise StoreError(
            f"{uri}: expected a local folder, given as a path (faces.ldb) or as "
            f"file:///data/faces.ldb; {scheme}:// is none"
        )
    return Path(unquote(parts.path)).absolute()


def scheme_of(uri: str) -> str:
    """What stands before the colon of an address, in lower case; empty for a path."""
    scheme = _SCHEME.match(uri)
    return scheme[1].lower() if scheme else ""
