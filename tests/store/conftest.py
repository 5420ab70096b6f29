"""A small database; real LanceDB tables, tiny vectors."""

from __future__ import annotations

from pathlib import Path

import pytest
from store_batches import CLIP, NOISE, BatchMaker, make_batch

from latentdb.space import Space
from latentdb.store import Store


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
