"""A small database of drawn faces in real spaces, and the models that are to replace them."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tiny_models

import latentdb
from latentdb.database import LatentDB
from latentdb.ingest import IngestOptions
from latentdb.migrate import BackfillOptions, SpaceMigration
from latentdb.zoo.faces import write_folder

COUNT, SAMPLE = 90, 60
HERE = BackfillOptions(workers=0)


@dataclass(frozen=True)
class Faces:
    """Folder of pictures, a database of them to be copied, and the specs of other models."""

    folder: Path
    base: Path
    clip2: str
    dinov2: str

    def copy(self, to: Path) -> LatentDB:
        """A database of its own for one test."""
        shutil.copytree(self.base, to / "faces.ldb")
        return latentdb.open(to / "faces.ldb", device="cpu")


def make_faces(root: Path) -> Faces:
    """Ninety faces in `clip` (16 dimensions, with text) and `dino` (24)."""
    folder, base = root / "faces", root / "base.ldb"
    write_folder(folder, COUNT, seed=5)
    clip = tiny_models.save_open_clip(root / "clip")
    other = tiny_models.save_open_clip(root / "clip2", seed=5)
    dino, dinov2 = tiny_models.save_timm(root / "dino"), tiny_models.save_dinov2(root / "dinov2")
    specs = [f"clip=open_clip:{clip}", f"dino=timm:{dino}"]
    db = latentdb.create(base, spaces=specs, device="cpu")
    db.ingest(folder, options=IngestOptions(labels=folder / "labels.csv", workers=0))
    db.build_index("clip", metric="cosine", kind="hnsw")
    db.stitch("clip", "dino")
    db.fit_direction("hat", space="clip", label="hat")
    db.fit_direction("smiling", space="clip", label="smiling", orthogonal_to=["hat"])
    return Faces(
        folder, base, f"clip2=open_clip:{other}", f"dinov2=transformers:{dinov2}?pooling=cls"
    )


def started(db: LatentDB, faces: Faces) -> SpaceMigration:
    """`clip` on its way to `clip2`, which is served through the map."""
    return db.migrate_space("clip", faces.clip2, sample=SAMPLE, options=HERE)


def ready(db: LatentDB, faces: Faces) -> SpaceMigration:
    """`clip2` with all its vectors."""
    migration = started(db, faces)
    migration.backfill(options=HERE)
    return migration


def faults(db: LatentDB) -> list[str]:
    """Problems that are more than a note."""
    return [problem.detail for problem in db.check() if problem.severity == "fault"]


def nearest(vectors: np.ndarray, query: np.ndarray, k: int) -> np.ndarray:
    """Rows by cosine, computed without an index."""
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.argsort(-(unit @ query), kind="stable")[:k]
