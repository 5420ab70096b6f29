"""A small database with every kind of file in it, and everything that it answers."""

from __future__ import annotations

import io
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

import latentdb
from latentdb.database import LatentDB
from latentdb.space import Space
from latentdb.types import ItemRow, QuarantineRow, SourceRow, SpaceRows

NOISE = Space("noise", "noise", 12, "none", {"steps": 3}, quality=("psnr",))
CLIP = Space("clip", "embedding", 8, "none", {"model": "x"}, dtype="float16")
SPACES = (NOISE, CLIP)
N_ITEMS = 60


def vectors_of(ids: Iterable[int], dim: int) -> np.ndarray:
    """A vector for each id that depends on the id and the dimension alone; noise and clip agree."""
    # What both spaces show of a picture, so that a map between them is worth keeping.
    mixing = np.random.default_rng(dim).standard_normal((5, dim))
    rows = [np.random.default_rng(one).standard_normal(5) @ mixing for one in ids]
    blurred = [np.random.default_rng([one, dim]).standard_normal(dim) / 4 for one in ids]
    return (np.stack(rows) + np.stack(blurred)).astype(np.float32)


def small_picture(number: int) -> bytes:
    """A PNG of 4 x 4 pixels."""
    file = io.BytesIO()
    Image.new("RGB", (4, 4), (number % 256, 7 * number % 256, 99)).save(file, "PNG")
    return file.getvalue()


def write(db: LatentDB, ids: Iterable[int]) -> None:
    """One batch of items that depend on their ids alone, with vectors in every space there is."""
    ids = [int(one) for one in ids]
    array = np.array(ids, np.int64)
    quality = {"psnr": array.astype(np.float32)}
    labels = [{"hat": one % 2 == 0, "age": one, "town": f"town{one % 5}"} for one in ids]
    db.store.write_batch(
        items=[
            ItemRow(one, f"{one}.png", 4, 4, small_picture(one), said)
            for one, said in zip(ids, labels, strict=True)
        ],
        sources=[SourceRow(f"{one}.png", f"hash{one}", one) for one in ids],
        vectors={
            space.name: SpaceRows(
                array, vectors_of(ids, space.dim), quality if space.quality else {}
            )
            for space in SPACES
        },
        quarantine=[QuarantineRow("bad.png", "hashbad", "corrupt", "not a picture")],
    )


def create(path: Path) -> LatentDB:
    """An empty database with both spaces."""
    db = latentdb.create(path)
    for space in SPACES:
        db.store.add_space(space)
    return db


def build(path: Path) -> LatentDB:
    """A database with pieces, deletions, changed labels, indexes, a map and a direction."""
    db = create(path)
    write(db, range(N_ITEMS))
    write(db, range(100, 100 + N_ITEMS))
    db.delete([3, 105])
    db.store.set_labels([5, 7], {"age": [55, 77]})
    db.build_index("noise", metric="nao", kind="flat")
    db.build_index("clip", metric="cosine", kind="hnsw")
    db.stitch("noise", "clip", method="ridge")
    db.fit_direction("hat", space="clip", label="hat")
    write(db, range(200, 205))
    return db


def answers(uri: str | Path) -> list[Any]:
    """Everything that a database opened anew says, to be compared as a whole."""
    db = latentdb.open(uri)
    ids = db.store.item_ids()
    said: list[Any] = [ids.tolist(), db.items(ids.tolist()), db.store.thumbnails(ids)]
    said += [db.store.known_sources(), db.quarantine(), db.spaces()]
    for space in db.spaces().values():
        there = db.store.vector_ids(space.name)
        said += [there.tolist(), db.store.vectors(space.name, there).tobytes()]
        said.append(db.store.metadata(space.name).to_pylist())
        for query in vectors_of([1001, 1002], space.dim):
            found = db.search(vector=query, space=space.name, k=7, where="hat = true")
            said.append([(hit.id, round(hit.distance, 4)) for hit in found.hits])
    said += [(one.to_json(), one.weight.tobytes()) for one in db.maps()]
    said += [(one.to_json(), one.vector.tobytes()) for one in db.directions()]
    return said


def copy_of(database: Path, to: Path) -> Path:
    """A copy that can be damaged while the original stays: every file is one of its own."""
    shutil.rmtree(to, ignore_errors=True)
    return Path(shutil.copytree(database, to))


def kinds_of_files(database: Path) -> dict[str, list[Path]]:
    """Files of a database by what they are, as paths below it; empty ones say nothing."""
    kinds: dict[str, list[Path]] = {}
    for path in sorted(database.rglob("*")):
        if path.is_file() and path.stat().st_size:
            below = path.relative_to(database)
            kinds.setdefault(_kind_of(below), []).append(below)
    return kinds


def _kind_of(path: Path) -> str:
    top = path.parts[0]
    if not top.endswith(".lance"):
        return f"{top}/{path.name}" if top == "indexes" else top
    what = path.parts[1] if len(path.parts) > 2 else path.name
    if path.suffix == ".json":
        what = path.name
    return f"{'spaces of vectors' if top.startswith('space_') else top}/{what}"
