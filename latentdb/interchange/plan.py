"""An import before anything is written: files opened, counts compared, spaces and ids known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import final

import numpy as np
import pyarrow as pa

from latentdb.arrays import IdArray
from latentdb.errors import LabelsError, SourceError
from latentdb.interchange.attributes import NAME_COLUMNS, read_attributes, without_signs
from latentdb.interchange.card import read_card
from latentdb.interchange.discover import FoundFile, find_files, find_labels
from latentdb.interchange.imported_space import space_of
from latentdb.interchange.items import AbstractItems, NamedItems
from latentdb.interchange.items_file import ITEMS_FILE, ItemsFile
from latentdb.interchange.label_table import as_label_table
from latentdb.interchange.npy_file import NpyVectors
from latentdb.interchange.parquet_file import ParquetVectors
from latentdb.interchange.picture_folder import PictureFolder
from latentdb.interchange.request import ImportRequest
from latentdb.interchange.safetensors_file import SafetensorsVectors
from latentdb.interchange.vector_file import AbstractVectorFile
from latentdb.space import Space

_CELEBA = 202_599
# Rows of CelebA's training, validation and test pictures in its list of all.
_CELEBA_SPLITS = {162_770: (0, 162_770), 19_867: (162_770, 182_637), 19_962: (182_637, 202_599)}


@final
@dataclass(frozen=True, eq=False)
class PlannedFile:
    """A file of vectors, its space, and the items that its rows are of."""

    space: Space
    vectors: AbstractVectorFile
    items: AbstractItems


@final
@dataclass(frozen=True, eq=False)
class Plan:
    """What an import is to do.

    Parameters
    ----------
    dataset : str
    files : sequence of PlannedFile
    """

    dataset: str
    files: Sequence[PlannedFile]

    @property
    def items(self) -> list[AbstractItems]:
        """The items of all files, each once."""
        return list(dict.fromkeys(file.items for file in self.files))

    @property
    def rows(self) -> int:
        """Rows to be gone through, those of items among them."""
        return sum(one.n for one in self.items) + sum(file.vectors.n for file in self.files)


def make_plan(request: ImportRequest, known: Mapping[str, int]) -> Plan:
    """Open everything that an import needs, and say what it is to do.

    Parameters
    ----------
    request : ImportRequest
    known : mapping of str to int
        Items of the database by the content hash of their files.

    Raises
    ------
    SourceError
        A file cannot be read, or its rows are not those of the others.
    LabelsError
        The attributes cannot be read, or do not name the rows as asked.
    """
    is_folder = request.source.is_dir()
    folder = request.source if is_folder else request.source.parent
    card = read_card(folder)
    whole = request.source.resolve()
    dataset = request.name or card.dataset or (whole.name if is_folder else whole.stem)
    opened = [(found, _open(found)) for found in find_files(request, card)]
    vectors = [file for _, file in opened]
    by_row = [file for file in vectors if file.ids is None]
    for file in by_row[1:]:
        if file.n != by_row[0].n:
            raise SourceError(
                f"{file.path} has {file.n} rows and {by_row[0].path.name} {by_row[0].n}: files of "
                "one data set have the same rows in the same order"
            )
    chooser = _Items(request, dataset, known)
    is_listed = any(entry.file == request.source.name for entry in card.spaces.values())
    if is_folder or is_listed:
        all_items = chooser.of_all(folder, vectors)
    else:
        all_items = chooser.of_labels(None, vectors)
    files = []
    for found, file in opened:
        items = all_items or chooser.of_file(file)
        _require_fit(file, items)
        files.append(PlannedFile(space_of(found, file, dataset), file, items))
    return Plan(dataset, files)


@final
class _Items:
    """Finds out which items the rows of the files are of."""

    def __init__(self, request: ImportRequest, dataset: str, known: Mapping[str, int]) -> None:
        self._request = request
        self._dataset = dataset
        self._pictures: PictureFolder | None = None
        if request.images is not None:
            self._pictures = PictureFolder(Path(request.images), known)
        self._by_number: dict[int, AbstractItems] = {}

    def of_all(self, folder: Path, files: Sequence[AbstractVectorFile]) -> AbstractItems | None:
        """The items that one file lists for all files of vectors; None where none does."""
        request = self._request
        own = {"labels": request.labels, "ids": request.ids, "images": request.images}
        exported = folder / ITEMS_FILE
        if exported.is_file():
            if said := [f"--{name}" for name, value in own.items() if value is not None]:
                raise SourceError(
                    f"{exported} says whose the rows are, so {', '.join(said)} cannot; move it away"
                )
            return ItemsFile(exported)
        return self.of_labels(find_labels(folder), files)

    def of_labels(
        self, found: Path | None, files: Sequence[AbstractVectorFile]
    ) -> AbstractItems | None:
        """The items that attributes list: those asked for, else those found."""
        request = self._request
        path = found if request.labels is None else Path(request.labels)
        if path is None:
            return None
        table = read_attributes(path)
        if request.label_rows is not None:
            first, end = request.label_rows
            if not 0 <= first < end <= len(table):
                raise LabelsError(f"{path} has {len(table)} rows, none of {first} to {end}")
            table = table.slice(first, end - first)
        ids = [file.ids for file in files if file.ids is not None]
        same = ids and all(np.array_equal(ids[0], one) for one in ids) and len(ids[0]) == len(table)
        return self._named(without_signs(table), str(path), ids=ids[0] if same else None)

    def of_file(self, file: AbstractVectorFile) -> AbstractItems:
        """The items of one file, by its own columns, ids or numbers of rows."""
        columns, origin = file.labels(), str(file.path)
        if columns is None and file.ids is None and self._request.ids is None:
            if file.n not in self._by_number:
                self._by_number[file.n] = self._named(pa.table({}), origin, n=file.n)
            return self._by_number[file.n]
        table = pa.table({}) if columns is None else columns
        table = table if file.record else without_signs(table)
        return self._named(table, origin, n=file.n, ids=file.ids)

    def _named(
        self, table: pa.Table, origin: str, *, n: int | None = None, ids: IdArray | None = None
    ) -> NamedItems:
        column = self._request.ids
        names: list[str] | None = None
        if column is None and ids is None:
            column = next((one for one in NAME_COLUMNS if _names_rows(table, one)), None)
        if column is not None:
            values = _row_names(table, column, origin)
            names, ids = (values, ids) if isinstance(values, list) else (None, values)
            table = table.drop_columns([column])
        if self._pictures is not None and names is None:
            raise SourceError(
                f"{origin} does not name its rows, so their pictures cannot be found: give "
                "attributes with a column of file names, --ids COLUMN where it is called otherwise"
            )
        tell = self._request.progress.message
        labels = as_label_table(table, origin=origin, tell=tell)
        rows = len(table) if n is None else n
        return NamedItems(
            self._dataset,
            labels,
            n=rows,
            origin=origin,
            ids=ids,
            names=names,
            pictures=self._pictures,
        )


def _open(found: FoundFile) -> AbstractVectorFile:
    entry, suffix = found.entry, found.path.suffix.lower()
    if suffix == ".npy":
        quality = None if entry.quality_file is None else found.path.parent / entry.quality_file
        names = () if entry.space is None else tuple(entry.space.get("quality", ()))
        return NpyVectors(found.path, record=entry.space, quality=quality, quality_names=names)
    if suffix == ".safetensors":
        return SafetensorsVectors(found.path)
    if suffix == ".parquet":
        return ParquetVectors(found.path)
    raise SourceError(f"vectors come as .npy, .safetensors or .parquet, got {found.path}")


def _require_fit(file: AbstractVectorFile, items: AbstractItems) -> None:
    """Raise SourceError unless each row of a file is of one of the items."""
    if file.ids is None:
        if file.n == items.n:
            return
        cure = ""
        if items.n == _CELEBA and file.n in _CELEBA_SPLITS:
            first, end = _CELEBA_SPLITS[file.n]
            cure = f"; for this split of CelebA give --label-rows {first}:{end}"
        raise SourceError(
            f"{file.path} has {file.n} rows and {items.origin} {items.n}: they need the same rows "
            f"in the same order{cure}"
        )
    strange = file.ids if items.ids is None else np.setdiff1d(file.ids, items.ids)
    if len(strange):
        raise SourceError(
            f"{file.path} holds {len(strange)} ids, such as {int(strange[0])}, which "
            f"{items.origin} does not list: give --ids COLUMN where a column holds them"
        )


def _names_rows(table: pa.Table, column: str) -> bool:
    return column in table.column_names and pa.types.is_string(table[column].type)


def _row_names(table: pa.Table, column: str, origin: str) -> list[str] | IdArray:
    """What a column calls the rows: ids (n,) int64, or names.

    Raises
    ------
    LabelsError
        There is no such column, or it calls two rows the same, or some nothing.
    """
    if column not in table.column_names:
        there = ", ".join(table.column_names) or "none"
        raise LabelsError(f"{origin} has no column {column!r} to name the rows; it has: {there}")
    values = table[column]
    different = len(values.unique())
    if values.null_count or different < len(values):
        raise LabelsError(
            f"{origin}: column {column!r} has {different} different values for {len(values)} rows; "
            "each row needs a name of its own"
        )
    if pa.types.is_integer(values.type):
        ids: IdArray = values.cast(pa.int64()).to_numpy()
        if int(ids.min()) < 0:
            raise LabelsError(f"{origin}: column {column!r} holds negative numbers, so no ids")
        return ids
    names: list[str] = values.cast(pa.string()).to_pylist()
    return names
