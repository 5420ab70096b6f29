"""From what the user typed to a source."""

from __future__ import annotations

import glob
from collections.abc import Callable, Sequence
from itertools import groupby
from pathlib import Path

from latentdb.errors import SourceError
from latentdb.ingest.sources.base import AbstractSource, is_hidden, is_picture_name, is_sidecar_name
from latentdb.ingest.sources.chain import ChainSource
from latentdb.ingest.sources.files import FilesSource
from latentdb.ingest.sources.folder import FolderSource, walk
from latentdb.ingest.sources.tar import TarSource
from latentdb.ingest.sources.zip import ZipSource

_KINDS = (
    "a picture file, a folder, a glob such as 'photos/**/*.jpg', a .zip, a .tar (also .tar.gz, "
    ".tgz, .tar.bz2, .tar.xz) or a .parquet file, or a folder of such files"
)
_Opener = Callable[..., AbstractSource]


def open_source(source: str | Path, *, prefix: str | None = None) -> AbstractSource:
    """The source at a path or behind a glob.

    A folder with pictures is read as pictures; a folder with none, but with Parquet, tar or zip
    files, is read as their shards.

    Parameters
    ----------
    source : str or Path
        A picture, folder, glob, zip, tar or Parquet file.
    prefix : str, optional
        Stands in the stored names where the path of the source would.

    Raises
    ------
    SourceError
        There is nothing there, or nothing that pictures could be taken from.
    """
    path = Path(source)
    if path.is_dir():
        return _open_folder(path, prefix=prefix)
    if path.exists():
        return _open_file(path, prefix)
    if glob.has_magic(str(source)):
        return _open_glob(str(source), prefix)
    raise SourceError(f"there is no {str(source)!r}; a source is {_KINDS}")


def _open_file(path: Path, prefix: str | None) -> AbstractSource:
    opener = _container(path.name)
    if opener is not None:
        return opener(path, prefix=prefix)
    if is_picture_name(path.name):
        return FilesSource([path], root=path.parent, prefix=prefix)
    raise SourceError(f"{path} is of no known kind; a source is {_KINDS}")


def _open_folder(path: Path, *, prefix: str | None) -> AbstractSource:
    """Pictures below the folder, or else the shards below it."""
    shards: list[Path] = []
    for key in walk(path):
        if is_picture_name(key):
            return FolderSource(path, prefix=prefix)
        if _container(key) is not None:
            shards.append(path / key)
    if not shards:
        return FolderSource(path, prefix=prefix)
    return ChainSource(_open_each(sorted(shards), path, prefix))


def _open_glob(pattern: str, prefix: str | None) -> AbstractSource:
    """Everything a glob matches: pictures and archives, or folders where it matches only those."""
    # Path.glob takes no absolute pattern.
    found = [Path(match) for match in sorted(glob.glob(pattern, recursive=True))]  # noqa: PTH207
    if not found:
        raise SourceError(f"nothing matches {pattern!r}")
    # `**` also matches the folders whose files it matches.
    files = [path for path in found if not path.is_dir() and not is_hidden(path.name)]
    wanted = [path for path in files if is_picture_name(path.name) or _container(path.name)]
    passed_over = [path for path in files if not is_picture_name(path.name)]
    skipped = sum(not _container(p.name) and not is_sidecar_name(p.name) for p in passed_over)
    wanted = wanted if files else found
    if not wanted:
        raise SourceError(f"nothing that matches {pattern!r} is of a known kind: {_KINDS}")
    return ChainSource(_open_each(wanted, _fixed_part(pattern), prefix), skipped=skipped)


def _open_each(paths: Sequence[Path], root: Path, prefix: str | None) -> list[AbstractSource]:
    """A source per folder or archive, and one per run of neighbouring pictures."""
    children: list[AbstractSource] = []
    for opener, group in groupby(paths, key=_opener):
        if opener is None:
            children.append(FilesSource(list(group), root=root, prefix=prefix))
            continue
        for path in group:
            inner = None if prefix is None else f"{prefix}/{path.relative_to(root).as_posix()}"
            children.append(opener(path, prefix=inner))
    return children


def _opener(path: Path) -> _Opener | None:
    """What opens a path that holds pictures; None where it is one."""
    return _open_folder if path.is_dir() else _container(path.name)


def _container(name: str) -> _Opener | None:
    """What opens a file of that name as a container of pictures."""
    lowered = name.lower()
    if lowered.endswith((".parquet", ".pq")):
        # Imported when one is met: a decoding process has no use for pyarrow.
        from latentdb.ingest.sources.parquet import ParquetSource

        return ParquetSource
    if lowered.endswith(".zip"):
        return ZipSource
    if lowered.endswith((".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")):
        return TarSource
    return None


def _fixed_part(pattern: str) -> Path:
    """The folders of a glob before its first wildcard."""
    parts = Path(pattern).parts
    fixed = 0
    while fixed < len(parts) - 1 and not glob.has_magic(parts[fixed]):
        fixed += 1
    return Path(*parts[:fixed])
