"""Files that are there whole or not at all, whatever the machine does."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path


def write_whole(path: Path, content: bytes, *, synced: bool = True) -> None:
    """Write `content` to `path`, replacing what was there in one step.

    Parameters
    ----------
    path : Path
        Its folder exists.
    content : bytes
    synced : bool
        Come back only once it is on disk. What may be lost with the machine needs none of that;
        a reader sees the old file or the new one either way.

    Raises
    ------
    OSError
        The folder cannot be written to; nothing has changed.
    """
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".tmp", dir=path.parent)
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            if synced:
                file.flush()
                os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    if synced:
        sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Come back once the names in a folder are on disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
