"""`latentdb nearest`: a file of vectors in, ids and distances out."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

import latentdb
from api.cli.commands import nearest
from api.cli.main import app
from latentdb.database import LatentDB
from latentdb.space import Space
from latentdb.types import ItemRow, SpaceRows

DIM, COUNT = 8, 60


@pytest.fixture(scope="module")
def db(tmp_path_factory) -> LatentDB:
    made = latentdb.create(tmp_path_factory.mktemp("cli_nearest") / "n.ldb")
    made.store.add_space(Space("noise", "noise", DIM, spec="none", settings={}))
    ids = np.arange(COUNT, dtype=np.int64)
    items = [ItemRow(i, f"{i}.png", 1, 1, b"", {"even": i % 2 == 0}) for i in range(COUNT)]
    rows = SpaceRows(ids, np.random.default_rng(2).standard_normal((COUNT, DIM)).astype(np.float32))
    made.store.write_batch(items=items, sources=[], vectors={"noise": rows}, quarantine=[])
    return made


@pytest.fixture
def asked(tmp_path) -> Path:
    path = tmp_path / "asked.npy"
    np.save(path, np.random.default_rng(3).standard_normal((25, DIM)))
    return path


def run(*words: str | Path) -> Result:
    return CliRunner().invoke(app, ["nearest", *map(str, words)])


def test_a_file_is_written_of_what_is_near(db, asked, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(nearest, "_AT_ONCE", 10)
    out = tmp_path / "found.npz"
    done = run(db.uri, asked, "--space", "noise", "--metric", "nao", "-k", "3", "--out", out)
    assert done.exit_code == 0, done.output
    truth = db.nearest(np.load(asked), space="noise", metric="nao", k=3)
    with np.load(out) as found:
        np.testing.assert_array_equal(found["ids"], truth.ids)
        for name in ("distances", "angular", "radial"):
            np.testing.assert_allclose(found[name], getattr(truth, name), atol=1e-9)


def test_json_has_every_row_without_padding(db, asked) -> None:
    conditions = ("--where", "even", "--max-distance", ".4")
    done = run(db.uri, asked, "--space", "noise", "--metric", "cosine", *conditions, "--json")
    told = json.loads(done.stdout)
    assert (told["space"], told["metric"], told["exact"]) == ("noise", "cosine", True)
    assert len(told["rows"]) == 25
    found = [id_ for row in told["rows"] for id_ in row["ids"]]
    assert found
    assert all(id_ % 2 == 0 for id_ in found)
    assert all(distance <= 0.4 for row in told["rows"] for distance in row["distances"])


def test_without_a_file_the_nearest_of_the_first_rows_is_shown(db, asked) -> None:
    done = run(db.uri, asked, "--space", "noise")
    first = db.nearest(np.load(asked)[:1], space="noise").ids[0, 0]
    assert f"{first}.png" in done.stdout
    assert "first 20 of 25 rows" in done.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--space", "clip"), "clip"),
        (("--space", "noise", "--out", "found.csv"), "npz"),
        (("--space", "noise", "--where", "odd"), "odd"),
    ],
)
def test_what_cannot_be_asked_is_refused_in_a_sentence(db, asked, words, said) -> None:
    done = run(db.uri, asked, *words)
    assert done.exit_code == 2
    assert said in done.output
    assert "Traceback" not in done.output


def test_a_file_that_holds_no_matrix_is_refused(db, tmp_path) -> None:
    path = tmp_path / "one.npy"
    np.save(path, np.ones(DIM))
    done = run(db.uri, path, "--space", "noise")
    assert done.exit_code == 2
    assert "vector[None, :]" in done.output
