"""The items that imported rows are of: who they are, and what is known of them."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import final

import pyarrow as pa

from latentdb.arrays import IdArray
from latentdb.errors import SourceError
from latentdb.interchange.picture_folder import PictureFolder
from latentdb.types import ItemRow, LabelValue, SourceRow

ROWS_AT_ONCE = 512
# Without pictures a row is some bytes, and a commit looks at every id there is: with few rows to
# each, a million items took 150 s, most of it to look at the same ids again.
_BARE_ROWS_AT_ONCE = 1 << 14


@final
@dataclass(frozen=True)
class Entry:
    """One item of an import.

    Parameters
    ----------
    id : int
    labels : mapping of str to scalar
    row : ItemRow or None
        What is to be stored of it; None where it is stored already.
    source : SourceRow or None
        The file that leads to it.
    """

    id: int
    labels: Mapping[str, LabelValue]
    row: ItemRow | None = None
    source: SourceRow | None = None


class AbstractItems(ABC):
    """The items of an import, in the order of its rows.

    Attributes
    ----------
    n : int
        Rows.
    origin : str
        Where the labels are from, for messages.
    labels : pyarrow.Table
        A label per column, n rows, of bool, int64, double or string.
    ids : (n,) int64, or None
        Ids of the items, where they are known before any picture is read.
    """

    n: int
    origin: str
    labels: pa.Table
    ids: IdArray | None = None

    @abstractmethod
    def batches(self, known: AbstractSet[int]) -> Iterator[list[Entry]]:
        """The items some at a time, in order; those in `known` without a row to store."""


@final
class NamedItems(AbstractItems):
    """Rows told apart by their ids, by the names that a file gives them, or by their numbers.

    An item with a picture has the id of its pixels, as `ingest` gives it. One without has 63 bits
    of the SHA-256 of the data set's name with the row's, so that another space of the same data
    set, imported later, finds the same items.

    Parameters
    ----------
    dataset : str
    labels : pyarrow.Table
    n : int
    origin : str
    ids : (n,) int64, optional
    names : sequence of str, optional
    pictures : PictureFolder, optional
        Where the picture of a name is looked for.
    """

    def __init__(
        self,
        dataset: str,
        labels: pa.Table,
        *,
        n: int,
        origin: str,
        ids: IdArray | None = None,
        names: Sequence[str] | None = None,
        pictures: PictureFolder | None = None,
    ) -> None:
        self.n, self.origin, self.labels, self.ids = n, origin, labels, ids
        self._dataset = dataset
        self._names = names
        self._pictures = pictures

    def batches(self, known: AbstractSet[int]) -> Iterator[list[Entry]]:
        """The items some hundred at a time, or some thousand where no pictures are read."""
        at_once = _BARE_ROWS_AT_ONCE if self._pictures is None else ROWS_AT_ONCE
        for start in range(0, self.n, at_once):
            rows = range(start, min(start + at_once, self.n))
            labels: list[dict[str, LabelValue]] = [{} for _ in rows]
            if self.labels.num_columns:
                labels = self.labels.slice(start, len(rows)).to_pylist()
            yield [self._entry(row, said, known) for row, said in zip(rows, labels, strict=True)]

    def _entry(self, row: int, labels: Mapping[str, LabelValue], known: AbstractSet[int]) -> Entry:
        name = f"#{row}" if self._names is None else f"/{self._names[row]}"
        item_id = nameless_id(f"{self._dataset}{name}") if self.ids is None else int(self.ids[row])
        seen = None
        if self._pictures is not None and self._names is not None:
            seen = self._pictures.look(self._names[row])
        if seen is None:
            bare = ItemRow(item_id, f"{self._dataset}{name}", 0, 0, b"", labels)
            return Entry(item_id, labels, None if item_id in known else bare)
        if item_id in known:
            raise SourceError(
                f"{self._names and self._names[row]!r} was imported without its picture before, as "
                f"item {item_id}; with its picture it is another item: give the data set another "
                "--name, or import into a new database"
            )
        new = None if seen.id in known else seen.row(labels)
        return Entry(seen.id, labels, new, seen.source)


def nameless_id(name: str) -> int:
    """Id of an item without a picture: 63 bits of the SHA-256 of its name."""
    digest = hashlib.sha256(b"item without a picture\0" + name.encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1
