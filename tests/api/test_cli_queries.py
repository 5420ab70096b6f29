"""Questions of several parts as they are typed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner, Result

from api.cli.main import app
from latentdb.database import LatentDB


def run(*words: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


def answer(*words: object) -> Any:
    result = run(*words, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def _ids(db: LatentDB) -> list[int]:
    return [int(item) for item in db.store.item_ids()[:4]]


def test_every_part_reaches_the_search(db: LatentDB, faces: Path) -> None:
    one, other, third, _ = _ids(db)
    picture = faces / "face_00007.png"
    words = ["--text", "a hat", "--image", picture, "--id", one, "--weight", "text=.5"]
    words += ["--like", f"{other}=2", "--unlike", third, "--weight", "id=-.25"]
    found = answer("search", db.uri, *words, "--space", "clip", "-k", 3)
    parts = [(part["kind"], part["weight"]) for part in found["query"]["parts"]]
    assert parts == [("image", 1.0), ("id", -0.25), ("text", 0.5), ("id", 2.0), ("id", -1.0)]
    asked = db.search(
        text="a hat",
        image=picture,
        id=one,
        like={other: 2.0},
        unlike=[third],
        weights={"text": 0.5, "id": -0.25},
        space="clip",
        k=3,
    )
    assert found["hits"] == asked.to_json()["hits"]


def test_a_text_beside_an_item_is_turned_into_pictures(db: LatentDB) -> None:
    found = answer("search", db.uri, "--text", "a hat", "--id", _ids(db)[0])
    item, text = found["query"]["parts"]
    assert (item["kind"], "text" in item) == ("id", False)
    assert (text["kind"], text["text"]) == ("text", "as pictures")


def test_diverse_and_explain_reach_the_search(db: LatentDB) -> None:
    words = ("--id", _ids(db)[0], "--direction", "hat=1", "--diverse", 0.4, "--explain", "-k", 3)
    found = answer("search", db.uri, *words)
    assert (found["query"]["diverse"], found["query"]["candidates"]) == (0.4, 50)
    for hit in found["hits"]:
        told = hit["explain"]
        given = sum(term["contribution"] for term in told["terms"])
        assert told["base"] + given == pytest.approx(told["similarity"], abs=1e-6)
        assert [term["kind"] for term in told["terms"]] == ["id", "direction"]


def test_an_explanation_reads_as_a_table(db: LatentDB) -> None:
    one, other, *_ = _ids(db)
    words = ("--id", one, "--unlike", other, "--direction", "hat=2", "--explain", "-k", 2)
    result = run("search", db.uri, *words)
    assert result.exit_code == 0, result.output
    for words_of_it in ("gives", "without it", "what all share", f"id {one}", "hat +2"):
        assert words_of_it in result.stdout


def test_a_sheet_shows_every_part_above_the_hits(db: LatentDB, tmp_path: Path) -> None:
    one, other, *_ = _ids(db)
    few, more = tmp_path / "few.png", tmp_path / "more.png"
    answer("search", db.uri, "--id", one, "-k", 3, "--grid", few)
    words = ("--id", one, "--text", "a hat", "--unlike", other, "--direction", "hat=1")
    answer("search", db.uri, *words, "-k", 3, "--grid", more)
    shapes = [np.asarray(Image.open(path)).shape for path in (few, more)]
    assert shapes[1][0] > shapes[0][0] + 160


def test_a_sheet_of_no_hits_says_so(db: LatentDB, tmp_path: Path) -> None:
    one, other, *_ = _ids(db)
    grid = tmp_path / "none.png"
    words = ("--id", one, "--like", other, "--where", "width < 0", "--grid", grid)
    assert answer("search", db.uri, *words)["hits"] == []
    assert grid.exists()


def test_a_ranking_is_drawn_filtered_and_told_as_json(db: LatentDB, tmp_path: Path) -> None:
    grid = tmp_path / "rank.png"
    words = ("--direction", "hat", "--where", "not hat", "-k", 4, "--grid", grid)
    found = answer("rank", db.uri, *words)
    assert [hit["labels"]["hat"] for hit in found["hits"]] == [False] * 4
    distances = [hit["distance"] for hit in found["hits"]]
    assert distances == sorted(distances)
    vectors = db.store.vectors("clip", [hit["id"] for hit in found["hits"]])
    np.testing.assert_allclose(distances, -db.direction("hat", "clip").project(vectors), rtol=1e-5)
    assert grid.stat().st_size > 5_000


@pytest.mark.parametrize(
    ("words", "match"),
    [
        (("--unlike", "5"), "something that hits are to be like"),
        (("--direction", "hat=2"), "rank orders all items"),
        (("--like", "five"), "takes the id of a stored item"),
        (("--like", "5=much"), "is ID or ID=WEIGHT"),
        (("--like", "5", "--like", "5=2"), "each once"),
        (("--like", "5=-1", "--id", "6"), "belongs in unlike"),
        (("--id", "5", "--like", "5"), "more than once"),
        (("--text", "a", "--weight", "words=2"), "no part of this question"),
        (("--text", "a", "--weight", "text=2"), "changes nothing"),
        (("--text", "a", "--weight", "2"), "is PART=WEIGHT"),
        (("--text", "a", "--diverse", "2"), "less than or equal to 1"),
    ],
)
def test_bad_combinations_are_refused_with_what_to_do(
    db: LatentDB, words: tuple[str, ...], match: str
) -> None:
    result = run("search", db.uri, *words)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert match in " ".join(result.stderr.replace("│", " ").split())
