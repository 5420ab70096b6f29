"""One small database with real models, for commands and server alike."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

import latentdb
from latentdb.database import LatentDB
from latentdb.ingest import IngestOptions
from latentdb.zoo.faces import write_folder

COUNT = 60


@pytest.fixture(scope="session")
def faces(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sixty drawn faces with their labels."""
    folder = tmp_path_factory.mktemp("faces")
    write_folder(folder, COUNT, seed=5)
    return folder


@pytest.fixture(scope="session")
def specs(tiny_model: Callable[[str], Path]) -> list[str]:
    """A space with text, and one without, by tiny random models."""
    return [f"clip=open_clip:{tiny_model('open_clip')}", f"dino=timm:{tiny_model('timm')}"]


@pytest.fixture(scope="session")
def db(tmp_path_factory: pytest.TempPathFactory, faces: Path, specs: list[str]) -> LatentDB:
    """The faces in both spaces, with a map, a direction and an index; only read by tests."""
    made = latentdb.create(tmp_path_factory.mktemp("api") / "faces.ldb", spaces=specs, device="cpu")
    (faces / "broken.png").write_bytes(b"no picture")
    made.ingest(faces, options=IngestOptions(labels=faces / "labels.csv", workers=0))
    made.build_index("clip", metric="cosine")
    made.stitch("clip", "dino")
    made.fit_direction("hat", space="clip", label="hat")
    return made


@pytest.fixture
def own_db(db: LatentDB, tmp_path: Path) -> LatentDB:
    """A copy of `db`, for a test that writes."""
    shutil.copytree(db.uri, tmp_path / "own.ldb")
    return latentdb.open(tmp_path / "own.ldb", device="cpu")
