"""What diverse hits cost in nearness, by λ.

    python -m benchmarks.diverse_queries --cache build/stitch     two minutes on two busy cores

Asks the database of `benchmarks.stitch` (made where it is not there) with stored faces and with
texts, and measures how far ten hits lie from the question and from one another, and by how many of
twelve attributes two of them differ. Writes results/diverse_queries.json and a table of
docs/queries.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks._arguments import make_parser
from benchmarks._record import ROOT, record, write_section
from benchmarks.stitch import faces_database
from benchmarks.stitch_texts import questions
from indexers.metric import CosineMetric
from latentdb.database import LatentDB
from latentdb.types import Answer
from latentdb.zoo.faces import ATTRIBUTES

K = 10
TRADE_OFFS = (1.0, 0.95, 0.9, 0.8, 0.7, 0.5, 0.3, 0.0)
SPACE = "faces-clip"


def measure(db: LatentDB, *, count: int, seed: int) -> list[dict[str, Any]]:
    """A row for each kind of question and λ."""
    drawn = np.random.default_rng(seed).permutation(db.store.item_ids())[:count]
    asked: dict[str, list[dict[str, Any]]] = {
        "face": [{"id": int(item)} for item in drawn],
        "text": [{"text": one.text} for one in questions() if one.is_present],
    }
    rows = []
    for kind, parts in asked.items():
        for trade_off in TRADE_OFFS:
            answers = [db.search(space=SPACE, k=K, diverse=trade_off, **one) for one in parts]
            found = np.mean([_spread(db, answer) for answer in answers], axis=0).tolist()
            names = ("to_question", "to_one_another", "attributes_apart")
            rows.append({"kind": kind, "lambda": trade_off, **dict(zip(names, found, strict=True))})
    return rows


def _spread(db: LatentDB, answer: Answer) -> tuple[float, float, float]:
    """Mean distance to the question, of pairs of hits, and attributes in which pairs differ."""
    vectors = db.store.vectors(SPACE, [hit.id for hit in answer.hits])
    pairs = np.triu_indices(len(answer.hits), 1)
    apart = CosineMetric().pairwise(vectors, vectors)[pairs]
    values = np.array([[hit.labels[name] for name in ATTRIBUTES] for hit in answer.hits])
    differ = (values[:, None] != values[None]).sum(axis=2)[pairs]
    to_question = float(np.mean([hit.distance for hit in answer.hits]))
    return to_question, float(apart.mean()), float(differ.mean())


def table(rows: Sequence[Mapping[str, Any]], n: int) -> str:
    """The table of docs/queries.md."""
    lines = [
        f"{n:,} faces in {SPACE}, ten hits; mean cosine distances, and attributes of twelve in",
        "which two hits differ:",
        "",
        "| λ | face: to the question | hits to one another | attributes apart "
        "| text: to the question | hits to one another | attributes apart |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for trade_off in TRADE_OFFS:
        cells = [_cells(row) for row in rows if row["lambda"] == trade_off]
        lines.append(f"| {trade_off:g} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _cells(row: Mapping[str, Any]) -> str:
    far, apart, differ = row["to_question"], row["to_one_another"], row["attributes_apart"]
    return f"{far:.3f} | {apart:.3f} | {differ:.1f}"


def main() -> None:
    """Measure, record, and write the table."""
    parser = make_parser(__doc__)
    parser.add_argument("--n", type=int, default=5000, help="faces; noise comes at 13 a second")
    parser.add_argument("--cache", type=Path, default=ROOT / "build" / "stitch")
    parser.add_argument("--count", type=int, default=150, help="stored faces asked with")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    db = faces_database(options.cache, options.n)
    rows = measure(db, count=options.count, seed=options.seed)
    record("diverse_queries", {"n": len(db), "rows": rows}, seed=options.seed)
    write_section("queries.md", "diverse_queries", table(rows, len(db)))


if __name__ == "__main__":
    main()
