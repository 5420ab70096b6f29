"""Rows for small databases, and what a database answers, to compare two of them by."""

from __future__ import annotations

import io
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

import latentdb
from latentdb.database import LatentDB
from latentdb.space import Space
from latentdb.store import Store
from latentdb.types import ItemRow, SourceRow, SpaceRows

WIDE = Space("wide", "embedding", 16, "none", {"model": "a"})
NARROW = Space("narrow", "embedding", 8, "none", {"model": "b"}, dtype="float16")


def vectors_of(ids: Iterable[int], dim: int, *, seed: int = 0) -> NDArray[np.float32]:
    """A vector for each id that depends on the id and the seed; the narrow one on the wide one."""
    wide = np.stack(
        [np.random.default_rng([seed, one]).standard_normal(16, dtype=np.float32) for one in ids]
    )
    return wide[:, :dim]


def _thumbnail(one: int) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (3, 4), (one % 256, 0, 0)).save(buffer, "PNG")
    return buffer.getvalue()


def write(store: Store, ids: Iterable[int], *, seed: int = 0) -> None:
    """Write items of these ids with their vectors and labels."""
    ids = [int(one) for one in ids]
    array = np.array(ids, dtype=np.int64)
    store.write_batch(
        items=[
            ItemRow(one, f"{one}.png", 3, 4, _thumbnail(one), {"hat": bool(one % 2)}) for one in ids
        ],
        sources=[SourceRow(f"{one}.png", f"hash{one}", one) for one in ids],
        vectors={
            space.name: SpaceRows(array, vectors_of(ids, space.dim, seed=seed))
            for space in (WIDE, NARROW)
        },
        quarantine=[],
    )


def make_db(path: Path, count: int) -> LatentDB:
    """A database of items 0…count−1 in two spaces."""
    store = Store.create(str(path))
    store.add_space(WIDE)
    store.add_space(NARROW)
    for start in range(0, count, 50):
        write(store, range(start, min(count, start + 50)))
    return latentdb.open(path)


def answers(db: LatentDB) -> dict[str, Any]:
    """Everything that a database says of itself, and what it finds."""
    ids = db.store.item_ids()
    return {
        "ids": ids.tolist(),
        "items": db.items(ids.tolist()),
        "vectors": {name: db.store.all_vectors(name).vectors.tolist() for name in db.spaces()},
        "known": db.store.known_sources(),
        "labels": [array.tolist() for array in db.store.labels("hat")],
        "maps": [one.to_json() for one in db.maps()],
        "directions": [one.to_json() for one in db.directions()],
        "indexes": db.indexes(),
        "hits": db.search(vector=vectors_of([7], 16), from_space="wide", space="wide", k=5).hits,
    }
