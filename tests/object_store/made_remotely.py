"""Items with vectors in two spaces, made without a model."""

from __future__ import annotations

import numpy as np

import latentdb
from latentdb.database import LatentDB
from latentdb.space import Space
from latentdb.types import ItemRow, SpaceRows

DIM, WIDE = 8, 12


def make(uri: str, *, count: int = 120) -> LatentDB:
    """A database with items 1 to `count`."""
    db = latentdb.create(uri)
    db.store.add_space(Space("narrow", "embedding", DIM, spec="none"))
    db.store.add_space(Space("wide", "noise", WIDE, spec="none"))
    add(db, range(1, count + 1))
    return db


def add(db: LatentDB, ids: range) -> None:
    """Items whose `wide` vector is a linear view of their `narrow` one, plus a little noise."""
    rng = np.random.default_rng(ids.start)
    which = np.arange(ids.start, ids.stop, dtype=np.int64)
    narrow = rng.standard_normal((len(which), DIM)).astype(np.float32)
    view = np.random.default_rng(99).standard_normal((DIM, WIDE)).astype(np.float32)
    wide = narrow @ view + 0.01 * rng.standard_normal((len(which), WIDE)).astype(np.float32)
    items = [
        ItemRow(int(i), f"{i}.png", 8, 8, b"", {"tall": bool(row[0] > 0)})
        for i, row in zip(which, narrow, strict=True)
    ]
    vectors = {"narrow": SpaceRows(which, narrow), "wide": SpaceRows(which, wide)}
    db.store.write_batch(items=items, sources=[], vectors=vectors, quarantine=[])
