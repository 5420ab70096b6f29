"""Databases of vectors that are made, without pictures or models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import latentdb
from latentdb.database import LatentDB
from latentdb.space import Space, SpaceKind
from latentdb.types import ItemRow, SpaceRows


def make_db(
    path: Path,
    spaces: Mapping[str, tuple[SpaceKind, NDArray[Any]]],
    labels: Mapping[str, Sequence[Any]],
) -> LatentDB:
    """Row i of every space is item i + 1; a shorter space lacks the last ones."""
    db = latentdb.create(path)
    n = max((len(vectors) for _, vectors in spaces.values()), default=0)
    items = [
        ItemRow(
            id=i + 1,
            source=f"{i}.png",
            width=0,
            height=0,
            thumbnail=b"",
            labels={name: values[i] for name, values in labels.items() if values[i] is not None},
        )
        for i in range(n)
    ]
    rows = {}
    for name, (kind, vectors) in spaces.items():
        db.store.add_space(Space(name, kind, vectors.shape[1], spec=f"imported:{name}"))
        ids = np.arange(1, len(vectors) + 1, dtype=np.int64)
        rows[name] = SpaceRows(ids, vectors.astype(np.float32))
    db.store.write_batch(items=items, sources=[], vectors=rows, quarantine=[])
    return db


def views(
    n: int, *, dims: Sequence[int], shared: int, private: float, seed: int = 0
) -> tuple[NDArray[np.float64], list[NDArray[np.float64]]]:
    """Z (n, shared), and a view C·Z + ε of it for each of `dims`, ε of deviation `private`."""
    rng = np.random.default_rng(seed)
    z = rng.standard_normal((n, shared))
    made = []
    for dim in dims:
        mixed = z @ np.linalg.qr(rng.standard_normal((dim, shared)))[0].T
        made.append(mixed + private * rng.standard_normal((n, dim)))
    return z, made
