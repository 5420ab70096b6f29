"""A small database with everything that one may hold."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from life_rows import make_db

import latentdb
from latentdb.database import LatentDB


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """200 items in two spaces with indexes, a map, a direction and an uploaded original."""
    path = tmp_path_factory.mktemp("life") / "made.ldb"
    db = make_db(path, 200)
    db.build_index("wide")
    db.build_index("narrow", metric="euclidean", kind="hnsw")
    db.stitch("wide", "narrow")
    db.fit_direction("hat", space="wide", label="hat")
    (path / "uploads" / "ab12").mkdir(parents=True)
    (path / "uploads" / "ab12" / "one.png").write_bytes(b"an original")
    return path


@pytest.fixture
def db(made: Path, tmp_path: Path) -> LatentDB:
    """A copy of it, for a test that writes."""
    shutil.copytree(made, tmp_path / "own.ldb")
    return latentdb.open(tmp_path / "own.ldb")
