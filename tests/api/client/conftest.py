"""One database with real models, its files here and over a server on this machine."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from served import serving

import latentdb
from latentdb.client import RemoteDB
from latentdb.database import LatentDB
from latentdb.ingest import IngestOptions


@pytest.fixture(scope="session")
def source(
    tmp_path_factory: pytest.TempPathFactory, faces: Path, tiny_model: Callable[[str], Path]
) -> Path:
    """Folder of sixty faces in a text space, an encoder's and one that decodes, with all that is
    fitted on them; only read by tests.
    """
    specs = [
        f"clip=open_clip:{tiny_model('open_clip')}",
        f"dino=timm:{tiny_model('timm')}",
        f"noise=diffusers:{tiny_model('unconditional')}?steps=3",
    ]
    (faces / "broken.png").write_bytes(b"no picture")
    folder = tmp_path_factory.mktemp("client") / "faces.ldb"
    made = latentdb.create(folder, spaces=specs, device="cpu")
    made.ingest(faces, options=IngestOptions(labels=faces / "labels.csv", workers=0))
    made.build_index("clip")
    made.stitch("clip", "dino", force=True)
    made.stitch("clip", "noise", force=True)
    for space in ("clip", "noise"):
        made.fit_direction("hat", space=space, label="hat")
    made.fit_direction("smiling", space="clip", label="smiling", orthogonal_to=["hat"])
    made.energy("clip")
    return folder


@pytest.fixture(scope="session")
def local(source: Path) -> LatentDB:
    """The database by its files, telling names of files as a server does."""
    opened = latentdb.open(source, device="cpu")
    opened.store.hide_paths()
    return opened


@pytest.fixture(scope="session")
def address(source: Path) -> Iterator[str]:
    """Address of a server over the same files, which runs no jobs."""
    with serving(source, runs_jobs=False) as found:
        yield found


@pytest.fixture(scope="session")
def remote(address: str) -> Iterator[RemoteDB]:
    """The database over its server."""
    with latentdb.connect(address) as connected:
        yield connected
