"""Vectors of pictures that lie close together, and items with words to ask for."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from latentdb.database import LatentDB
from latentdb.types import ItemRow, SpaceRows

COUNT, WIDE = 1200, 24
HATS = ("top hat", "cap", "beret", "helmet", "crown", "bonnet", "fez", "turban")


def pictures_of(count: int, dim: int, *, seed: int) -> NDArray[np.float32]:
    """Vectors about one direction, as an encoder gives pictures: in groups, and far from texts."""
    rng = np.random.default_rng(seed)
    centres = 0.3 * rng.standard_normal((20, dim))
    rows = centres[rng.integers(0, 20, count)] + 0.1 * rng.standard_normal((count, dim))
    rows[:, 0] += 3.0
    return rows.astype(np.float32)


def write(db: LatentDB, ids: NDArray[np.int64], vectors: dict[str, NDArray[np.float32]]) -> None:
    items = [
        ItemRow(
            int(i), f"{i}.png", 8, 8, b"", {"hat": HATS[int(i) % len(HATS)], "tall": bool(i % 3)}
        )
        for i in ids
    ]
    rows = {name: SpaceRows(ids, block) for name, block in vectors.items()}
    db.store.write_batch(items=items, sources=[], vectors=rows, quarantine=[])
