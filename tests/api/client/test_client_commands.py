"""Commands with http:// in place of a folder: the same JSON, tables and pictures."""

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
from latentdb.store.names import shown_name


def run(*words: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


def answer(*words: object) -> Any:
    """The JSON of a command that must succeed, names of files as strangers are told them."""
    result = run(*words, "--json")
    assert result.exit_code == 0, result.output
    return told(json.loads(result.stdout))


def told(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            name: shown_name(one) if name == "source" and isinstance(one, str) else told(one)
            for name, one in value.items()
            if name != "spec"
        }
    if isinstance(value, float):
        return pytest.approx(value, abs=1e-6)
    return [told(one) for one in value] if isinstance(value, list) else value


COMMANDS: dict[str, tuple[object, ...]] = {
    "search": ("search", "DB", "--text", "a hat", "-k", 4, "--where", "hat", "--explain"),
    "search of two": ("search", "DB", "--text", "a hat", "--id", "ID", "--direction", "hat=2"),
    "rank": ("rank", "DB", "--direction", "smiling", "-k", 3, "--least"),
    "rank by energy": ("rank", "DB", "--by", "energy", "--space", "clip", "-k", 3),
    "items": ("items", "DB", "--where", "hat", "--limit", 3),
    "spaces": ("spaces", "DB"),
    "quarantine": ("quarantine", "DB"),
    "indexes": ("indexes", "DB"),
    "maps": ("maps", "DB"),
    "directions": ("directions", "DB"),
    "interpolate": ("interpolate", "DB", "ID", "OTHER", "--steps", 3),
    "centroid": ("centroid", "DB", "ID", "OTHER", "-k", 3),
    "imagine": ("imagine", "DB", "--text", "a hat", "--n", 2),
    "edit": ("edit", "DB", "ID", "--direction", "hat=2", "--strengths", "-1,1"),
}


def words_of(command: tuple[object, ...], db: str, local: LatentDB) -> list[object]:
    first, second = (item.id for item in local.list_items(limit=2).items)
    places = {"DB": db, "ID": first, "OTHER": second}
    return [places.get(word, word) if isinstance(word, str) else word for word in command]


@pytest.mark.parametrize("command", COMMANDS.values(), ids=list(COMMANDS))
def test_a_command_says_the_same_over_a_server(
    local: LatentDB, address: str, command: tuple[object, ...]
) -> None:
    assert answer(*words_of(command, local.uri, local)) == answer(
        *words_of(command, address, local)
    )


def test_a_table_is_the_same(local: LatentDB, address: str) -> None:
    mine, theirs = (run("maps", db) for db in (local.uri, address))
    assert mine.stdout == theirs.stdout
    assert "ridge" in theirs.stdout


@pytest.mark.parametrize(
    ("command", "option"),
    [
        (("search", "DB", "--text", "a hat", "-k", 3), "--grid"),
        (("rank", "DB", "--direction", "smiling", "-k", 3), "--grid"),
        (("interpolate", "DB", "ID", "OTHER", "--steps", 3), "--out"),
        (("centroid", "DB", "ID", "OTHER", "-k", 2), "--out"),
        (("imagine", "DB", "--text", "a hat", "--n", 1), "--out"),
        (("edit", "DB", "ID", "--direction", "hat=2"), "--out"),
    ],
)
def test_a_sheet_is_the_same_to_the_pixel(
    local: LatentDB, address: str, tmp_path: Path, command: tuple[object, ...], option: str
) -> None:
    sheets = []
    for name, db in (("mine", local.uri), ("theirs", address)):
        out = tmp_path / f"{name}.png"
        result = run(*words_of(command, db, local), option, out)
        assert result.exit_code == 0, result.output
        sheets.append(np.asarray(Image.open(out)))
    assert np.array_equal(sheets[0], sheets[1])


def test_the_server_and_its_key_come_from_the_environment(
    local: LatentDB, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LATENTDB", address)
    monkeypatch.setenv("LATENTDB_KEY", "ldb_some-key")
    item = local.list_items(limit=1).items[0].id
    assert answer("search", "--id", item)["hits"]
    assert answer("edit", item, "--direction", "hat=1")["id"] == item


@pytest.mark.parametrize(
    "command",
    [
        ("init", "DB"),
        ("check", "DB"),
        ("migrate-space", "DB"),
        ("export", "DB", "--out", "out"),
        ("import", "DB", "vectors.npy"),
        ("serve", "DB"),
        ("spaces", "DB", "--add", "faces-clip"),
        ("sensitivity", "DB", "--from", "clip", "--to", "dino"),
        ("energy", "DB", "--space", "clip", "--levels"),
        ("edit", "DB", "--where", "hat", "--direction", "hat=1", "--out", "folder/"),
    ],
    ids=lambda command: command[0],
)
def test_what_needs_the_files_says_so(address: str, command: tuple[str, ...]) -> None:
    result = run(*(address if word == "DB" else word for word in command))
    assert result.exit_code == 2
    assert "works on the files of a database" in " ".join(result.stderr.split())


@pytest.mark.parametrize(
    ("words", "told_"),
    [
        (("search", "http://127.0.0.1:1", "--text", "a", "--device", "cpu"), "has its own"),
        (("search", "faces.ldb", "--text", "a", "--key", "k"), "is none"),
        (("search", "http://", "--text", "a"), "address of a server"),
    ],
)
def test_options_of_the_other_kind_are_refused(words: tuple[str, ...], told_: str) -> None:
    result = run(*words)
    assert result.exit_code == 2
    assert told_ in " ".join(result.stderr.replace("│", " ").split())


def test_an_error_of_the_server_is_told_as_one_of_the_library(address: str) -> None:
    result = run("search", address, "--text", "a", "--space", "nope")
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.startswith("error: ")
    assert "nope" in result.stderr
