"""A database of vectors alone: two spaces of which one is a noisy linear picture of the other."""

from __future__ import annotations

from pathlib import Path

import numpy as np

import latentdb
from latentdb.database import LatentDB
from latentdb.space import Space
from latentdb.types import ItemRow, SpaceRows

LEFT, RIGHT = 24, 12


def paired_database(path: Path, *, n: int, into: LatentDB | None = None) -> LatentDB:
    """The first `n` items of one endless list, those that are there already passed over."""
    db = into or latentdb.create(path)
    rng = np.random.default_rng(1)
    ids = rng.permutation(1 << 20)[:n].astype(np.int64) + 1
    mixing = np.random.default_rng(2).standard_normal((LEFT, RIGHT))
    left = np.random.default_rng(3).standard_normal((n, LEFT)).astype(np.float32)
    noise = np.random.default_rng(4).standard_normal((n, RIGHT))
    right = (left @ mixing + 0.5 * noise).astype(np.float32)
    for name, vectors in (("left", left), ("right", right)):
        db.store.add_space(Space(name, "embedding", vectors.shape[1], f"imported:{name}"))
    db.store.write_batch(
        items=[ItemRow(int(one), f"item/{one}", 1, 1, b"") for one in ids],
        sources=[],
        vectors={"left": SpaceRows(ids, left), "right": SpaceRows(ids, right)},
        quarantine=[],
    )
    return db
