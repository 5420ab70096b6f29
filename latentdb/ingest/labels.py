"""Labels from a CSV or JSONL file, joined to pictures by path."""

from __future__ import annotations

import csv
import io
import json
import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, final

from latentdb.errors import LabelsError
from latentdb.ingest.sources.base import Candidate
from latentdb.types import LabelValue

# `file_name` is what Hugging Face's image folders call it.
PATH_COLUMNS = ("path", "file_name")
_BOOLS = {"true": True, "false": False}
_Row = tuple[int, str, dict[str, Any]]


@final
@dataclass(frozen=True)
class LabelTable:
    """What a labels file says.

    Parameters
    ----------
    origin : str
        The file, for messages.
    types : mapping of str to type
        bool, int, float or str per column that has any value.
    rows : mapping of str to labels
        By path as the file gives it, with forward slashes.
    """

    origin: str
    types: Mapping[str, type]
    rows: Mapping[str, Mapping[str, LabelValue]]


def read_labels(path: Path) -> LabelTable:
    """The labels of a `.csv`, `.tsv` or `.jsonl` file.

    In CSV a column is bool where every value is true or false, else int, else float, else str;
    0 and 1 are integers, and an empty field is no value. JSONL brings its own types.

    Parameters
    ----------
    path : Path
        UTF-8, with a column `path` (or `file_name`).

    Raises
    ------
    LabelsError
        With the number of the line at fault.
    """
    readers = {".csv": _read_csv, ".tsv": _read_csv, ".jsonl": _read_jsonl}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise LabelsError(f"labels come as .csv, .tsv or .jsonl, got {path.name!r}")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise LabelsError(f"labels file {path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        line = path.read_bytes()[: error.start].count(b"\n") + 1
        raise LabelsError(f"{path}, line {line}: not UTF-8") from error
    types, rows = reader(path, text)
    by_path: dict[str, Mapping[str, LabelValue]] = {}
    for line, key, labels in rows:
        if key in by_path:
            raise LabelsError(f"{path}, line {line}: {key!r} has labels already")
        by_path[key] = labels
    return LabelTable(str(path), types, by_path)


@final
class LabelJoin:
    """Gives each candidate its row of a table.

    A row belongs to the picture of the same path relative to the source, or of the same stored
    name. Where the source can list itself beforehand, a row also finds its picture by file name
    alone, when only one row and only one picture have that name.

    Parameters
    ----------
    table : LabelTable
        The labels.
    keys : sequence of str, optional
        Keys of all candidates, where the source knows them.
    """

    def __init__(self, table: LabelTable, keys: Sequence[str] | None) -> None:
        self._table = table
        self._used: set[str] = set()
        row_names = Counter(PurePosixPath(key).name for key in table.rows)
        key_names = Counter(PurePosixPath(key).name for key in keys or ())
        self._by_name = {
            name: row
            for row in table.rows
            if row_names[name := PurePosixPath(row).name] == 1 and key_names[name] == 1
        }

    def labels_of(self, candidate: Candidate) -> Mapping[str, LabelValue] | None:
        """Labels of a candidate, or None where no row is its own."""
        name = PurePosixPath(candidate.key).name
        ways = (candidate.key, candidate.source, self._by_name.get(name))
        row = next((way for way in ways if way in self._table.rows), None)
        if row is None:
            return None
        self._used.add(row)
        return self._table.rows[row]

    @property
    def unused(self) -> int:
        """Rows that no candidate has asked for yet."""
        return len(self._table.rows) - len(self._used)


def _read_csv(path: Path, text: str) -> tuple[dict[str, type], list[_Row]]:
    delimiter = "\t" if path.suffix.lower() == ".tsv" else ","
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    raw = list(_csv_rows(path, reader))
    header = raw[0][1] if raw else []
    at = header.index(_path_column(path, 1, header))
    if len(set(header)) < len(header):
        raise LabelsError(f"{path}, line 1: a column occurs twice: {', '.join(header)}")
    for line, fields in raw[1:]:
        if len(fields) != len(header):
            raise LabelsError(
                f"{path}, line {line}: {len(fields)} fields, the header has {len(header)}"
            )
        if not fields[at].strip():
            raise LabelsError(f"{path}, line {line}: the path is empty")
    columns = {
        name: [fields[place].strip() for _, fields in raw[1:]]
        for place, name in enumerate(header)
        if place != at
    }
    typed = {name: _typed(values) for name, values in columns.items()}
    types = {name: kind for name, (kind, _) in typed.items() if kind is not None}
    rows: list[_Row] = [
        (line, _clean(fields[at]), {name: typed[name][1][row] for name in types})
        for row, (line, fields) in enumerate(raw[1:])
    ]
    return types, rows


def _csv_rows(path: Path, reader: Any) -> Iterator[tuple[int, list[str]]]:
    """Rows with the number of their last line, without blank ones."""
    while True:
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise LabelsError(f"{path}, line {reader.line_num}: {error}") from error
        if fields:
            yield reader.line_num, fields


def _typed(values: Sequence[str]) -> tuple[type | None, list[LabelValue]]:
    """The narrowest type that every value has, and the values in it."""
    present = [value for value in values if value]
    if not present:
        return None, [None] * len(values)
    parsers: tuple[tuple[type, Callable[[str], LabelValue]], ...] = (
        (bool, lambda value: _BOOLS[value.lower()]),
        (int, _integer),
        (float, _number),
    )
    for kind, parse in parsers:
        try:
            return kind, [parse(value) if value else None for value in values]
        except (ValueError, KeyError):
            continue
    return str, [value or None for value in values]


def _integer(text: str) -> int:
    """An integer as written by hand: `007` is a name, and `1_000` is none of ours."""
    value = int(text)
    if str(value) != text.removeprefix("+") or abs(value) >= 2**63:
        raise ValueError(text)
    return value


def _number(text: str) -> float | None:
    value = float(text)
    if "_" in text or math.isinf(value) or (text.lstrip("+-")[:2].isdecimal() and text[0] == "0"):
        raise ValueError(text)
    return None if math.isnan(value) else value


def _read_jsonl(path: Path, text: str) -> tuple[dict[str, type], list[_Row]]:
    types: dict[str, type] = {}
    rows: list[_Row] = []
    for line, raw in enumerate(text.splitlines(), start=1):
        if not raw.strip():
            continue
        try:
            fields = json.loads(raw)
        except json.JSONDecodeError as error:
            raise LabelsError(f"{path}, line {line}: not JSON: {error.msg}") from error
        if not isinstance(fields, dict):
            raise LabelsError(f"{path}, line {line}: expected an object, got {raw.strip()[:40]!r}")
        key = fields.pop(_path_column(path, line, fields))
        if not isinstance(key, str) or not key:
            raise LabelsError(f"{path}, line {line}: the path is {key!r}, not a text")
        for name, value in fields.items():
            if value is not None:
                types[name] = _joined_type(path, line, name, value, types)
        rows.append((line, _clean(key), fields))
    if not rows:
        raise LabelsError(f"{path}, line 1: the file has no rows")
    return types, [(line, key, _widened(labels, types)) for line, key, labels in rows]


def _joined_type(path: Path, line: int, name: str, value: Any, types: Mapping[str, type]) -> type:
    """Type of a column after one more value; integers give way to floats."""
    kind, before = type(value), types.get(name, type(value))
    if kind not in {bool, int, float, str}:
        raise LabelsError(
            f"{path}, line {line}: {name!r} is {kind.__name__}; a label is true, false, a number, "
            "a text or null"
        )
    if {kind, before} == {int, float}:
        return float
    if kind is not before:
        raise LabelsError(
            f"{path}, line {line}: {name!r} is {kind.__name__} here and {before.__name__} above"
        )
    return kind


def _widened(labels: Mapping[str, Any], types: Mapping[str, type]) -> dict[str, LabelValue]:
    return {
        name: float(value) if types.get(name) is float and value is not None else value
        for name, value in labels.items()
        if name in types
    }


def _path_column(path: Path, line: int, names: Sequence[str] | Mapping[str, Any]) -> str:
    for name in PATH_COLUMNS:
        if name in names:
            return name
    there = ", ".join(names) or "none"
    raise LabelsError(f"{path}, line {line}: no column `path`; the columns are: {there}")


def _clean(key: str) -> str:
    """A path as keys are written: forward slashes, no leading `./`."""
    return PurePosixPath(key.strip().replace("\\", "/")).as_posix()
