"""Chroma's server with the same vectors."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

import numpy as np

from benchmarks.serve_process import Served, process

# Chroma's own defaults, said so that they are on record.
HNSW = {"space": "cosine", "ef_construction": 100, "ef_search": 100, "max_neighbors": 16}
_BATCH = 2000


@contextmanager
def chroma_server(folder: Path, vectors: np.ndarray) -> Iterator[tuple[Served, str]]:
    """`chroma run` over these vectors, and the address of their collection's queries."""
    import chromadb

    command = [_program(), "run", "--path", str(folder / "chroma"), "--host", "127.0.0.1"]
    with process(command, "/api/v2/heartbeat", ANONYMIZED_TELEMETRY="False") as served:
        client = chromadb.HttpClient("127.0.0.1", served.port)
        collection = client.create_collection("vectors", configuration={"hnsw": HNSW})
        for start in range(0, len(vectors), _BATCH):
            block = vectors[start : start + _BATCH]
            ids = [str(start + i) for i in range(len(block))]
            sources = [{"source": f"{one}.png"} for one in ids]
            collection.add(ids=ids, embeddings=block, metadatas=sources)
        path = "/api/v2/tenants/default_tenant/databases/default_database/collections"
        yield served, f"{served.address}{path}/{collection.id}/query"


def about() -> dict[str, object]:
    """What it was, and how it was set."""
    return {"version": version("chromadb"), "hnsw": HNSW}


def _program() -> str:
    beside = Path(sys.executable).parent / "chroma"
    found = str(beside) if beside.exists() else shutil.which("chroma")
    if not found:
        raise RuntimeError("the command chroma is not here: pip install chromadb")
    return found
