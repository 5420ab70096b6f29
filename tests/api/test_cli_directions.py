"""`direction` and `directions` as they are typed."""

from __future__ import annotations

import json
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from api.cli.main import app
from latentdb.database import LatentDB


def _run(*words: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


def _answer(*words: object) -> Any:
    result = _run(*words, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def _ids(db: LatentDB) -> list[int]:
    return [int(i) for i in db.store.item_ids()]


def test_every_source_has_its_option(db: LatentDB) -> None:
    first, second, third, *_ = _ids(db)
    dino = ("direction", db.uri, "cli_source", "--space", "dino")
    by = {
        "logistic": ("--label", "hat", "--method", "logistic"),
        "lda": ("--label", "hat", "--method", "lda"),
        "pair_difference": ("--pair", first, second),
        "ids": ("--like", first, "--like", second, "--unlike", third),
        "text": ("--text", "a face with a hat", "a face"),
    }
    assert [_answer(*dino, *words)["method"] for words in by.values()] == list(by)
    _answer("direction", db.uri, "cli_source", "--space", "clip", "--label", "hat")
    carried = _answer(*dino, "--carry-from", "clip")
    assert (carried["method"], carried["label"]) == ("carried_movement", "hat in clip")


def test_unscored_directions_and_guessed_boundaries_are_pointed_out(db: LatentDB) -> None:
    first, second, *_ = _ids(db)
    pair = ("direction", db.uri, "cli_pair", "--space", "clip", "--pair", first, second)
    told = _run(*pair)
    assert told.exit_code == 0
    assert "not scored, for want of a label: cli_pair" in told.stderr
    assert "median of the space, which is a guess: cli_pair" in told.stderr
    scored = _run(*pair, "--score-label", "smiling")
    assert "not scored" not in scored.stderr
    assert "smiling" in scored.stdout


def test_the_listing_shows_what_leaving_others_alone_cost(db: LatentDB) -> None:
    fit = ("direction", db.uri, "cli_scarf", "--space", "clip", "--label", "scarf")
    made = _answer(*fit, "--orthogonal-to", "hat", "--orthogonality", "scores")
    assert made["cost"]["kind"] == "scores"
    taken = made["cost"]["nuisances"][0]
    assert (taken["name"], taken["label"]) == ("hat", "hat")
    assert set(taken["correlation"]) == {"before", "after", "difference"}
    listed = {(one["name"], one["space"]["name"]): one for one in _answer("directions", db.uri)}
    assert listed["cli_scarf", "clip"] == made
    table = _run("directions", db.uri).stdout
    assert "leaves alone" in table
    assert "with its label" in table


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ((), "exactly one of label, like, pair, text, carry_from"),
        (("--label", "hat", "--text", "a", "b"), "got label and text"),
        (("--label", "hat", "--pair-method", "svd"), "pair_method goes with pair"),
        (("--label", "nothing"), "nothing"),
    ],
)
def test_what_does_not_go_together_is_said(db: LatentDB, words: tuple[str, ...], text: str) -> None:
    told = _run("direction", db.uri, "cli_wrong", "--space", "clip", *words)
    assert told.exit_code == 2
    assert text in told.stderr
