"""A database whose pictures lie close together, and whose texts, of a real tower, lie elsewhere."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from asked_world import COUNT, WIDE, pictures_of, write

import latentdb
from latentdb.database import LatentDB
from latentdb.space import Space


@pytest.fixture(scope="session")
def made_db(tmp_path_factory: pytest.TempPathFactory, tiny_model: Callable[[str], Path]) -> str:
    """Spaces "clip" with a text tower and a direction, and "far" with a map to it."""
    spec = f"clip=open_clip:{tiny_model('open_clip')}"
    db = latentdb.create(tmp_path_factory.mktemp("asked") / "asked.ldb", spaces=[spec])
    db.store.add_space(Space("far", "embedding", WIDE, spec="none"))
    ids = np.arange(1, COUNT + 1, dtype=np.int64)
    dim = db.store.space("clip").dim
    near = pictures_of(COUNT, dim, seed=0)
    view = np.random.default_rng(1).standard_normal((dim, WIDE)).astype(np.float32)
    write(db, ids, {"clip": near, "far": near @ view})
    db.stitch("far", "clip", force=True)
    db.fit_direction("tall", space="clip", label="tall")
    return db.uri


@pytest.fixture
def asked_db(made_db: str, tmp_path: Path) -> LatentDB:
    """A copy of it."""
    shutil.copytree(made_db, tmp_path / "own.ldb")
    return latentdb.open(tmp_path / "own.ldb", device="cpu")
