"""`migrate-space` as it is typed, from the first step to the last."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import tiny_models
from typer.testing import CliRunner, Result

from api.cli.main import app
from latentdb.database import LatentDB


def run(*words: object, keys: str | None = None) -> Result:
    return CliRunner().invoke(app, ["migrate-space", *map(str, words)], input=keys)


def answer(*words: object) -> Any:
    result = run(*words, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


@pytest.fixture(scope="session")
def newer(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tiny_models.save_open_clip(tmp_path_factory.mktemp("newer") / "clip", seed=5)
    return f"clip2=open_clip:{folder}"


@pytest.fixture
def own(db: LatentDB, tmp_path: Path) -> Path:
    """A database of this test's own."""
    return Path(shutil.copytree(db.uri, tmp_path / "own.ldb"))


@pytest.fixture
def begin(own: Path, newer: str) -> Callable[[], Any]:
    words = (own, "--from", "clip", "--to", newer, "--sample", 57, "--workers", 0)
    return lambda: answer(*words)


def test_every_step_is_a_command(own: Path, begin: Callable[[], Any]) -> None:
    first = begin()
    assert (first["state"], first["missing"], first["next"]) == ("serving", 3, "--backfill")
    assert set(first["loss"]["recall_loss"]) == {"value", "low", "high"}
    assert answer(own, "--backfill", "--workers", 0)["state"] == "ready"
    # Other tests may have fitted more into the database that this is a copy of.
    assert {"direction hat", "map clip2 → dino"} <= set(answer(own, "--cut-over")["refitted"])
    assert answer(own, "--roll-back")["state"] == "ready"
    assert answer(own, "--cut-over")["state"] == "cut_over"
    assert answer(own, "--finish", "--yes")["state"] == "finished"
    assert [one["state"] for one in answer(own, "--status")] == ["finished"]


def test_the_table_says_what_comes_next(own: Path, begin: Callable[[], Any]) -> None:
    begin()
    result = run(own)
    assert result.exit_code == 0
    assert "recall@10 lost through the old space" in result.stdout
    assert "next: latentdb migrate-space DB --backfill" in result.stderr


def test_finish_asks_first(own: Path, begin: Callable[[], Any]) -> None:
    begin()
    answer(own, "--backfill", "--workers", 0)
    answer(own, "--cut-over")
    refused = run(own, "--finish", keys="n\n")
    assert refused.exit_code == 1
    assert "There is no way back" in refused.stderr
    assert answer(own)[0]["state"] == "cut_over"


def test_a_search_while_migrating_says_who_answered(own: Path, begin: Callable[[], Any]) -> None:
    begin()
    words = ["search", str(own), "--text", "a hat", "--space", "clip2", "--json"]
    found = json.loads(CliRunner().invoke(app, words).stdout)
    assert found["space"] == "clip"
    assert found["query"]["served_through"]["space"] == "clip"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--backfill", "--cut-over"], "--backfill and --cut-over are steps of their own"),
        (["--to", "clip2=open_clip:x"], "--to needs --from OLD"),
        (["--backfill"], "there is no open migration; begin one with"),
    ],
)
def test_words_that_do_not_go_together_are_refused(own: Path, words: list[str], says: str) -> None:
    result = run(own, *words)
    assert result.exit_code == 2
    assert says in " ".join(result.stderr.replace("│", " ").split())
