"""What `benchmarks.serve` serves: faces with their texts, and vectors that others serve too."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

import latentdb
from latentdb.database import LatentDB
from latentdb.ingest import IngestOptions
from latentdb.space import Space
from latentdb.types import ItemRow, SpaceRows
from latentdb.zoo.faces import write_folder

TEXTS, VECTORS = "faces-clip", "vectors"
DIM, K, CLUSTERS = 256, 10, 200
_BATCH = 5000
_WORDS = (
    "smiling face with a hat", "person with glasses and dark hair", "round pale face outdoors",
    "long light hair and earrings", "beard, scarf and closed eyes", "serious face with short hair",
)  # fmt: skip


def fill(folder: Path, *, faces: int, vectors: int, seed: int) -> LatentDB:
    """A database of drawn faces in a space with text, and of vectors in one of their own."""
    write_folder(folder / "faces", faces, seed=seed)
    db = latentdb.create(folder / "served.ldb", spaces=[TEXTS], device="cpu")
    labels = folder / "faces" / "labels.csv"
    db.ingest(folder / "faces", options=IngestOptions(labels=labels, workers=0))
    db.build_index(TEXTS, metric="cosine")
    db.store.add_space(Space(VECTORS, "embedding", DIM, spec="none", settings={}))
    rows = clustered(vectors, seed)
    for start in range(0, vectors, _BATCH):
        block = rows[start : start + _BATCH]
        ids = np.arange(start, start + len(block), dtype=np.int64)
        items = [ItemRow(int(i), f"{i}.png", 1, 1, b"") for i in ids]
        kept = {VECTORS: SpaceRows(ids, block)}
        db.store.write_batch(items=items, sources=[], vectors=kept, quarantine=[])
    db.build_index(VECTORS, metric="cosine")
    return db


def clustered(count: int, seed: int) -> np.ndarray:
    """Vectors (count, dim) float32 about some centres, as embeddings are; the same every time."""
    rng = np.random.default_rng(seed)
    centres = np.random.default_rng(7).standard_normal((CLUSTERS, DIM))
    rows = centres[rng.integers(CLUSTERS, size=count)] + rng.standard_normal((count, DIM))
    return rows.astype(np.float32)


def text_bodies() -> list[str]:
    """Questions in words, each other than all before."""
    return [json.dumps({"text": f"{words} %d", "space": TEXTS, "k": K}) for words in _WORDS]


def vector_bodies(queries: np.ndarray) -> list[str]:
    """Questions by vectors, each other than all before by a hair."""
    rest = f'"space": "{VECTORS}", "k": {K}'
    return [f'{{"vector": {_numbers(query)}, {rest}}}' for query in queries]


def chroma_bodies(queries: np.ndarray) -> list[str]:
    """The same as Chroma takes them, and with as much in the answer."""
    rest = f'"n_results": {K}, "include": ["distances", "metadatas"]'
    return [f'{{"query_embeddings": [{_numbers(query)}], {rest}}}' for query in queries]


def _numbers(query: np.ndarray) -> str:
    """A vector as JSON; digits in place of `%d` leave it where it is."""
    first, *others = (f"{value:.5f}" for value in query)
    return f"[{', '.join([f'{first}%d', *others])}]"
