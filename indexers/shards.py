"""Several indexes in one folder under one manifest, replaced together or not at all.

A version of a sharded index holds a folder for each shard, which is an index by itself, and a
manifest of the same keys as that of a plain one, which names every file of every shard::

    index/CURRENT
    index/v-3f9c…/manifest.json
    index/v-3f9c…/shard-0000/…      what `save_index` writes
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from indexers.errors import IndexFileError, ParameterError
from indexers.files import current_version, write_version
from indexers.index import VectorIndex
from indexers.kinds import config_from_settings
from indexers.persistence import (
    FORMAT_VERSION,
    check_files,
    file_fact,
    ids_hash,
    load_index,
    read_manifest,
    write_manifest,
)
from indexers.sharded import ShardedIndex
from indexers.stage import AbstractIndexConfig
from indexers.types import RowReader

_SHARDS = "shards"
_LOCK = "LOCK"
# What is kept of an index besides its rows, and the settings that it is to be searched with.
Settle = Callable[[ShardedIndex], tuple[AbstractIndexConfig, Mapping[str, Any]]]


def save_shards(
    folder: str | Path,
    count: int,
    write: Callable[[Sequence[Path]], None],
    settle: Settle,
    *,
    reader: RowReader | None = None,
) -> None:
    """Write a sharded index into `folder`, replacing the index that is there.

    A crash at any moment leaves the old index or the new one.

    Parameters
    ----------
    folder : path
        Made where it is missing.
    count : int
        Shards, at least 1.
    write : callable of folders
        Saves an index into each of `count` folders, by `save_index`, here or elsewhere.
    settle : callable of ShardedIndex
        Measures what was written; gives its effort settings and what the manifest keeps.
    reader : RowReader or None
        See `load_index`.

    Raises
    ------
    IndexFileError
        The files cannot be written, or another process is writing them.
    ParameterError
        No shard, or shards of different kinds, metrics or dimensions.
    """
    if count < 1:
        raise ParameterError(f"expected at least one shard, got {count}")
    names = [f"shard-{at:04}" for at in range(count)]

    def put(draft: Path) -> None:
        write([draft / name for name in names])
        manifests = [read_manifest(draft / name) for name in names]
        _require_alike(manifests)
        index = ShardedIndex([load_index(draft / name, mmap=True, reader=reader) for name in names])
        config, extra = settle(index)
        manifest = {
            "format_version": FORMAT_VERSION,
            _SHARDS: names,
            "config": {"kind": config.kind, **asdict(config)},
            "metric": manifests[0]["metric"],
            "dim": index.dim,
            "count": len(index),
            "positions": sum(one["positions"] for one in manifests),
            "ids_hash": ids_hash(index.ids),
            "files": _facts(draft, names),
            "extra": dict(extra),
        }
        write_manifest(draft, manifest)

    try:
        write_version(Path(folder), put)
    except OSError as error:
        if isinstance(error, IndexFileError):
            raise
        raise IndexFileError(f"could not write the shards to {folder}: {error}") from error


def load_any(
    folder: str | Path,
    *,
    mmap: bool = False,
    verify: bool = True,
    reader: RowReader | None = None,
) -> VectorIndex | ShardedIndex:
    """Load the index in `folder`, of one piece or of shards; see `load_index`."""
    names = shard_folders(folder)
    if not names:
        return load_index(folder, mmap=mmap, verify=verify, reader=reader)
    manifest = read_manifest(folder)
    check_files(names[0].parent, manifest["files"], verify=verify)
    shards = [load_index(name, mmap=mmap, verify=False, reader=reader) for name in names]
    return ShardedIndex(shards).at_effort(config_from_settings(manifest["config"]))


def shard_folders(folder: str | Path) -> list[Path]:
    """Folders of the shards of the index in `folder`; none of an index of one piece."""
    names = read_manifest(folder).get(_SHARDS, [])
    version = current_version(Path(folder))
    return [version / name for name in names]


def _facts(draft: Path, names: Sequence[str]) -> dict[str, Any]:
    files = (path for name in names for path in sorted((draft / name).rglob("*")))
    return {
        path.relative_to(draft).as_posix(): file_fact(path)
        for path in files
        if path.is_file() and path.name != _LOCK
    }


def _require_alike(manifests: Sequence[Mapping[str, Any]]) -> None:
    for key in ("config", "metric", "dim"):
        found = {str(manifest[key]) for manifest in manifests}
        if len(found) > 1:
            raise ParameterError(f"shards of one index have one {key}, got {sorted(found)}")
