"""A small database of drawn faces in a noise space that decodes, with directions to edit along."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import latentdb
from latentdb.database import LatentDB
from latentdb.ingest import IngestOptions
from latentdb.zoo.faces import write_folder

COUNT = 60
DIM = 256


def make_database(folder: Path, tiny_model: Callable[[str], Path]) -> LatentDB:
    """Faces in the spaces `noise` and `dino`; hat and smiling in noise, glasses in dino alone."""
    write_folder(folder / "faces", COUNT, seed=5)
    specs = [
        f"dino=timm:{tiny_model('timm')}",
        f"noise=diffusers:{tiny_model('unconditional')}?steps=4",
    ]
    db = latentdb.create(folder / "faces.ldb", spaces=specs, device="cpu")
    labels = folder / "faces" / "labels.csv"
    db.ingest(folder / "faces", options=IngestOptions(labels=labels, workers=0))
    for name in ("hat", "smiling"):
        db.fit_direction(name, space="noise", label=name)
    db.fit_direction("glasses", space="dino", label="glasses")
    return db
