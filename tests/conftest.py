"""Tiny models that several test folders share, each built once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Folder of the tiny model that `tiny_models.save_NAME` makes."""
    import tiny_models

    folders: dict[str, Path] = {}
    root = tmp_path_factory.mktemp("tiny_models")

    def folder_of(name: str) -> Path:
        if name not in folders:
            folders[name] = getattr(tiny_models, f"save_{name}")(root / name)
        return folders[name]

    return folder_of


@pytest.fixture
def pictures() -> NDArray[np.uint8]:
    """Five smooth pictures of 32 pixels a side."""
    rng = np.random.default_rng(7)
    coarse = rng.integers(0, 256, (5, 4, 4, 3), dtype=np.uint8)
    return np.ascontiguousarray(coarse.repeat(8, axis=1).repeat(8, axis=2))
