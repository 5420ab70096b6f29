"""Where uploaded pictures lie: in a tray of their own until all have come, then below the database.

<database>/uploads/.new-*/          a tray that is being filled; nobody was promised anything
<database>/uploads/<job>/NAME.png   what was promised: the originals of items, or soon to be
<database>/uploads/<job>/labels.jsonl
"""

from __future__ import annotations

import io
import json
import os
import shutil
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, final

from api.jobs.names import display_name, file_name
from latentdb.database import LatentDB
from latentdb.durable import sync_folder
from latentdb.ingest.decode import decode_upload, pixel_id
from latentdb.store.names import UPLOADS
from latentdb.types import LabelValue

LABELS: Final = "labels.jsonl"
_TRAY: Final = ".new-"
_ABANDONED_SECONDS: Final = 24 * 3600.0


@final
@dataclass(frozen=True)
class Placed:
    """A picture in a tray.

    Parameters
    ----------
    name : str
        As it is shown.
    file : str
        As it is kept.
    id : int
        Of the item that it will be.
    """

    name: str
    file: str
    id: int


@final
class Tray:
    """Takes the pictures of one upload.

    Parameters
    ----------
    database : Path
        Its folder.
    max_megapixels : float
        Larger pictures are refused.
    """

    def __init__(self, database: Path, *, max_megapixels: float) -> None:
        self._uploads = database / UPLOADS
        self._uploads.mkdir(exist_ok=True)
        self._folder = Path(tempfile.mkdtemp(prefix=_TRAY, dir=self._uploads))
        self._max_megapixels = max_megapixels
        self._taken: set[str] = set()

    def place(self, name: str | None, data: bytes) -> Placed:
        """Take one picture: decoded, upright, and written again with nothing but its pixels.

        Raises
        ------
        PictureError
            It cannot be used.
        """
        image = decode_upload(data, max_megapixels=self._max_megapixels)
        buffer = io.BytesIO()
        # Beside the default in size by a twentieth, in a third of the time.
        image.save(buffer, "PNG", compress_level=1)
        shown = display_name(name)
        file = file_name(shown, self._taken)
        self._taken.add(file.lower())
        _write(self._folder / file, buffer.getvalue())
        return Placed(shown, file, pixel_id(image))

    def label(self, labels: Mapping[str, Mapping[str, LabelValue]]) -> None:
        """Keep labels by file, as `latentdb.ingest` reads them."""
        lines = [json.dumps({**values, "path": file}) for file, values in labels.items()]
        if lines:
            _write(self._folder / LABELS, "\n".join(lines).encode())

    def settle(self, job_id: str) -> None:
        """Put everything where the job looks for it; on disk once this returns."""
        sync_folder(self._folder)
        self._folder.chmod(self._uploads.stat().st_mode & 0o777)
        self._folder.replace(self._uploads / job_id)
        sync_folder(self._uploads)

    def discard(self) -> None:
        """Take away what was not settled."""
        shutil.rmtree(self._folder, ignore_errors=True)


def tidy(db: LatentDB, job_id: str, ids: Mapping[str, int], *, is_given_up: bool) -> None:
    """Take away the files of an upload that are in nobody's use.

    Those of items with another original always; those of no item only of a job that was given up:
    what a model failed on, and went to quarantine for, was promised to be kept.

    Parameters
    ----------
    db : LatentDB
    job_id : str
    ids : mapping of file to id
    is_given_up : bool
    """
    folder = db.store.path / UPLOADS / job_id
    known = set(ids.values()).intersection(db.store.item_ids().tolist())
    originals = {item.source for item in db.items(sorted(known))}
    for file, item_id in ids.items():
        is_original = f"{UPLOADS}/{job_id}/{file}" in originals
        if not is_original and (is_given_up or item_id in known):
            (folder / file).unlink(missing_ok=True)
    (folder / LABELS).unlink(missing_ok=True)
    if folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()


def delete_item(db: LatentDB, item_id: int) -> None:
    """Delete an item, and its original where that was uploaded.

    Raises
    ------
    UnknownItemError
        There is none of that id.
    StoreLockedError
        Another process is writing.
    """
    original = Path(db.store.original(item_id))
    db.delete([item_id])
    if original.is_relative_to(db.store.path / UPLOADS):
        original.unlink(missing_ok=True)
        with suppress(OSError):  # others are still in it
            original.parent.rmdir()


def sweep(database: Path) -> None:
    """Take away trays that were begun long ago and never settled."""
    before = time.time() - _ABANDONED_SECONDS
    for folder in (database / UPLOADS).glob(f"{_TRAY}*"):
        if folder.stat().st_mtime < before:
            shutil.rmtree(folder, ignore_errors=True)


def _write(path: Path, content: bytes) -> None:
    """A file with its content on disk; its name is, once its folder is synced."""
    with path.open("xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
