"""An empty database and one to export."""

from __future__ import annotations

from pathlib import Path

import pytest
from exported import fill

from latentdb.store import Store


@pytest.fixture
def target(tmp_path: Path) -> Store:
    """An empty database."""
    return Store.create(str(tmp_path / "target.ldb"))


@pytest.fixture
def origin(tmp_path: Path) -> Store:
    """A database of 20 items in two spaces."""
    return fill(Store.create(str(tmp_path / "origin.ldb")))
