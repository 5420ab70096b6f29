"""Tiny models that several test folders share, each built once, and who runs which file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

# What the files of these folders share takes seconds to start: one process runs them all, and
# first, for they last longest.
SHARED = {
    "tests/cluster/": "a Ray cluster",
    "tests/object_store/": "an object store",
    "tests/api/client/": "a served database of three models",
    "tests/api/web/": "a database of the zoo's models",
    "tests/api/studio/": "a database of the zoo's models",
}


def shared_by(nodeid: str) -> str | None:
    """What a test shares with those of other files."""
    return next((what for folder, what in SHARED.items() if nodeid.startswith(folder)), None)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: shared_by(item.nodeid) is None)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Of --dist loadfile: a process takes a file at a time, or all files that share something."""
    from xdist.scheduler import LoadFileScheduling

    class ByFile(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return shared_by(nodeid) or super()._split_scope(nodeid)

    return ByFile(config, log) if config.getvalue("dist") == "loadfile" else None


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
