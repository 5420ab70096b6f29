"""Items that are vectors alone: asked, ranked, drawn and listed like any other."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pytest
from exported import noises, noisezoo
from PIL import Image
from typer.testing import CliRunner

import latentdb
from api.cli.main import app
from api.http.app import create_app
from latentdb.database import LatentDB
from latentdb.errors import ModelError
from latentdb.no_picture import no_picture


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return noisezoo(tmp_path / "zoo", 60)


@pytest.fixture
def db(folder: Path, tmp_path: Path) -> LatentDB:
    made = latentdb.create(str(tmp_path / "zoo.ldb"), spaces=())
    made.import_vectors(folder)
    return made


def ids_by_row(db: LatentDB) -> list[int]:
    items = db.items(db.store.item_ids().tolist())
    return [item.id for item in sorted(items, key=lambda item: item.source)]


def run(*words: object) -> str:
    result = CliRunner().invoke(app, [str(word) for word in words])
    assert result.exit_code == 0, result.output
    return result.stdout


def test_they_are_searched_by_id_vector_metric_and_filter(db: LatentDB) -> None:
    rows = ids_by_row(db)
    answer = db.search(id=rows[0], space="sd15", metric="nao", where="Smiling", k=5)
    assert len(answer.hits) == 5
    assert all(hit.labels["Smiling"] for hit in answer.hits)
    nearest = db.search(vector=noises(60)[7], from_space="sd15", space="sd15", k=1)
    assert nearest.hits[0].id == rows[7]


def test_they_have_directions_and_maps(db: LatentDB) -> None:
    db.fit_direction("smiling", space="sd15", label="Smiling")
    assert len(db.rank("smiling", k=3).hits) == 3
    fitted = db.stitch("sd15", "clip_b16", force=True)
    assert fitted.weight.shape == (4, 6)


def test_their_picture_says_that_there_is_none(db: LatentDB) -> None:
    item_id = ids_by_row(db)[0]
    assert db.picture(item_id).tobytes() == no_picture().tobytes()
    assert Image.open(io.BytesIO(db.thumbnail(item_id))).size == (128, 128)


def test_nothing_can_be_decoded_without_the_model(db: LatentDB) -> None:
    with pytest.raises(ModelError, match="'sd15' was imported as vectors, without a model"):
        db.decode(noises(1).astype(np.float32), space="sd15")


def test_sheets_show_tiles(db: LatentDB, tmp_path: Path) -> None:
    first, second = ids_by_row(db)[:2]
    where = ["--space", "sd15", "--out"]
    run("interpolate", db.uri, first, second, *where, tmp_path / "walk.png")
    run("centroid", db.uri, first, second, *where, tmp_path / "middle.png")
    run("search", db.uri, "--id", first, "--grid", tmp_path / "answer.png")
    for name in ("walk", "middle", "answer"):
        assert Image.open(tmp_path / f"{name}.png").width > 300


def test_an_ingest_leaves_spaces_without_a_model_alone(db: LatentDB, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no space yet"):
        db.ingest(tmp_path)


def test_the_server_shows_the_tile(db: LatentDB) -> None:
    from starlette.testclient import TestClient

    with TestClient(create_app(db), base_url="http://127.0.0.1") as client:
        for size in (64, 1024):
            shown = client.get(f"/v1/items/{ids_by_row(db)[0]}/image", params={"size": size})
            assert shown.headers["content-type"] == "image/png"


def test_the_command_makes_the_database_that_is_not_there(folder: Path, tmp_path: Path) -> None:
    new = tmp_path / "new.ldb"
    summary = json.loads(run("import", new, folder, "--space", "sd15", "--json"))
    assert summary["spaces"]["sd15"]["added"] == 60
    assert [space["name"] for space in json.loads(run("spaces", new, "--json"))] == ["sd15"]


def test_what_the_command_exports_it_imports(db: LatentDB, tmp_path: Path) -> None:
    out = tmp_path / "out"
    written = json.loads(run("export", db.uri, "--out", out, "--space", "sd15", "--json"))
    assert written["files"] == ["attributes.csv", "card.json", "items.parquet", "noises_sd15.npy"]
    rows = np.load(out / "noises_sd15.npy", mmap_mode="r")
    assert np.array_equal(rows, noises(60))
    again = json.loads(run("import", db.uri, out, "--json"))
    assert (again["added"], again["spaces"]["sd15"]["present"]) == (0, 60)


def test_rows_of_labels_are_two_numbers(folder: Path, tmp_path: Path) -> None:
    words = ["import", str(tmp_path / "new.ldb"), str(folder), "--label-rows", "five"]
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 2
    assert "--label-rows is A:B" in result.output


def test_no_database_is_made_of_what_is_refused(folder: Path, tmp_path: Path) -> None:
    (folder / "clip_b16.npy").write_bytes(b"no array")
    result = CliRunner().invoke(app, ["import", str(tmp_path / "new.ldb"), str(folder)])
    assert result.exit_code == 2
    assert not (tmp_path / "new.ldb").exists()
