"""The files of deploy/: that what they run, copy and count on is there."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest
import typer

from api.cli.commands.serve import names_of, require_closed
from api.cli.main import app
from api.http.keys import KeyFile
from api.http.protocol import uvicorn_options
from api.settings import ServerSettings

ROOT = Path(__file__).parents[3]
DEPLOY = ROOT / "deploy"


def text_of(name: str) -> str:
    return (DEPLOY / name).read_text(encoding="utf-8")


def options_of(command: str) -> set[str]:
    """What `latentdb COMMAND` can be told."""
    made = typer.main.get_command(app).commands[command]  # type: ignore[attr-defined]
    return {option for parameter in made.params for option in parameter.opts}


def commands() -> dict[str, list[str]]:
    """The arguments of `latentdb` in each file."""
    docker = json.loads(re.findall(r"^CMD (\[.*\])$", text_of("Dockerfile"), re.MULTILINE)[0])
    composed = text_of("compose.yaml").partition("    command:\n")[2].partition("    volumes:")[0]
    unit = re.findall(r"^ExecStart=\S+ (.*)$", text_of("latentdb.service"), re.MULTILINE)[0]
    return {
        "Dockerfile": docker,
        "compose.yaml": [line.strip().removeprefix("- ") for line in composed.splitlines()],
        "latentdb.service": shlex.split(unit),
        "nginx.conf": shlex.split(re.findall(r"latentdb (serve .*)", text_of("nginx.conf"))[0]),
    }


@pytest.mark.parametrize("name", commands())
def test_a_deployed_server_is_told_what_it_understands_and_has_keys(name: str) -> None:
    given = {word.partition("=")[0] for word in commands()[name] if word.startswith("--")}
    assert commands()[name][0] == "serve"
    assert given <= options_of("serve")
    assert "--keys" in given


def test_the_image_is_made_of_what_there_is() -> None:
    text, allowed = text_of("Dockerfile"), text_of("Dockerfile.dockerignore").splitlines()
    copied = [
        word
        for line in re.findall(r"^COPY ((?!--from).*) \S+$", text, re.MULTILINE)
        for word in line.split()
    ]
    assert {"api", "latentdb", "indexers", "pyproject.toml", "constraints.txt"} <= set(copied)
    for path in copied:
        assert (ROOT / path).exists()
        assert f"!{path}" in allowed


def test_the_image_is_run_by_nobody_in_particular() -> None:
    lines = text_of("Dockerfile").splitlines()
    user = next(at for at, line in enumerate(lines) if line.startswith("USER "))
    assert lines[user] == "USER 10001:10001"
    assert not any(line.startswith(("RUN", "COPY", "ADD")) for line in lines[user:])
    assert any(line.startswith("HEALTHCHECK") for line in lines)
    assert ":latest" not in "".join(lines)


def test_the_wheel_holds_the_page_and_the_weights() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    patterns = settings["tool"]["setuptools"]["package-data"]
    held = {
        path
        for package in ("api", "latentdb")
        for pattern in patterns[package]
        for path in (ROOT / package).glob(pattern)
    }
    needed = [
        path
        for folder in (ROOT / "api" / "web", ROOT / "latentdb" / "zoo" / "weights")
        for path in folder.rglob("*")
        if path.is_file()
    ]
    assert [path for path in needed if path not in held] == []


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not here")
def test_the_unit_is_understood(tmp_path: Path) -> None:
    unit = tmp_path / "latentdb.service"
    unit.write_text(re.sub(r"ExecStart=\S+", "ExecStart=/bin/true", text_of("latentdb.service")))
    done = subprocess.run(
        ["systemd-analyze", "verify", str(unit)], capture_output=True, text=True, check=False
    )
    assert "latentdb.service" not in done.stderr, done.stderr


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "example.org"])
def test_nothing_but_loopback_is_served_without_keys(host: str) -> None:
    with pytest.raises(typer.BadParameter, match="keys add"):
        require_closed(host, None, ())
    with pytest.raises(typer.BadParameter, match="keys add"):
        require_closed("127.0.0.1", None, ["pictures.example.org"])
    require_closed("127.0.0.1", None, ["localhost"])


def test_a_file_without_a_valid_key_is_none(tmp_path: Path) -> None:
    file = KeyFile(tmp_path / "keys.json")
    file.add("ann", "read")
    require_closed("0.0.0.0", file.path, ())
    file.revoke("ann")
    with pytest.raises(typer.BadParameter, match="no valid key"):
        require_closed("0.0.0.0", file.path, ())


def test_a_server_answers_to_its_names_alone(tmp_path: Path) -> None:
    keys = tmp_path / "keys.json"
    assert "*" not in names_of("127.0.0.1", None, ())
    assert "*" not in names_of("127.0.0.1", keys, ())
    assert names_of("0.0.0.0", keys, ()) == ("*",)
    assert "pictures.example.org" in names_of("0.0.0.0", keys, ["Pictures.Example.org"])
    assert "*" not in names_of("0.0.0.0", keys, ["pictures.example.org"])


def test_nobody_is_believed_to_be_a_proxy_unless_named() -> None:
    assert uvicorn_options(ServerSettings())["proxy_headers"] is False
    named = uvicorn_options(ServerSettings(trusted_proxies=("10.0.0.0/8",)))
    assert (named["proxy_headers"], named["forwarded_allow_ips"]) == (True, ["10.0.0.0/8"])
