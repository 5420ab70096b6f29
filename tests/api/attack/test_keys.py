"""Keys: what the file holds, who may write it, and when a key stops."""

from __future__ import annotations

import json
import os
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from api.cli.main import app
from api.http.keyring import LOOK_AGAIN_S, KeyRing, KeysUnreadableError
from api.http.keys import KEY_PATTERN, KeyFile, KeysError


class Clock:
    """Seconds that pass when told."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def file(tmp_path: Path) -> KeyFile:
    return KeyFile(tmp_path / "keys.json")


def test_a_key_is_known_by_the_whole_of_it(file: KeyFile) -> None:
    whole = file.add("ann", "write")
    ring = KeyRing(file.path)
    found = ring.holder(whole)
    assert found is not None
    assert (found.name, found.scope) == ("ann", "write")
    nobodys = f"{whole[:16]}_{'0' * 64}"
    for wrong in (whole[:-1], whole[:-1] + "g", whole + "0", "", "ldb_", nobodys):
        assert ring.holder(wrong) is None


def test_the_file_holds_no_key_and_is_its_owners_alone(file: KeyFile) -> None:
    whole = file.add("ann", "read")
    secret = whole.rpartition("_")[2]
    assert KEY_PATTERN.fullmatch(whole)
    assert secret not in file.path.read_text()
    assert file.path.stat().st_mode & 0o777 == 0o600


def test_a_service_that_reads_by_its_group_goes_on_reading(file: KeyFile) -> None:
    file.add("ann", "read")
    file.path.chmod(0o640)
    file.add("bob", "read")
    assert file.path.stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize("mode", [0o620, 0o602, 0o604, 0o666])
def test_a_file_that_others_can_reach_is_refused(file: KeyFile, mode: int) -> None:
    file.add("ann", "read")
    file.path.chmod(mode)
    with pytest.raises(KeysError, match="others may write or read"):
        KeyRing(file.path)


def test_a_folder_in_which_others_can_replace_the_file_is_refused(file: KeyFile) -> None:
    file.add("ann", "read")
    file.path.parent.chmod(0o777)
    with pytest.raises(KeysError, match="in the place of"):
        KeyRing(file.path)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"version": 2}',
        '{"version": 1, "session_secret": "zz", "keys": []}',
        '{"version": 1, "session_secret": "00", "keys": [{"id": "1"}]}',
    ],
)
def test_a_file_that_holds_something_else_is_refused(file: KeyFile, text: str) -> None:
    file.path.write_text(text)
    file.path.chmod(0o600)
    with pytest.raises(KeysError, match=r"keys\.json"):
        file.read()


def test_a_scope_that_there_is_not_is_refused(file: KeyFile) -> None:
    file.add("ann", "read")
    data = json.loads(file.path.read_text())
    data["keys"][0]["scope"] = "root"
    file.path.write_text(json.dumps(data))
    with pytest.raises(KeysError, match="scope 'root'"):
        file.read()


def test_a_revoked_key_stops_within_a_second_and_a_new_one_is_let_in(file: KeyFile) -> None:
    clock = Clock()
    whole = file.add("ann", "read")
    ring = KeyRing(file.path, clock=clock)
    file.revoke("ann")
    other = file.add("ann", "admin")
    clock.now += LOOK_AGAIN_S
    assert ring.holder(whole) is None
    assert ring.holder(other) is not None
    with pytest.raises(KeysError, match="revoked already"):
        file.revoke("bob")


def test_an_expired_key_is_not_let_in(file: KeyFile) -> None:
    past = datetime.now(UTC) - timedelta(seconds=1)
    whole = file.add("ann", "read", expires_at=past)
    assert KeyRing(file.path).holder(whole) is None


def test_nobody_is_let_in_while_the_file_is_not_in_order(file: KeyFile) -> None:
    clock = Clock()
    whole = file.add("ann", "read")
    ring = KeyRing(file.path, clock=clock)
    file.path.chmod(0o666)
    clock.now += 1
    with pytest.raises(KeysUnreadableError):
        ring.holder(whole)
    file.path.chmod(0o600)
    clock.now += 1
    assert ring.holder(whole) is not None
    file.path.unlink()
    clock.now += 1
    with pytest.raises(KeysUnreadableError):
        ring.holder(whole)


def test_keys_added_at_once_are_all_kept(file: KeyFile) -> None:
    def add(at: int) -> None:
        KeyFile(file.path).add(f"n{at}", "read")

    threads = [threading.Thread(target=add, args=(at,)) for at in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(key.name for key in file.read().keys) == sorted(f"n{at}" for at in range(12))


@pytest.mark.parametrize("name", ["", " a", "a\nb", "x" * 61, "<b>", "a;b"])
def test_a_name_that_could_forge_a_line_of_the_log_is_refused(file: KeyFile, name: str) -> None:
    with pytest.raises(KeysError, match="no name for a key"):
        file.add(name, "read")


def run(*arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["keys", *arguments])
    return done.exit_code, done.stdout


def test_the_command_makes_lists_and_revokes(tmp_path: Path) -> None:
    path = str(tmp_path / "k.json")
    code, out = run(
        "add", "ann", "--scope", "write", "--expires", "90d", "--per-minute", "9", "--keys", path
    )
    assert code == 0
    assert KEY_PATTERN.fullmatch(out.strip())
    code, out = run("list", "--keys", path, "--json")
    (row,) = json.loads(out)
    assert (row["name"], row["scope"], row["state"], row["per_minute"]) == (
        "ann",
        "write",
        "valid",
        9,
    )
    days = (datetime.fromisoformat(row["expires_at"]) - datetime.now(UTC)) / timedelta(days=1)
    assert 89.9 < days <= 90
    assert run("revoke", row["id"], "--keys", path)[0] == 0
    assert json.loads(run("list", "--keys", path, "--json")[1])[0]["state"] == "revoked"
    assert "ann" in run("list", "--keys", path)[1]


@pytest.mark.parametrize(
    "arguments",
    [
        ("add", "ann", "--scope", "root"),
        ("add", "ann", "--expires", "0d"),
        ("add", "ann", "--expires", "soon"),
        ("add", "ann", "--per-minute", "0"),
        ("revoke", "ann"),
        ("list",),
    ],
)
def test_the_command_refuses(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    assert run(*arguments, "--keys", str(tmp_path / "none" / "k.json"))[0] == 2


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_file_of_another_user_is_refused(file: KeyFile) -> None:
    file.add("ann", "read")
    os.chown(file.path, 4321, 4321)
    with pytest.raises(KeysError, match="another user"):
        file.read()
