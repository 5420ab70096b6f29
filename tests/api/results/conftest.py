"""Databases with a space that draws, for results with pictures in them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import latentdb
from latentdb.database import LatentDB
from latentdb.ingest import IngestOptions

LEARNT = ("hat", "beard")


@pytest.fixture(scope="session")
def drawing(
    tmp_path_factory: pytest.TempPathFactory, faces: Path, tiny_model: Callable[[str], Path]
) -> LatentDB:
    """The sixty faces where text leads into noise, with directions there; only read by tests."""
    noise = f"noise=diffusers:{tiny_model('unconditional')}?steps=3"
    specs = [f"clip=open_clip:{tiny_model('open_clip')}", noise]
    made = latentdb.create(
        tmp_path_factory.mktemp("drawing") / "faces.ldb", spaces=specs, device="cpu"
    )
    made.ingest(faces, options=IngestOptions(labels=faces / "labels.csv", workers=0))
    made.stitch("clip", "noise", force=True)
    for label in LEARNT:
        made.fit_direction(label, space="noise", label=label)
    made.fit_direction("hat", space="clip", label="hat")
    made.build_index("clip")
    return made


@pytest.fixture(scope="session")
def two(drawing: LatentDB) -> tuple[int, int]:
    """Two of its items."""
    first, second = drawing.store.item_ids()[:2].tolist()
    return first, second
