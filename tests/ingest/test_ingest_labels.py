"""Labels files: types, joins, and the line that is at fault."""

from __future__ import annotations

from pathlib import Path

import pytest

from latentdb.errors import LabelsError
from latentdb.ingest.labels import LabelJoin, LabelTable, read_labels
from latentdb.ingest.recipes import InlineBytes
from latentdb.ingest.sources import Candidate


def table_of(tmp_path: Path, text: str, name: str = "labels.csv") -> LabelTable:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return read_labels(path)


def candidate(key: str, source: str | None = None) -> Candidate:
    return Candidate(source or f"photos/{key}", key, InlineBytes(b""))


def test_csv_columns_get_the_narrowest_type(tmp_path: Path) -> None:
    text = (
        "path,flag,digit,age,ratio,name,code,empty\n"
        "a.png,True,0,31,0.5,Ann,007,\n"
        "b.png,false,1,,1e-3,12,x,\n"
    )
    table = table_of(tmp_path, text)
    assert table.types == {
        "flag": bool, "digit": int, "age": int, "ratio": float, "name": str, "code": str,
    }  # fmt: skip
    assert table.rows["a.png"] == {
        "flag": True, "digit": 0, "age": 31, "ratio": 0.5, "name": "Ann", "code": "007",
    }  # fmt: skip
    assert table.rows["b.png"]["age"] is None
    assert type(table.rows["b.png"]["digit"]) is int


def test_a_byte_order_mark_and_quoted_commas_are_understood(tmp_path: Path) -> None:
    table = table_of(tmp_path, '\ufeffpath,text\n"a,b.png","one, two"\n')
    assert table.rows == {"a,b.png": {"text": "one, two"}}


def test_tabs_and_hugging_face_names_are_understood(tmp_path: Path) -> None:
    table = table_of(tmp_path, "file_name\tsmile\n./in\\a.png\t1\n", "metadata.tsv")
    assert table.rows == {"in/a.png": {"smile": 1}}


def test_jsonl_keeps_its_types_and_widens_integers(tmp_path: Path) -> None:
    text = '{"path": "a", "ok": true, "n": 1, "t": "x"}\n\n{"path": "b", "ok": null, "n": 2.5}\n'
    table = table_of(tmp_path, text, "labels.jsonl")
    assert table.types == {"ok": bool, "n": float, "t": str}
    assert table.rows == {"a": {"ok": True, "n": 1.0, "t": "x"}, "b": {"ok": None, "n": 2.5}}


@pytest.mark.parametrize(
    ("name", "text", "match"),
    [
        ("l.csv", "", "line 1: no column `path`; the columns are: none"),
        ("l.csv", "file,smile\na,1\n", "line 1: no column `path`; the columns are: file, smile"),
        ("l.csv", "path,smile\na,1\nb,1,2\n", "line 3: 3 fields, the header has 2"),
        ("l.csv", "path,smile\na,1\na,0\n", "line 3: 'a' has labels already"),
        ("l.csv", "path,smile\n,1\n", "line 2: the path is empty"),
        ("l.csv", "path,x,x\na,1,2\n", "line 1: a column occurs twice"),
        ("l.csv", 'path,x\na,"open\n', "line 2: "),
        ("l.jsonl", '{"path": "a"}\n{"path" 1}\n', "line 2: not JSON"),
        ("l.jsonl", "[1]\n", "line 1: expected an object"),
        ("l.jsonl", '{"path": "a", "x": 1}\n{"path": "b", "x": "y"}\n', "line 2: 'x' is str here"),
        ("l.jsonl", '{"path": "a", "box": [1]}\n', "line 1: 'box' is list"),
        ("l.jsonl", '{"path": 3}\n', "line 1: the path is 3"),
        ("l.xlsx", "path\n", "labels come as"),
    ],
)
def test_a_file_at_fault_is_refused_with_its_line(
    tmp_path: Path, name: str, text: str, match: str
) -> None:
    with pytest.raises(LabelsError, match=match):
        table_of(tmp_path, text, name)


def test_bytes_that_are_not_utf8_and_missing_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / "l.csv").write_bytes(b"path,name\na,\xff\xfe\n")
    with pytest.raises(LabelsError, match="line 2: not UTF-8"):
        read_labels(tmp_path / "l.csv")
    with pytest.raises(LabelsError, match="No such file"):
        read_labels(tmp_path / "absent.csv")


def test_rows_are_joined_by_relative_path_and_by_stored_name(tmp_path: Path) -> None:
    join = LabelJoin(table_of(tmp_path, "path,n\nin/a.png,1\nphotos/b.png,2\nc.png,3\n"), None)
    assert join.labels_of(candidate("in/a.png")) == {"n": 1}
    assert join.labels_of(candidate("b.png")) == {"n": 2}
    assert join.labels_of(candidate("in/c.png")) is None
    assert join.unused == 1


def test_a_file_name_is_enough_only_where_it_is_the_only_one(tmp_path: Path) -> None:
    table = table_of(tmp_path, "path,n\na.png,1\nb.png,2\nx/c.png,3\ny/c.png,4\n")
    keys = ["in/a.png", "in/b.png", "out/b.png", "z/c.png"]
    join = LabelJoin(table, keys)
    found = [join.labels_of(candidate(key)) for key in keys]
    assert found == [{"n": 1}, None, None, None]
    assert join.unused == 3
