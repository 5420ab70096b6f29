"""The page over a database whose noise space has directions too, so that views can draw."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from browser import Visits, chromium, serving, visit, zoo_db

import latentdb
from latentdb.database import LatentDB

__all__ = ["chromium", "own_site", "site", "studio_db", "visit", "zoo_db"]


@pytest.fixture(scope="session")
def studio_db(zoo_db: LatentDB, tmp_path_factory: pytest.TempPathFactory) -> LatentDB:
    """Sixty faces with directions in both spaces, and a report that another program wrote."""
    folder = tmp_path_factory.mktemp("studio") / "studio.ldb"
    shutil.copytree(zoo_db.uri, folder)
    made = latentdb.open(folder, device="cpu")
    for name in ("hat", "smiling"):
        made.fit_direction(name, space="faces-noise", label=name)
    report = folder / "reports" / "0123456789abcdef"
    report.mkdir(parents=True)
    (report / "report.html").write_text("<!doctype html><title>Study</title><h1>A study</h1>")
    return made


@pytest.fixture(scope="session")
def site(studio_db: LatentDB) -> Iterator[str]:
    """Address of a server over `studio_db`, for tests that only read."""
    with serving(studio_db) as address:
        yield address


@pytest.fixture
def own_site(studio_db: LatentDB, tmp_path: Path, visit: Visits) -> Iterator[str]:
    """Address of a server over a copy of `studio_db`, for a test that writes."""
    shutil.copytree(studio_db.uri, tmp_path / "own.ldb")
    with serving(latentdb.open(tmp_path / "own.ldb", device="cpu")) as address:
        yield address
        visit.close()  # tabs first: what they still load is refused once the server has ended
