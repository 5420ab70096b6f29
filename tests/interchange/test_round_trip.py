"""What is exported comes back as it was, whatever the format; others' programs read it too."""

from __future__ import annotations

import json
from pathlib import Path
from typing import get_args

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from exported import CLIP, NOISE, Interrupting
from pyarrow import csv
from safetensors.numpy import load_file

from latentdb.errors import QueryError, SourceError
from latentdb.interchange import Format, export_vectors, import_vectors
from latentdb.store import Store

FORMATS: tuple[Format, ...] = get_args(Format)
# Whose rows are in one order, so that items without a vector in some space are left out.
ALIGNED = ("noisezoo", "npy")


@pytest.mark.parametrize("kind", FORMATS)
def test_a_round_trip_keeps_ids_vectors_labels_and_pictures(
    origin: Store, target: Store, tmp_path: Path, kind: Format
) -> None:
    written = export_vectors(origin, tmp_path / "out", format=kind)
    import_vectors(target, tmp_path / "out")
    assert written.left_out == (7 if kind in ALIGNED else 0)
    ids = target.item_ids()
    assert len(ids) == written.items == (13 if kind in ALIGNED else 20)
    assert [vars(item) | {"added_at": ""} for item in target.items(ids)] == [
        vars(item) | {"added_at": ""} for item in origin.items(ids)
    ]
    assert target.thumbnails(ids) == origin.thumbnails(ids)
    for space in (NOISE, CLIP):
        assert target.space(space.name).fingerprint == space.fingerprint
        there = target.vector_ids(space.name)
        assert np.array_equal(there, np.intersect1d(origin.vector_ids(space.name), ids))
        stored = origin.vectors(space.name, there)
        assert np.array_equal(target.vectors(space.name, there), stored)
    assert {problem.severity for problem in target.check()} <= {"note"}


@pytest.mark.parametrize("kind", FORMATS)
def test_quality_columns_come_back(
    origin: Store, target: Store, tmp_path: Path, kind: Format
) -> None:
    export_vectors(origin, tmp_path / "out", spaces=[NOISE.name], format=kind)
    import_vectors(target, tmp_path / "out")
    before, after = origin.all_vectors(NOISE.name), target.all_vectors(NOISE.name)
    for name in NOISE.quality:
        assert np.array_equal(before.quality[name], after.quality[name], equal_nan=True)


@pytest.mark.parametrize("kind", FORMATS)
def test_a_second_import_changes_nothing(
    origin: Store, target: Store, tmp_path: Path, kind: Format
) -> None:
    export_vectors(origin, tmp_path / "out", format=kind)
    import_vectors(target, tmp_path / "out")
    versions = target.items_version(), target.version(NOISE.name)
    again = import_vectors(target, tmp_path / "out")
    assert (again.added, again.spaces[NOISE.name].added) == (0, 0)
    assert (target.items_version(), target.version(NOISE.name)) == versions


def test_an_import_into_the_database_itself_adds_nothing(origin: Store, tmp_path: Path) -> None:
    export_vectors(origin, tmp_path / "out", format="parquet")
    summary = import_vectors(origin, tmp_path / "out")
    assert summary.added == 0
    assert {one.present for one in summary.spaces.values()} == {20, 13}


def test_rows_leave_in_the_order_in_which_they_came(origin: Store, tmp_path: Path) -> None:
    export_vectors(origin, tmp_path / "out", spaces=[NOISE.name], format="npy")
    ids = pq.read_table(tmp_path / "out" / "items.parquet")["id"].to_numpy()
    stored = origin.vectors(NOISE.name, ids)
    assert np.array_equal(np.load(tmp_path / "out" / "tiny-noise.npy"), stored)
    assert not np.array_equal(ids, np.sort(ids))


def test_half_precision_stays_half(origin: Store, tmp_path: Path) -> None:
    export_vectors(origin, tmp_path / "npy", format="npy")
    export_vectors(origin, tmp_path / "parquet", format="parquet")
    assert np.load(tmp_path / "npy" / "tiny-clip.npy").dtype == np.float16
    kind = pq.read_schema(tmp_path / "parquet" / "tiny-clip.parquet").field("vector").type
    assert kind == pa.list_(pa.float16(), 4)


def test_where_chooses_what_is_written(origin: Store, tmp_path: Path) -> None:
    export_vectors(origin, tmp_path / "out", format="parquet", where="hat and age > 4")
    table = pq.read_table(tmp_path / "out" / "tiny-noise.parquet")
    assert table["hat"].to_pylist() == [True] * 5
    assert len(table["vector"][0]) == 8


def test_noisezoo_files_are_what_a_notebook_loads(origin: Store, tmp_path: Path) -> None:
    export_vectors(origin, tmp_path / "out", spaces=[NOISE.name])
    vectors = np.load(tmp_path / "out" / "noises_tiny-noise.npy", allow_pickle=False)
    attributes = csv.read_csv(tmp_path / "out" / "attributes.csv")
    assert vectors.shape == (20, 8)
    assert len(attributes) == 20
    assert set(attributes["hat"].to_pylist()) == {-1, 1}
    assert attributes["image_id"][0].as_py() == "0.png"


def test_the_library_of_safetensors_reads_an_export(origin: Store, tmp_path: Path) -> None:
    export_vectors(origin, tmp_path / "out", format="safetensors")
    tensors = load_file(tmp_path / "out" / "tiny-clip.safetensors")
    assert tensors["vectors"].dtype == np.float16
    expected = origin.vectors(CLIP.name, tensors["ids"])
    assert np.array_equal(tensors["vectors"].astype(np.float32), expected)


@pytest.mark.parametrize("kind", ["safetensors", "parquet"])
def test_one_exported_file_alone_is_enough(
    origin: Store, target: Store, tmp_path: Path, kind: Format
) -> None:
    export_vectors(origin, tmp_path / "out", format=kind)
    file = tmp_path / f"moved.{kind}"
    (tmp_path / "out" / f"tiny-noise.{kind}").rename(file)
    import_vectors(target, file, spaces=[f"other={file.name}"])
    assert target.space("other").fingerprint == NOISE.fingerprint
    assert np.array_equal(target.vector_ids("other"), origin.item_ids())
    assert not any(item.has_picture for item in target.items(target.item_ids()))
    hats = {} if kind == "safetensors" else origin.label_columns()
    assert target.label_columns() == hats


def test_a_picture_that_cannot_be_decoded_is_not_imported(
    origin: Store, target: Store, tmp_path: Path
) -> None:
    export_vectors(origin, tmp_path / "out", format="npy")
    path = tmp_path / "out" / "items.parquet"
    table = pq.read_table(path)
    at = table.schema.get_field_index("thumbnail")
    html = pa.array([b"<html>"] * len(table), pa.binary())
    pq.write_table(table.set_column(at, table.schema.field(at), html), path)
    assert import_vectors(target, tmp_path / "out").with_picture == 0
    assert set(target.thumbnails(target.item_ids())) == {b""}


def test_a_changed_record_of_a_space_is_refused(
    origin: Store, target: Store, tmp_path: Path
) -> None:
    export_vectors(origin, tmp_path / "out", format="npy")
    card = json.loads((tmp_path / "out" / "card.json").read_text())
    card["spaces"]["tiny-noise"]["space"]["settings"]["steps"] = 4
    (tmp_path / "out" / "card.json").write_text(json.dumps(card))
    with pytest.raises(ValueError, match="changed by hand"):
        import_vectors(target, tmp_path / "out")
    assert target.spaces() == {}


def test_an_export_that_fails_leaves_nothing(origin: Store, tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        export_vectors(origin, tmp_path / "out", progress=Interrupting(1))
    assert not [path for path in tmp_path.iterdir() if "out" in path.name]


def test_what_is_there_is_not_written_over(origin: Store, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("mine")
    with pytest.raises(SourceError, match="not empty: name a new folder"):
        export_vectors(origin, tmp_path / "out")


def test_an_export_of_nothing_is_refused(origin: Store, target: Store, tmp_path: Path) -> None:
    with pytest.raises(QueryError, match="no item qualifies"):
        export_vectors(origin, tmp_path / "out", where="age > 1000")
    with pytest.raises(QueryError, match="no space to export"):
        export_vectors(target, tmp_path / "out")
