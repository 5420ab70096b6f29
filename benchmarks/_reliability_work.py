"""What is killed by benchmarks.reliability, and what a database answers afterwards.

As a program it gets ready, reads one line, `WORK DATABASE`, does it and ends:

    python -m benchmarks._reliability_work
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, final

import numpy as np

import latentdb
from latentdb.database import LatentDB
from latentdb.ingest import IngestOptions, ingest
from latentdb.model import AbstractEncoder, Embedded, Pixels, Transform
from latentdb.space import Space
from latentdb.zoo.faces import write_folder

FACES = 96
LATER = 16


@final
class Pooled(AbstractEncoder):
    """Means over a grid of cells through a fixed projection: quick, and the same every time."""

    def __init__(self, name: str, dim: int) -> None:
        self._name = name
        self._projection = np.random.default_rng(dim).standard_normal((48, dim))

    @property
    def space(self) -> Space:
        """As the base class says."""
        dim = self._projection.shape[1]
        return Space(self._name, "embedding", dim, f"{self._name}=test:pooled", {"grid": 4})

    @property
    def transform(self) -> Transform:
        """As the base class says."""
        return Transform(16, "bilinear")

    def embed(self, pixels: Pixels) -> Embedded:
        """As the base class says."""
        cells = pixels.reshape(len(pixels), 4, 4, 4, 4, 3).mean(axis=(2, 4)) / 255.0
        vectors = cells.reshape(len(pixels), 48) @ self._projection
        return Embedded(vectors.astype(np.float32), {})


MODELS = (Pooled("one", 24), Pooled("two", 16))


def prepare(database: Path) -> None:
    """A database with pictures in it, and more of them waiting in a folder beside it."""
    faces = database.with_name("faces")
    write_folder(faces, FACES, seed=5, start=0)
    write_folder(database.with_name("later"), LATER, seed=6, start=FACES)
    db = latentdb.create(database)
    for model in MODELS:
        db.store.add_space(model.space)
    _take_in(db, faces)
    ids = db.store.item_ids()
    db.store.set_labels(ids, {"left": (ids % 2 == 0).tolist()})
    db.build_index("two", metric="euclidean", kind="hnsw")
    # A later version of the database to back up and to restore.
    db.upkeep.backup(database.with_suffix(".backup"))
    db.delete(ids[:5].tolist())


def _take_in(db: LatentDB, folder: Path) -> None:
    models = {model.space.name: model for model in MODELS}
    options = IngestOptions(batch_size=8, commit_seconds=1e-6, workers=0)
    ingest(db.store, models, str(folder), options=options)


def _ingest(database: Path) -> None:
    _take_in(latentdb.open(database), database.with_name("later"))


def _index(database: Path) -> None:
    db = latentdb.open(database)
    db.build_index("one", metric="cosine", kind="hnsw")
    db.build_index("one", metric="nao", kind="flat")


def _refresh(database: Path) -> None:
    latentdb.open(database).upkeep.refresh_index("two", metric="euclidean")


def _fit(database: Path) -> None:
    db = latentdb.open(database)
    db.stitch("one", "two", method="ridge", force=True)
    db.fit_direction("left", space="one", label="left")


def _compact(database: Path) -> None:
    latentdb.open(database).upkeep.compact()


def _delete(database: Path) -> None:
    db = latentdb.open(database)
    ids = sorted(db.store.item_ids().tolist())
    # The same whatever of it was done before: those below a fixed id.
    db.delete([one for one in ids if one < 1 << 60])


def _label(database: Path) -> None:
    db = latentdb.open(database)
    ids = db.store.item_ids()
    for name in ("first", "second", "third"):
        db.store.set_labels(ids, {name: ids.tolist()})


def _snapshot(database: Path) -> None:
    upkeep = latentdb.open(database).upkeep
    if not upkeep.snapshots():
        upkeep.snapshot("kept")


def _backup(database: Path) -> None:
    latentdb.open(database).upkeep.backup(database.with_suffix(".backup"))


def _restore(database: Path) -> None:
    made = database.with_name("restored.ldb")
    if not made.exists():
        latentdb.restore(database.with_suffix(".backup"), made)


WORKS: dict[str, Callable[[Path], None]] = {
    "ingest": _ingest,
    "index build": _index,
    "index refresh": _refresh,
    "fit of a map and a direction": _fit,
    "compaction": _compact,
    "deletion": _delete,
    "labels": _label,
    "snapshot": _snapshot,
    "backup": _backup,
    "restore": _restore,
}


def answers(database: Path) -> list[Any]:
    """Everything that a database says but for times, of what was restored from it too."""
    restored = database.with_name("restored.ldb")
    said = _answers(latentdb.open(database))
    for one in latentdb.open(database).upkeep.snapshots():
        said.append((one.name, _answers(latentdb.open(database, at=one.name))))
    return [*said, _answers(latentdb.open(restored))] if restored.exists() else said


def _answers(db: LatentDB) -> list[Any]:
    ids = db.store.item_ids()
    items = [(item.id, Path(item.source).name, item.labels) for item in db.items(ids.tolist())]
    said: list[Any] = [items, db.store.thumbnails(ids), sorted(db.store.known_sources().items())]
    for space in db.spaces().values():
        there = db.store.vector_ids(space.name)
        said.append((there.tolist(), db.store.vectors(space.name, there).tobytes()))
    for info in db.indexes():
        asked = {"space": info.space, "metric": info.metric, "k": 8}
        found = db.search(vector=np.ones(db.spaces()[info.space].dim, np.float32), **asked)
        said.append((asked, info.kind, [(hit.id, round(hit.distance, 4)) for hit in found.hits]))
    said += [one.weight.round(6).tolist() for one in db.maps()]
    return said + [(one.name, one.vector.round(6).tolist()) for one in db.directions()]


if __name__ == "__main__":
    # What the works import when they are first called is imported before the clock starts.
    from latentdb.backup import restore, take_backup  # noqa: F401
    from latentdb.directions import probe  # noqa: F401
    from latentdb.stitch import ridge  # noqa: F401

    import faiss  # noqa: F401  isort: skip
    import lancedb  # noqa: F401  isort: skip

    print("ready", flush=True)
    work, path = sys.stdin.readline().rstrip("\n").split("\t")
    WORKS[work](Path(path))
    print("done", flush=True)
