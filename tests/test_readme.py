"""The README is run: its shell blocks in order, then its Python blocks, on fewer faces."""

from __future__ import annotations

import re
import runpy
import shlex
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

import latentdb
from api.cli.main import app

README = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")
FACES = "120"


DOCS = sorted((Path(__file__).parent.parent / "docs").glob("*.md"))


def _blocks(language: str, text: str = README) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", text, flags=re.DOTALL)


def _run(command: str) -> None:
    """Run one line of a shell block in the current folder."""
    words = shlex.split(command.replace("--n 600", f"--n {FACES}"))
    if "ID" in words:
        stored = iter(latentdb.open("faces.ldb").store.item_ids())
        words = [str(next(stored)) if word == "ID" else word for word in words]
    if words[:2] == ["python", "-m"]:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(sys, "argv", words[2:])
            with pytest.raises(SystemExit, match=r"^0$"):
                runpy.run_module(words[2], run_name="__main__")
        return
    assert words[0] == "latentdb"
    result = CliRunner().invoke(app, words[1:])
    assert result.exit_code == 0, f"{command}\n{result.output}"


@pytest.mark.slow
def test_the_readme_does_what_it_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for command in "".join(_blocks("sh")).splitlines():
        if command:
            _run(command)
    assert (tmp_path / "answer.png").stat().st_size > 10_000
    for block in _blocks("python"):
        exec(compile(block, "README.md", "exec"), {})


@pytest.mark.parametrize("page", DOCS, ids=lambda page: page.stem)
def test_the_python_of_a_page_runs(page: Path) -> None:
    for block in _blocks("python", page.read_text(encoding="utf-8")):
        exec(compile(block, page.name, "exec"), {})


def test_every_command_is_in_the_readme() -> None:
    missing = [
        command.name
        for command in app.registered_commands
        if f"latentdb {command.name} " not in README and f"latentdb {command.name}\n" not in README
    ]
    assert missing == []


def test_linked_files_exist() -> None:
    links = re.findall(r"\]\(([^)#:]+)\)", README)
    root = Path(__file__).parent.parent
    assert links
    assert [link for link in links if not (root / link).exists()] == []
