"""Databases with a space that draws, for results with pictures in them."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

import latentdb
from api.http.reference import example_database
from latentdb.database import LatentDB


@pytest.fixture(scope="session")
def drawing(
    tmp_path_factory: pytest.TempPathFactory, tiny_model: Callable[[str], Path]
) -> LatentDB:
    """The database of the API's examples, in tiny spaces called clip and noise; only read."""
    specs = [
        f"clip=open_clip:{tiny_model('open_clip')}",
        f"noise=diffusers:{tiny_model('unconditional')}?steps=3",
    ]
    return example_database(tmp_path_factory.mktemp("drawing"), specs)


@pytest.fixture(scope="session")
def own_drawing(drawing: LatentDB, tmp_path_factory: pytest.TempPathFactory) -> LatentDB:
    """A copy of `drawing` that servers may write to."""
    copy = tmp_path_factory.mktemp("own") / "faces.ldb"
    shutil.copytree(drawing.uri, copy)
    return latentdb.open(copy, device="cpu")


@pytest.fixture(scope="session")
def two(drawing: LatentDB) -> tuple[int, int]:
    """Two of its items."""
    first, second = drawing.store.item_ids()[:2].tolist()
    return first, second
