"""A small database and batches to fill it with; real LanceDB tables, tiny vectors."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from latentdb.space import Space
from latentdb.store import Store
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


@pytest.fixture
def noise() -> Space:
    return NOISE


@pytest.fixture
def clip() -> Space:
    return CLIP


@pytest.fixture
def batch() -> BatchMaker:
    return make_batch


@pytest.fixture
def empty_store(tmp_path: Path) -> Store:
    """A database with two spaces and no items."""
    store = Store.create(str(tmp_path / "tiny.ldb"))
    store.add_space(NOISE)
    store.add_space(CLIP)
    return store


@pytest.fixture
def store(empty_store: Store) -> Store:
    """A database with items 3, 5, 8 and 12, written in another order."""
    empty_store.write_batch(**make_batch([8, 3, 12, 5]))
    return empty_store
