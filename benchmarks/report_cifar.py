"""The UNE study of drawn faces and of photographs, side by side.

    python -m benchmarks.report_cifar train.parquet --faces faces.ldb --cache build/report

Photographs come from a Parquet file of the Hugging Face image layout with a label column of class
names, such as CIFAR-10's `label_name`; they are ingested into the bundled spaces, ten minutes for
5,000, and kept in the cache. Faces come from a database with attributes as labels; where none is
named, one is made, as benchmarks.stitch does. Writes both reports into the cache, where those that
are there are taken as they are, results/report.json and the tables of docs/une.md.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import latentdb
from benchmarks._arguments import make_parser
from benchmarks._record import ROOT, record, write_section
from benchmarks.report_tables import digest, section
from benchmarks.stitch import faces_database
from latentdb.database import LatentDB
from latentdb.ingest import IngestOptions
from latentdb.ingest.progress import RichProgress

SPACES = ("faces-clip", "faces-noise", "faces-ssl")


def main() -> None:
    """Study both, record, and write the tables."""
    parser = make_parser(__doc__)
    parser.add_argument("parquet", type=Path, help="photographs with class names")
    parser.add_argument("--faces", type=Path, help="database of faces; made where not given")
    parser.add_argument("--n", type=int, default=5000, help="photographs, and faces to make")
    parser.add_argument("--cache", type=Path, default=ROOT / "build" / "report")
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    asked.cache.mkdir(parents=True, exist_ok=True)
    faces = (
        latentdb.open(asked.faces, device="cpu")
        if asked.faces
        else faces_database(asked.cache, asked.n)
    )
    photographs = photographs_database(asked.cache, asked.parquet, asked.n)
    results = {
        name: study(db, asked.cache / f"report-{name}", seed=asked.seed)
        for name, db in (("faces", faces), ("photographs", photographs))
    }
    record("report", results, seed=asked.seed)
    write_section("une.md", "report_cifar", section(results))


def photographs_database(cache: Path, parquet: Path, n: int) -> LatentDB:
    """The first `n` photographs in every bundled space; gone on with where it was."""
    path = cache / f"photographs-{n}.ldb"
    db = (
        latentdb.open(path, device="cpu")
        if path.exists()
        else latentdb.create(path, spaces=SPACES, device="cpu")
    )
    if len(db) < n:
        with RichProgress() as progress:
            db.ingest(parquet, options=IngestOptions(limit=n), progress=progress)
    return db


def study(db: LatentDB, out: Path, *, seed: int) -> dict[str, Any]:
    """What of a report is kept beside the code; one that the cache has is not made again."""
    kept = out / "report.json"
    if not kept.is_file():
        db.report(out, seed=seed, on_section=lambda name: print(f"{out.name}: {name}"))
    return digest(json.loads(kept.read_text(encoding="utf-8")))


if __name__ == "__main__":
    main()
