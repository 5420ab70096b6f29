"""Small pictures that cannot be read, found and made anew."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
from PIL import Image

from latentdb.errors import PictureError
from latentdb.ingest.decode import picture_of, thumbnail_of
from latentdb.store import Problem, Store

_CHUNK = 1024
# What ends the file of a picture: a torn one lacks it.
_ENDS = {"PNG": b"IEND\xaeB`\x82", "JPEG": b"\xff\xd9"}


def thumbnail_problems(store: Store) -> list[Problem]:
    """The one problem of thumbnails, where any is torn; reads all of them."""
    count = len(_torn(store))
    detail = f"{count} thumbnails cannot be read; they are made anew, of pictures that are there"
    return [Problem("torn_thumbnails", "items", count, detail, repairable=True)] if count else []


def mend_thumbnails(store: Store) -> list[Problem]:
    """Make torn ones anew; of a picture that is gone there is none any more. Nothing is left."""
    if torn := _torn(store):
        small = [_made_anew(store, one) for one in torn]
        with store.mending() as mending:
            mending.set_thumbnails(np.array(torn, np.int64), small)
    return []


def _torn(store: Store) -> list[int]:
    """Ids of the items whose small picture is not whole; one without a picture has none."""
    ids, torn = store.item_ids(), []
    for start in range(0, len(ids), _CHUNK):
        chunk = ids[start : start + _CHUNK]
        pairs = zip(chunk.tolist(), store.thumbnails(chunk), strict=True)
        torn += [one for one, small in pairs if small and not _is_whole(small)]
    return torn


def _is_whole(small: bytes) -> bool:
    """Whether a small picture begins and ends as one does; of PNG, whether its sums agree too."""
    try:
        with Image.open(io.BytesIO(small)) as image:
            image.verify()
            return small.endswith(_ENDS.get(image.format or "", b""))
    except (OSError, SyntaxError, ValueError):
        return False


def _made_anew(store: Store, item_id: int) -> bytes:
    item = replace(store.items([item_id])[0], source=store.original(item_id))
    try:
        return thumbnail_of(picture_of(item, b""))
    except PictureError:
        return b""
