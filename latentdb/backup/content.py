"""Content of files: read a block at a time, copied onto disk, and known by its hash."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import IO

_CHUNK = 1 << 20


def blocks_of(path: Path) -> Iterator[bytes]:
    """Content of a file, a block at a time."""
    with path.open("rb") as file:
        yield from iter(lambda: file.read(_CHUNK), b"")


def hash_file(path: Path) -> str:
    """BLAKE2b of a file's content, 64 hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, _blake2b).hexdigest()


def written(blocks: Iterable[bytes], out: IO[bytes], progress: Callable[[int], None]) -> str:
    """Write blocks to a file; their hash, once they are on disk.

    Parameters
    ----------
    blocks : iterable of bytes
    out : file
    progress : callable
        Told how many more bytes are written.
    """
    digest = _blake2b()
    for block in blocks:
        digest.update(block)
        out.write(block)
        progress(len(block))
    out.flush()
    os.fsync(out.fileno())
    return digest.hexdigest()


def _blake2b() -> hashlib.blake2b:
    return hashlib.blake2b(digest_size=32)
