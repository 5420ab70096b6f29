"""Batches for a small database, which depend on the ids alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from latentdb.space import Space
from latentdb.types import ItemRow, SourceRow, SpaceRows

NOISE = Space("tiny-noise", "noise", 8, "noise", {"steps": 3}, quality=("psnr",))
CLIP = Space("tiny-clip", "embedding", 4, "clip", {"model": "x"}, dtype="float16", has_text=True)

BatchMaker = Callable[..., dict[str, Any]]


def vectors_of(ids: Iterable[int], dim: int) -> np.ndarray:
    """A vector for each id that depends on the id alone."""
    return np.stack(
        [np.random.default_rng(one).standard_normal(dim, dtype=np.float32) for one in ids]
    )


def make_batch(ids: Iterable[int], *, labels: bool = True) -> dict[str, Any]:
    """Arguments of `write_batch` for pictures that depend on their ids alone."""
    ids = [int(one) for one in ids]
    array = np.array(ids, dtype=np.int64)
    return {
        "items": [
            ItemRow(
                one,
                f"{one}.png",
                3,
                4,
                f"png{one}".encode(),
                {"hat": one % 2 == 0, "age": one} if labels else {},
            )
            for one in ids
        ],
        "sources": [SourceRow(f"{one}.png", f"hash{one}", one) for one in ids],
        "vectors": {
            NOISE.name: SpaceRows(
                array, vectors_of(ids, NOISE.dim), {"psnr": array.astype(np.float32)}
            ),
            CLIP.name: SpaceRows(array, vectors_of(ids, CLIP.dim)),
        },
        "quarantine": [],
    }
