"""What the documentation shows of the client is run against a real server."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from served import serving

from latentdb.database import LatentDB
from latentdb.protocol import Database
from latentdb.zoo.faces import write_folder

ROOT = Path(__file__).parent.parent.parent.parent
SHOWN = "http://127.0.0.1:8000"


@pytest.mark.parametrize("page", ["README.md", "docs/client.md"])
def test_what_is_shown_runs(
    db: LatentDB, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, page: str
) -> None:
    shutil.copytree(db.uri, tmp_path / "own.ldb")
    write_folder(tmp_path / "photos", 2, seed=80)
    (tmp_path / "key.txt").write_text("ldb_whatever\n")
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```py\n(.*?)```", (ROOT / page).read_text("utf-8"), flags=re.DOTALL)
    assert blocks
    with serving(tmp_path / "own.ldb") as address:
        names: dict[str, object] = {}
        for block in blocks:
            exec(compile(block.replace(SHOWN, address), page, "exec"), names)


def test_every_method_of_a_database_is_in_the_page() -> None:
    told = (ROOT / "docs/client.md").read_text("utf-8")
    methods = [name for name in vars(Database) if not name.startswith("_") and name != "uri"]
    assert len(methods) > 30
    assert [name for name in methods if f"`{name}`" not in told] == []
