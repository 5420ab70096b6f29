"""When the rows of an index on disk came: what tells that an id is there again with other content.

An item that is deleted and comes again has another time, and may have another vector under the
same id. The times lie beside the versions of an index, in a file named by its own checksum, which
the manifest of the version names: `indexes/NAME/rows-3f9c….npy`.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np

from indexers.errors import IndexFileError
from indexers.index import VectorIndex
from indexers.persistence import save_index
from indexers.types import IdArray
from latentdb.arrays import is_among
from latentdb.durable import write_whole
from latentdb.index.live import RowTimes
from latentdb.space import Space
from latentdb.store import Store

KEY: Final = "row_times"
"""In the manifest's `extra`: name of the file."""
_PREFIX = "rows-"


def rows_now(store: Store, space: Space) -> RowTimes:
    """Rows of a space whose item is committed: a crash may leave vectors that have none."""
    items, times = store.item_times()
    ids = store.vector_ids(space.name)
    ids = ids[is_among(ids, items)]
    return RowTimes(ids, times[np.searchsorted(items, ids)])


def save_with_times(
    index: VectorIndex, folder: Path, rows: RowTimes, extra: Mapping[str, Any]
) -> None:
    """Save an index together with when its rows came; the old one counts until the new is whole.

    Parameters
    ----------
    index : VectorIndex
    folder : Path
    rows : RowTimes
        Rows of the space as they were before the first vector of the index was read: one that
        came again since then is found to be another.
    extra : mapping of JSON values
        Of the manifest.

    Raises
    ------
    IndexFileError
        See `indexers.persistence.save_index`.
    """
    name = write_times(folder, np.sort(index.ids), rows)
    save_index(index, folder, manifest_extra={**extra, KEY: name})
    sweep_times(folder, keep=name)


def write_times(folder: Path, ids: IdArray, rows: RowTimes) -> str:
    """Write when the rows `ids` (sorted) came; the name of the file, for the manifest.

    Before the manifest is there, so that none ever names a file that is not.

    Raises
    ------
    IndexFileError
        It cannot be written.
    """
    times = timed(ids, rows)
    buffer = io.BytesIO()
    np.save(buffer, np.stack([times.ids, times.times]), allow_pickle=False)
    content = buffer.getvalue()
    name = f"{_PREFIX}{_digest(content)}.npy"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_whole(folder / name, content)
    except OSError as error:
        raise IndexFileError(f"could not write the index to {folder}: {error}") from error
    return name


def sweep_times(folder: Path, *, keep: str) -> None:
    """Delete the times of earlier versions."""
    for path in folder.glob(f"{_PREFIX}*.npy"):
        if path.name != keep:
            path.unlink(missing_ok=True)


def timed(ids: IdArray, rows: RowTimes) -> RowTimes:
    """Rows of these ids (sorted) with their times in `rows`, −1 where they are not in it."""
    times = np.full(len(ids), -1, np.int64)
    is_there = is_among(ids, rows.ids)
    times[is_there] = rows.times[np.searchsorted(rows.ids, ids[is_there])]
    return RowTimes(ids, times)


def read_row_times(folder: Path, extra: Mapping[str, Any], ids: IdArray) -> RowTimes | None:
    """When the rows `ids` (sorted) of an index came; None of one that was built without.

    Raises
    ------
    IndexFileError
        The file is lost, or not what was written.
    """
    name = extra.get(KEY)
    if name is None:
        return None
    path = folder / str(name)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise IndexFileError(f"{path} cannot be read ({error}); build the index again") from error
    if name != f"{_PREFIX}{_digest(content)}.npy":
        raise IndexFileError(f"{path} does not match its checksum; build the index again")
    rows = RowTimes(*np.load(io.BytesIO(content), allow_pickle=False))
    if not np.array_equal(rows.ids, ids):
        raise IndexFileError(f"{path} is of other rows than the index; build the index again")
    return rows


def _digest(content: bytes) -> str:
    return hashlib.blake2b(content, digest_size=16).hexdigest()
