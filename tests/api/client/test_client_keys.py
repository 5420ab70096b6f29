"""The client with keys, of a server that wants them."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from served import serving
from typer.testing import CliRunner

import latentdb
from api.cli.main import app
from api.http.keys import SCOPES, KeyFile
from latentdb.database import LatentDB
from latentdb.errors import AccessError


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """The file of keys, and one of each scope."""
    path = tmp_path_factory.mktemp("client_keys") / "keys.json"
    return path, {scope: KeyFile(path).add(f"{scope}er", scope) for scope in SCOPES}


@pytest.fixture(scope="module")
def locked(
    db: LatentDB, keys: tuple[Path, dict[str, str]], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """Address of a server that wants keys."""
    folder = tmp_path_factory.mktemp("locked") / "own.ldb"
    shutil.copytree(db.uri, folder)
    with serving(folder, keys=keys[0], runs_jobs=False) as address:
        yield address


def test_a_key_opens_what_its_scope_reaches(locked: str, keys: tuple[Path, dict[str, str]]) -> None:
    with latentdb.connect(locked, key=keys[1]["read"]) as reader:
        ids = [item.id for item in reader.list_items(limit=1).items]
        assert reader.about()["scope"] == "read"
        with pytest.raises(AccessError, match="write") as caught:
            reader.delete(ids)
        assert caught.value.status == 403
    with latentdb.connect(locked, key=keys[1]["write"]) as writer:
        assert writer.delete(ids) == 1


@pytest.mark.parametrize("key", [None, "ldb_not-one-of-them"])
def test_without_a_good_key_it_says_how_to_give_one(locked: str, key: str | None) -> None:
    with pytest.raises(AccessError, match="LATENTDB_KEY") as caught:
        len(latentdb.connect(locked, key=key))
    assert caught.value.status == 401
    assert key is None or key not in str(caught.value)
    assert isinstance(caught.value, PermissionError)


def test_a_command_takes_its_key_from_an_option_or_the_environment(
    locked: str, keys: tuple[Path, dict[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    command = ["search", locked, "--text", "a hat", "--json"]
    refused = CliRunner().invoke(app, command)
    assert refused.exit_code == 2
    assert "LATENTDB_KEY" in refused.stderr
    given = CliRunner().invoke(app, [*command, "--key", keys[1]["read"]])
    monkeypatch.setenv("LATENTDB_KEY", keys[1]["read"])
    taken = CliRunner().invoke(app, command)
    assert given.exit_code == taken.exit_code == 0
    assert given.stdout == taken.stdout
    assert keys[1]["read"] not in given.output + CliRunner().invoke(app, ["search", "-h"]).output
