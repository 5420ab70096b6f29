"""Many items edited into a folder, and `edit` as it is typed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from edit_faces import make_database
from PIL import Image
from typer.testing import CliRunner, Result

from api.cli.main import app
from latentdb.database import LatentDB
from latentdb.errors import FilterError, QueryError
from latentdb.filters import filter_ids


@pytest.fixture(scope="module")
def db(tmp_path_factory: pytest.TempPathFactory, tiny_model: Callable[[str], Path]) -> LatentDB:
    return make_database(tmp_path_factory.mktemp("folder"), tiny_model)


@pytest.fixture(scope="module")
def few(db: LatentDB) -> str:
    """A condition that four items meet."""
    sources = [one.source for one in db.items(db.store.item_ids()[:4].tolist())]
    return "source in ({})".format(", ".join(f"'{one}'" for one in sources))


def run(*words: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


def written(folder: Path) -> dict[str, float]:
    """When each file of a folder was written."""
    return {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}


def test_every_item_that_qualifies_is_edited(db: LatentDB, few: str, tmp_path: Path) -> None:
    planned = db.edit_folder(tmp_path / "out", {"hat": 2.0}, where=few)
    assert (planned.total, planned.missing) == (4, 4)
    told: list[int] = []
    manifest = planned.run(told.append)
    assert sum(told) == 4
    ids = filter_ids(db.store, few, "noise").tolist()
    assert [one["id"] for one in manifest["pictures"]] == ids
    for one in manifest["pictures"]:
        alone = db.edit(one["id"], {"hat": 2.0})
        with Image.open(tmp_path / "out" / one["file"]) as picture:
            difference = np.asarray(picture, int) - np.asarray(alone.pictures[0], int)
        assert np.abs(difference).max() <= 1
        assert one["norm"] == pytest.approx(alone.norms[1], rel=1e-5)
    assert json.loads((tmp_path / "out" / "manifest.json").read_text()) == manifest


def test_several_strengths_are_several_files(db: LatentDB, few: str, tmp_path: Path) -> None:
    planned = db.edit_folder(tmp_path, {"hat": 1.0}, where=few, strengths=[-1, 1.5])
    files = {one["file"] for one in planned.run()["pictures"]}
    assert len(files) == planned.total == 8
    assert {name.partition("_")[2] for name in files} == {"-1.png", "+1.5.png"}


def test_an_interrupted_edit_goes_on(db: LatentDB, few: str, tmp_path: Path) -> None:
    whole = db.edit_folder(tmp_path, {"hat": 2.0}, where=few)

    def interrupt(_: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        whole.run(interrupt)
    assert json.loads((tmp_path / "manifest.json").read_text())["complete"] is False
    before = written(tmp_path)
    del before["manifest.json"]
    assert len(before) == 1
    again = db.edit_folder(tmp_path, {"hat": 2.0}, where=few)
    assert again.missing == 3
    assert again.run()["complete"] is True
    after = written(tmp_path)
    assert before.items() <= after.items()
    assert len(after) == 5


def test_a_folder_of_another_edit_is_refused(db: LatentDB, few: str, tmp_path: Path) -> None:
    db.edit_folder(tmp_path / "hats", {"hat": 2.0}, where=few).run()
    for other in (
        db.edit_folder(tmp_path / "hats", {"hat": 1.0}, where=few),
        db.edit_folder(tmp_path / "hats", {"hat": 2.0}),
        db.edit_folder(tmp_path / "hats", {"hat": 2.0}, where=few, keep=["smiling"]),
    ):
        with pytest.raises(QueryError, match="pictures of another edit"):
            other.run()


def test_a_folder_of_other_files_is_refused(db: LatentDB, few: str, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(QueryError, match="no edit's"):
        db.edit_folder(tmp_path, {"hat": 2.0}, where=few).run()
    for text in ("torn {", "[]"):
        (tmp_path / "manifest.json").write_text(text)
        with pytest.raises(QueryError, match="no manifest of an edit"):
            db.edit_folder(tmp_path, {"hat": 2.0}, where=few).run()


def test_what_cannot_be_planned_is_refused(db: LatentDB, tmp_path: Path) -> None:
    with pytest.raises(QueryError, match="no item with a vector"):
        db.edit_folder(tmp_path, {"hat": 2.0}, where="source = 'nowhere'")
    with pytest.raises(FilterError, match="nocolumn"):
        db.edit_folder(tmp_path, {"hat": 2.0}, where="nocolumn")
    with pytest.raises(QueryError, match="name the same file"):
        db.edit_folder(tmp_path, {"hat": 2.0}, strengths=[1, 1])
    assert list(tmp_path.iterdir()) == []


def test_a_command_draws_a_strip(db: LatentDB, tmp_path: Path) -> None:
    item, out = int(db.store.item_ids()[0]), tmp_path / "strip.png"
    words = ("--direction", "hat=2", "--strengths", "-1,0,1", "--keep", "smiling")
    result = run("edit", db.uri, item, *words, "--out", out)
    assert result.exit_code == 0, result.output
    assert "drew" in result.stderr
    assert "hat -2" in result.stdout
    with Image.open(out) as sheet:
        assert sheet.width > 5 * 144


def test_a_command_prints_json(db: LatentDB) -> None:
    first, second, third = (int(one) for one in db.store.item_ids()[:3])
    words = ("--pair", second, third, "--pair-method", "difference", "--strength", 0.5)
    result = run("edit", db.uri, first, *words, "--no-norm", "--json")
    assert result.exit_code == 0, result.output
    asked = json.loads(result.stdout)["edit"]
    pair = {"start": second, "end": third, "method": "difference", "strength": 0.5}
    assert (asked["pair"], asked["norm"]) == (pair, "none")


def test_a_picture_file_is_edited(db: LatentDB, tmp_path: Path) -> None:
    Image.new("RGB", (50, 40), "teal").save(tmp_path / "teal.png")
    result = run("edit", db.uri, "--image", tmp_path / "teal.png", "--direction", "hat=1", "--json")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["id"] is None


def test_a_command_edits_many_and_goes_on(db: LatentDB, few: str, tmp_path: Path) -> None:
    words = ("edit", db.uri, "--where", few, "--direction", "hat=1", "--out", tmp_path / "many")
    first = run(*words)
    assert first.exit_code == 0, first.output
    assert "made 4 pictures of 4 items" in first.stderr
    assert "4 of 4 pictures are there already" in run(*words).stderr
    assert json.loads(run(*words, "--json").stdout)["complete"] is True


@pytest.mark.parametrize(
    ("words", "match"),
    [
        ((), "one ID, or --image FILE, or --where SQL"),
        (("1", "2"), "one ID"),
        (("1", "--where", "hat"), "one ID"),
        (("1", "--direction", "hat"), "smiling=2"),
        (("1", "--direction", "hat=1", "--strengths", "1,much"), "divided by commas"),
        (("1", "--direction", "hat=1", "--out", "x.txt"), "--out writes"),
        (("--where", "hat", "--direction", "hat=1"), "name it with --out"),
        (("--where", "hat", "--direction", "hat=1", "--out", "x.png"), "is a file"),
        (("1", "--direction", "hat=1", "--strength", "2"), "are of --pair A B"),
        (("1", "--direction", "hat=1", "--no-norm", "--norm", "chi"), "--no-norm is --norm none"),
        (("1", "--direction", "glasses=1"), "--carry-from dino"),
    ],
)
def test_what_is_typed_wrongly_is_said(db: LatentDB, words: tuple[str, ...], match: str) -> None:
    result = run("edit", db.uri, *words)
    assert result.exit_code == 2
    assert match in " ".join(result.stderr.replace("│", " ").split())
