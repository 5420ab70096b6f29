"""Saving an index to a folder and loading it, so that a torn file is never taken for an index."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from indexers.errors import IndexerError, IndexFileError, IndexFormatError, IndexKindError
from indexers.faiss_library import faiss
from indexers.files import current_version, write_version
from indexers.form_choice import form_for
from indexers.index import HeldRows, VectorIndex
from indexers.kinds import config_from_settings
from indexers.metric.registry import metric_from_settings
from indexers.stage import AbstractIndexConfig, AbstractStage, RowLayout, SavedStage
from indexers.types import RowReader

FORMAT_VERSION = 2
_MANIFEST = "manifest.json"
_ROWS = "rows.faiss"
_IDS = "ids.npy"
_NORMS = "norms.npy"
_ERRORS = "errors.npy"
_FILES = (_ROWS, _IDS, _NORMS, _ERRORS)


def save_index(
    index: VectorIndex, folder: str | Path, *, manifest_extra: Mapping[str, Any] | None = None
) -> None:
    """Write `index` into `folder`, replacing the one that is there.

    A crash at any moment leaves the old index or the new one. What an earlier crash left over is
    swept.

    Parameters
    ----------
    index : VectorIndex
    folder : path
        Made where it is missing; holds nothing else.
    manifest_extra : mapping of JSON values
        Kept in the manifest under "extra": table version, fingerprint of the space, …

    Raises
    ------
    IndexFileError
        The files cannot be written, or another process is writing them.
    """

    def write(draft: Path) -> None:
        faiss.write_index(index.stage.faiss_index, str(draft / _ROWS))
        np.save(draft / _IDS, index.position_ids)
        np.save(draft / _NORMS, index.norms)
        np.save(draft / _ERRORS, index.stage.errors)
        manifest = {
            "format_version": FORMAT_VERSION,
            "config": {"kind": index.config.kind, **asdict(index.config)},
            "metric": index.metric.settings(),
            "dim": index.dim,
            "count": len(index),
            "positions": len(index.position_ids),
            "ids_hash": ids_hash(index.ids),
            "files": {name: file_fact(draft / name) for name in _FILES},
            "extra": dict(manifest_extra or {}),
        }
        write_manifest(draft, manifest)

    try:
        write_version(Path(folder), write)
    except (OSError, RuntimeError) as error:
        # FAISS reports a full disk as RuntimeError.
        if isinstance(error, IndexFileError):
            raise
        raise IndexFileError(f"could not write the index to {folder}: {error}") from error


def load_index(
    folder: str | Path,
    *,
    mmap: bool = False,
    verify: bool = True,
    reader: RowReader | None = None,
) -> VectorIndex:
    """Load the index in `folder`.

    Parameters
    ----------
    folder : path
    mmap : bool
        Map the rows from their file instead of reading them into memory. The index is then
        read-only.
    verify : bool
        Check every file against its checksum (about 1 s per GB). Without, only presence and
        size are checked: for very large mapped files that were verified before.
    reader : RowReader or None
        Where kinds that keep codes alone read full vectors; they cannot be searched without.

    Raises
    ------
    IndexFileError
        Files are missing, truncated, or not what was written.
    IndexFormatError
        The files were written by a newer version of this package.
    """
    version, manifest = _settled_manifest(Path(folder))
    if "shards" in manifest:
        raise IndexKindError(
            f"the index in {folder} is of {len(manifest['shards'])} shards, not of one piece: "
            "load it with indexers.shards.load_any"
        )
    check_files(version, manifest["files"], verify=verify)
    config = config_from_settings(manifest["config"])
    metric = metric_from_settings(manifest["metric"])
    try:
        ids = np.load(version / _IDS, allow_pickle=False)
        norms = np.load(version / _NORMS, allow_pickle=False)
        layout = form_for(metric, config).layout(manifest["dim"])
        stage = _read_stage(version, config, layout, mmap)
    except (OSError, ValueError, RuntimeError) as error:
        raise IndexFileError(
            f"the index files in {version} could not be read ({error}); build the index again"
        ) from error
    if not stage.count == len(ids) == manifest["positions"]:
        raise IndexFileError(
            f"expected {manifest['positions']} rows in {version}, found {stage.count} rows and "
            f"{len(ids)} ids; build the index again"
        )
    held = HeldRows(stage, ids, norms, is_read_only=mmap)
    return VectorIndex(manifest["dim"], metric, config, held=held, reader=reader)


def read_manifest(folder: str | Path) -> dict[str, Any]:
    """The manifest of the index in `folder`, without loading the index.

    Keys: format_version, config, metric, dim, count, positions, ids_hash, files, extra.

    Raises
    ------
    IndexFileError, IndexFormatError
    """
    return _settled_manifest(Path(folder))[1]


def read_config(folder: str | Path) -> AbstractIndexConfig | None:
    """Kind and settings of the index in `folder`, of any format; None where they cannot be read.

    For building anew what can no longer be loaded.
    """
    try:
        text = (current_version(Path(folder)) / _MANIFEST).read_text(encoding="utf-8")
        return config_from_settings(json.loads(text)["config"])
    except (IndexerError, OSError, ValueError, KeyError, TypeError):
        return None


def ids_hash(ids: np.typing.NDArray[Any]) -> str:
    """Hash of a set of ids, whatever their order: to compare an index with a table."""
    ordered = np.sort(np.asarray(ids, dtype="<i8"))
    return hashlib.blake2b(ordered.tobytes(), digest_size=16).hexdigest()


def _settled_manifest(folder: Path) -> tuple[Path, dict[str, Any]]:
    """Current version and its manifest; tried again when a writer swaps it meanwhile."""
    while True:
        version = current_version(folder)
        try:
            return version, _manifest(version)
        except IndexFileError:
            if current_version(folder) == version:
                raise


def _manifest(version: Path) -> dict[str, Any]:
    path = version / _MANIFEST
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
        written = manifest["format_version"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise IndexFileError(
            f"{path} is missing or torn ({error}); build the index again"
        ) from error
    if isinstance(written, int) and written > FORMAT_VERSION:
        raise IndexFormatError(
            f"{path} is of index format {written}, this version reads up to {FORMAT_VERSION}; "
            "upgrade latentdb, or build the index again with this version"
        )
    if written != FORMAT_VERSION:
        raise IndexFileError(
            f"{path} is of index format {written}, this version reads {FORMAT_VERSION}; "
            "build the index again"
        )
    expected = manifest.pop("manifest_hash", None)
    if expected != _manifest_hash(manifest):
        raise IndexFileError(f"{path} was changed after it was written; build the index again")
    return dict(manifest)


def _manifest_hash(manifest: Mapping[str, Any]) -> str:
    text = json.dumps(manifest, sort_keys=True)
    return hashlib.blake2b(text.encode("utf-8"), digest_size=16).hexdigest()


def write_manifest(draft: Path, manifest: Mapping[str, Any]) -> None:
    """Put the manifest of an index beside its files, with a checksum of its own."""
    text = json.dumps({**manifest, "manifest_hash": _manifest_hash(manifest)}, indent=1)
    (draft / _MANIFEST).write_text(text, encoding="utf-8")


def file_fact(path: Path) -> dict[str, Any]:
    """Size and checksum of a file, as a manifest keeps them."""
    with path.open("rb") as file:
        # blake2b is the fastest of the standard library's strong hashes, about 1 GB/s.
        digest = hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).hexdigest()
    return {"bytes": path.stat().st_size, "blake2b": digest}


def check_files(version: Path, facts: Mapping[str, Mapping[str, Any]], *, verify: bool) -> None:
    """Raise IndexFileError where files of a version are not what its manifest says they are."""
    for name, fact in facts.items():
        path = version / name
        if not path.is_file():
            raise IndexFileError(f"{path} is missing; restore it or build the index again")
        size = path.stat().st_size
        if size != fact["bytes"]:
            raise IndexFileError(
                f"expected {path} of {fact['bytes']} bytes, found {size}: it is torn; "
                "build the index again"
            )
        if verify and file_fact(path) != dict(fact):
            raise IndexFileError(
                f"{path} does not match its checksum: its content changed after it was written; "
                "build the index again"
            )


def _read_stage(
    version: Path, config: AbstractIndexConfig, layout: RowLayout, mmap: bool
) -> AbstractStage:
    flags = faiss.IO_FLAG_MMAP_IFC if mmap else 0
    rows = faiss.read_index(str(version / _ROWS), flags)
    if int(rows.d) != layout.dim:
        raise ValueError(f"rows of {rows.d} values where {layout.dim} were written")
    errors = np.load(version / _ERRORS, allow_pickle=False)
    return config.make_stage(layout, SavedStage(rows, errors))
