"""Pictures of stored items, read again: from their source files, else from their thumbnails."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Generator, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal, final

import numpy as np
from numpy.typing import NDArray

from latentdb.errors import PictureError, SourceError
from latentdb.ingest.chunk import Decoded, DecodeSettings
from latentdb.ingest.decode import DEFAULT_MAX_MEGAPIXELS, decode_picture, pixel_id
from latentdb.ingest.options import default_workers
from latentdb.ingest.pool import DecoderPool, Outcome
from latentdb.ingest.recipes import FileBytes, Unreadable
from latentdb.ingest.sources import Candidate, open_source
from latentdb.model import Pixels, Transform
from latentdb.store import Store
from latentdb.store.names import located

Origin = Literal["source", "whole_thumbnail", "thumbnail"]
_BETWEEN = "!"


@final
@dataclass(frozen=True)
class Picture:
    """An item's pixels for a model, and where they came from; without any, why there are none."""

    id: int
    pixels: Pixels | None
    origin: Origin = "source"
    why: str = ""


@final
class PictureReader:
    """Reads pictures of stored items again.

    A file that is found counts only while it holds the picture that was ingested: its pixels have
    the item's id, or its bytes are those of a file that led to the item.

    Parameters
    ----------
    store : Store
    transform : Transform
        Of the model that is to see them.
    workers : int, optional
        Decoding processes; 0 decodes in this one, None lets the machine decide.
    ahead : int
        Pictures that may be decoded and not yet taken.
    use_thumbnails : bool
        False leaves items whose file is gone without pixels, unless their thumbnail is the whole
        picture.
    """

    def __init__(
        self,
        store: Store,
        transform: Transform,
        *,
        workers: int | None = None,
        ahead: int = 64,
        use_thumbnails: bool = True,
    ) -> None:
        self._store = store
        self._transform = transform
        self._workers = default_workers() if workers is None else workers
        self._ahead = ahead
        self._use_thumbnails = use_thumbnails

    def read(self, ids: NDArray[np.int64]) -> Generator[Picture, None, None]:
        """One picture for each of distinct `ids` of stored items, archive by archive."""
        settings = DecodeSettings((self._transform,), DEFAULT_MAX_MEGAPIXELS, 1)
        pool = DecoderPool(settings, lambda _: (0,), workers=self._workers, ahead=self._ahead)
        with closing(pool.outcomes(self._candidates(ids))) as outcomes:
            for outcome in outcomes:
                yield self._picture(outcome)

    def _picture(self, outcome: Outcome) -> Picture:
        item_id, result = int(outcome.candidate.key), outcome.result
        if isinstance(result, Decoded):
            # The bytes settle it where a decoder's next version rounds otherwise.
            if item_id in (result.id, self._known.get(outcome.content_hash)):
                return Picture(item_id, result.pixels[0])
            return self._from_thumbnail(item_id, "its file now holds another picture")
        why = getattr(result, "message", "its file cannot be read")
        return self._from_thumbnail(item_id, why)

    def _from_thumbnail(self, item_id: int, why: str) -> Picture:
        try:
            image = decode_picture(self._store.thumbnail(item_id), min_side=1)
        except PictureError as error:
            return Picture(item_id, None, why=f"{why}; its thumbnail: {error}")
        is_whole = pixel_id(image) == item_id
        if not is_whole and not self._use_thumbnails:
            return Picture(item_id, None, why=f"{why}; thumbnails are not to be used")
        origin: Origin = "whole_thumbnail" if is_whole else "thumbnail"
        return Picture(item_id, self._transform.apply(image), origin, why)

    @cached_property
    def _known(self) -> dict[str, int]:
        return self._store.known_sources()

    def _candidates(self, ids: NDArray[np.int64]) -> Iterator[Candidate]:
        """Candidates whose key is the item's id: files first, then archives, each opened once."""
        items = self._store.metadata(None).select(["id", "source"])
        wanted = items.filter(np.isin(items["id"].to_numpy(), ids))
        archives: defaultdict[str, dict[str, int]] = defaultdict(dict)
        is_file: dict[str, bool] = {}
        for item_id, source in zip(
            wanted["id"].to_pylist(), wanted["source"].to_pylist(), strict=True
        ):
            archive = _archive_of(source, is_file)
            if archive is None:
                path = located(self._store.path, source)
                yield Candidate(source, str(item_id), FileBytes(path))
            else:
                archives[archive][source] = item_id
        for archive, members in archives.items():
            yield from _members(archive, members)


def _archive_of(source: str, is_file: dict[str, bool]) -> str | None:
    """The archive that a stored name points into; None for a file of its own."""
    at = source.find(_BETWEEN)
    while at >= 0:
        path = source[:at]
        if path not in is_file:
            is_file[path] = Path(path).is_file()
        if is_file[path]:
            return path
        at = source.find(_BETWEEN, at + 1)
    return None


def _members(archive: str, members: Mapping[str, int]) -> Iterator[Candidate]:
    """Wanted members of an archive; those it lacks come as unreadable."""
    waiting = dict(members)
    why = f"{archive} no longer holds it"
    try:
        for candidate in open_source(archive):
            item_id = waiting.pop(candidate.source, None)
            if item_id is not None:
                yield Candidate(candidate.source, str(item_id), candidate.recipe)
            if not waiting:
                return
    except SourceError as error:
        why = str(error)
    for source, item_id in waiting.items():
        yield Candidate(source, str(item_id), Unreadable(why))
