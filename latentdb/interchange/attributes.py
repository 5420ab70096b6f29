"""Attributes of the rows of an import: CSV, JSONL, Parquet, `.npy`, and CelebA's own text format.

Values of −1 and +1, as CelebA writes no and yes, become booleans.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.json

from latentdb.errors import LabelsError, SourceError
from latentdb.interchange.npy_file import read_npy
from latentdb.interchange.parquet_file import open_parquet

# Columns that name the rows, where none is chosen.
NAME_COLUMNS = ("image_id", "path", "file_name")
# In the order of CelebA's own list: what the 40 columns of an array without names are.
CELEBA = (
    *("5_o_Clock_Shadow", "Arched_Eyebrows", "Attractive", "Bags_Under_Eyes", "Bald", "Bangs"),
    *("Big_Lips", "Big_Nose", "Black_Hair", "Blond_Hair", "Blurry", "Brown_Hair"),
    *("Bushy_Eyebrows", "Chubby", "Double_Chin", "Eyeglasses", "Goatee", "Gray_Hair"),
    *("Heavy_Makeup", "High_Cheekbones", "Male", "Mouth_Slightly_Open", "Mustache"),
    *("Narrow_Eyes", "No_Beard", "Oval_Face", "Pale_Skin", "Pointy_Nose", "Receding_Hairline"),
    *("Rosy_Cheeks", "Sideburns", "Smiling", "Straight_Hair", "Wavy_Hair", "Wearing_Earrings"),
    *("Wearing_Hat", "Wearing_Lipstick", "Wearing_Necklace", "Wearing_Necktie", "Young"),
)
SUFFIXES = (".csv", ".tsv", ".jsonl", ".parquet", ".npy", ".txt")
_PADDED = "^[+-]?0[0-9]"


def read_attributes(path: Path) -> pa.Table:
    """The columns of an attributes file, as they are named and typed there.

    Parameters
    ----------
    path : Path
        `.csv`, `.tsv`, `.jsonl`, `.parquet` with a header; `.txt` as CelebA's `list_attr_celeba`;
        `.npy`, a matrix (n, attributes), whose names are the lines of a `.txt` of the same name
        beside it, or CelebA's where it has 40 columns.

    Raises
    ------
    LabelsError
        It cannot be read; with the line where the format has lines.
    """
    readers: Mapping[str, Callable[[Path], pa.Table]] = {
        ".csv": _read_csv,
        ".tsv": _read_csv,
        ".jsonl": pyarrow.json.read_json,
        ".parquet": lambda found: open_parquet(found).read(),
        ".npy": _read_matrix,
        ".txt": _read_celeba,
    }
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise LabelsError(f"attributes come as {', '.join(SUFFIXES)}; got {path.name!r}")
    try:
        table = reader(path)
    except (pa.ArrowException, OSError, UnicodeDecodeError, SourceError) as error:
        raise LabelsError(f"attributes {path} cannot be read: {error}") from error
    doubled = {name for name in table.column_names if table.column_names.count(name) > 1}
    if doubled or not len(table):
        raise LabelsError(
            f"{path}: {'no row' if not doubled else 'columns occur twice: ' + ', '.join(doubled)}"
        )
    return table


def without_signs(table: pa.Table) -> pa.Table:
    """The table with −1 and +1 as false and true, in columns of integers that hold nothing else.

    A column of 1 alone counts only beside one that holds −1.
    """
    integers = [field.name for field in table.schema if pa.types.is_integer(field.type)]
    values = {name: set(pc.unique(table[name]).to_pylist()) - {None} for name in integers}
    signed = [name for name, different in values.items() if different <= {-1, 1}]
    if not any(-1 in values[name] for name in signed):
        return table
    for name in signed:
        at = table.schema.get_field_index(name)
        table = table.set_column(at, name, pc.greater(table[name], 0))
    return table


def _read_csv(path: Path) -> pa.Table:
    """Columns of a CSV: bool where all are true or false, else int, else float, else text."""
    parse = pyarrow.csv.ParseOptions(delimiter="\t" if path.suffix.lower() == ".tsv" else ",")
    data = path.read_bytes().removeprefix(b"\xef\xbb\xbf")
    header = pyarrow.csv.open_csv(io.BytesIO(data), parse_options=parse).schema.names
    return _read_text(data, parse, header)


def _read_text(
    data: bytes, parse: pyarrow.csv.ParseOptions, names: list[str], *, skip: int = 1
) -> pa.Table:
    """Rows of text after the first `skip`, each column in the narrowest type that all fit."""
    convert = pyarrow.csv.ConvertOptions(
        column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=True, null_values=[""]
    )
    read = pyarrow.csv.ReadOptions(column_names=names, skip_rows=skip)
    table = pyarrow.csv.read_csv(
        io.BytesIO(data), read_options=read, parse_options=parse, convert_options=convert
    )
    columns = [_typed(pc.utf8_trim_whitespace(column)) for column in table.columns]
    return pa.table(columns, names=table.column_names)


def _typed(texts: pa.ChunkedArray) -> pa.ChunkedArray:
    """Texts as booleans, integers or floats, where every one is; `007` is a name."""
    lower = pc.utf8_lower(texts)
    different = set(pc.unique(lower).to_pylist()) - {None}
    if different and different <= {"true", "false"}:
        return pc.equal(lower, "true")
    if not different or pc.any(pc.match_substring_regex(texts, _PADDED)).as_py():
        return texts
    for kind in (pa.int64(), pa.float64()):
        try:
            return texts.cast(kind)
        except pa.ArrowInvalid:
            continue
    return texts


def _read_celeba(path: Path) -> pa.Table:
    """CelebA's text: how many rows, the names, then a file name and −1 or 1 for each name."""
    lines = path.read_text(encoding="utf-8").splitlines()
    names = lines[1].split() if len(lines) > 2 else []
    if not names or not lines[0].strip().isdecimal():
        raise LabelsError(
            f"{path} is not of CelebA's form: the number of rows, a line of names, then a file "
            "name and -1 or 1 for each; other tables come as .csv"
        )
    rows = [line for line in lines[2:] if line.strip()]
    if len(rows) != int(lines[0]):
        raise LabelsError(f"{path} announces {lines[0].strip()} rows and has {len(rows)}")
    text = "\n".join(re.sub(r"\s+", " ", line.strip()) for line in rows)
    parse = pyarrow.csv.ParseOptions(delimiter=" ")
    return _read_text(text.encode(), parse, [NAME_COLUMNS[0], *names], skip=0)


def _read_matrix(path: Path) -> pa.Table:
    """A matrix of attributes, one per column."""
    matrix = read_npy(path, ndim=2)
    listed = path.with_suffix(".txt")
    names = list(CELEBA)
    if listed.is_file():
        names = [line.strip() for line in listed.read_text(encoding="utf-8").splitlines() if line]
    if len(names) != matrix.shape[1]:
        raise LabelsError(
            f"{path} has {matrix.shape[1]} columns, and {len(names)} names "
            f"({listed.name if listed.is_file() else 'those of CelebA'}); write one name a line to "
            f"{listed}"
        )
    return pa.table([pa.array(np.ascontiguousarray(column)) for column in matrix.T], names=names)
