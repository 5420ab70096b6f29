"""Photographs in spaces that never saw one: how often a neighbour is of the query's class.

    python -m benchmarks.photographs train.parquet --n 2000

The Parquet file is of the Hugging Face image layout with a `label` column, such as CIFAR-10's.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np

import latentdb
from benchmarks._arguments import make_parser
from benchmarks._record import record
from latentdb.database import LatentDB
from latentdb.ingest import IngestOptions
from latentdb.ingest.progress import RichProgress

SPACES = ("faces-clip", "faces-ssl", "faces-noise")


def main() -> None:
    """Ingest, ask with stored pictures, print and keep precision over chance per space."""
    arguments = make_parser(__doc__)
    arguments.add_argument("parquet", type=Path)
    arguments.add_argument("--n", type=int, default=2000)
    arguments.add_argument("--queries", type=int, default=500)
    arguments.add_argument("--k", type=int, default=10)
    arguments.add_argument("--seed", type=int, default=0)
    arguments.add_argument("--database", type=Path, help="kept here; a temporary folder without")
    asked = arguments.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = asked.database or Path(folder) / "photographs.ldb"
        db = latentdb.open(path) if path.exists() else latentdb.create(path, spaces=SPACES)
        with RichProgress() as progress:
            summary = db.ingest(
                asked.parquet, options=IngestOptions(limit=asked.n), progress=progress
            )
        ids, labels = db.store.labels("label")
        queries = np.random.default_rng(asked.seed).permutation(ids)[: asked.queries]
        results: dict[str, object] = {
            "items": len(db),
            "ingest_seconds": summary.seconds,
            "images_per_second": summary.added / summary.seconds if summary.added else None,
        }
        for space in SPACES:
            results[space] = _precision(
                db, space, queries, dict(zip(ids, labels, strict=True)), asked.k
            )
    record("photographs", results, seed=asked.seed)


def _precision(
    db: LatentDB, space: str, queries: np.ndarray, label_of: dict[int, int], k: int
) -> dict[str, float]:
    """Mean share of the k nearest that have the query's class, and how much chance would give."""
    shares, chances = [], []
    total = len(label_of)
    counts = {label: list(label_of.values()).count(label) for label in set(label_of.values())}
    for query in queries:
        hits = db.search(id=int(query), space=space, metric="cosine", k=k).hits
        own = label_of[int(query)]
        shares.append(np.mean([hit.labels["label"] == own for hit in hits]))
        chances.append((counts[own] - 1) / (total - 1))
    precision, chance = float(np.mean(shares)), float(np.mean(chances))
    error = float(np.std(shares) / np.sqrt(len(shares)))
    return {
        "precision_at_k": precision,
        "standard_error": error,
        "chance": chance,
        "times_chance": precision / chance,
    }


if __name__ == "__main__":
    main()
