"""Does the energy find pictures that do not belong? Against distances, on drawn faces.

    python -m benchmarks.energy_outliers DB [--photographs train.parquet]

DB holds drawn faces in faces-clip, faces-ssl and faces-noise; nothing is written to it. Pictures
are embedded and scored over the stored rows, and every stored row over the others: new faces of the
same kind, which do belong (the null, .5), photographs (CIFAR-10, where the file is given), faces
upside down, faces in negative, and two faces averaged. A score is worth its AUC: how often it puts
such a picture above a stored one.
Beside the energy, by both schedules: the distance to the nearest row, to the tenth nearest, to the
mean, and Mahalanobis' distance. Also the rank correlation of each score with how rare an item's
labels are, the sum of −log of the share of each.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image, ImageOps
from scipy.stats import spearmanr
from sklearn.metrics import roc_auc_score

import latentdb
from benchmarks._arguments import make_parser
from benchmarks._record import record, write_section
from latentdb.database import LatentDB
from latentdb.energy.measure import measured_exactly, measured_later
from latentdb.zoo.faces import draw_face

SPACES = ("faces-clip", "faces-ssl", "faces-noise")
COUNT = 60
_UNSEEN = 987_654_321


def odd_pictures(
    faces: list[Image.Image], photographs: Path | None
) -> dict[str, list[Image.Image]]:
    """Pictures that do not belong, by what they are."""
    pairs = zip(faces[::2], faces[1::2], strict=True)
    made = {
        "new faces": [draw_face(_UNSEEN, index).image for index in range(COUNT)],
        "upside down": [ImageOps.flip(face) for face in faces],
        "negative": [ImageOps.invert(face) for face in faces],
        "two faces averaged": [Image.blend(one, other, 0.5) for one, other in pairs],
    }
    if photographs is not None:
        made["photographs"] = photographs_of(photographs, faces[0].size)
    return made


def photographs_of(path: Path, size: tuple[int, int]) -> list[Image.Image]:
    """The first pictures of a Parquet file in Hugging Face's layout."""
    import io

    import pyarrow.parquet as pq

    rows = next(pq.ParquetFile(path).iter_batches(COUNT, columns=["image"])).to_pylist()
    opened = [Image.open(io.BytesIO(row["image"]["bytes"])).convert("RGB") for row in rows]
    return [one.resize(size, Image.Resampling.BICUBIC) for one in opened]


def distances(queries: np.ndarray, rows: np.ndarray, *, is_stored: bool) -> dict[str, np.ndarray]:
    """Scores by distance; of stored rows, without each one itself."""
    mean, covariance = rows.mean(axis=0), np.cov(rows.T)
    # A tenth of the mean variance keeps directions that hardly vary from deciding alone.
    ridge = 0.1 * np.trace(covariance) / len(covariance) * np.eye(len(covariance))
    centred = queries - mean
    squared = (queries**2).sum(1)[:, None] + (rows**2).sum(1) - 2 * queries @ rows.T
    if is_stored:
        np.fill_diagonal(squared, np.inf)
    nearest = np.sqrt(np.maximum(np.partition(squared, 10, axis=1)[:, :10], 0))
    return {
        "nearest": nearest.min(axis=1),
        "tenth nearest": nearest.max(axis=1),
        "from the mean": np.linalg.norm(centred, axis=1),
        "Mahalanobis": (centred @ np.linalg.inv(covariance + ridge) * centred).sum(axis=1),
    }


def rarity(db: LatentDB, ids: np.ndarray) -> np.ndarray:
    """−Σ log of the share of each yes-or-no label's value, (n,)."""
    total = np.zeros(len(ids))
    for column, kind in db.store.label_columns().items():
        if kind is bool:
            _, values = db.store.labels(column)
            share = values.mean()
            total -= np.log(np.where(values, share, 1 - share))
    return total


def study(db: LatentDB, name: str, odd: dict[str, list[Image.Image]]) -> dict[str, object]:
    """AUC of every score for every kind of picture in one space."""
    space, model, rows = db.store.space(name), db.model(name), db.store.all_vectors(name)
    kept = {
        "energy": measured_exactly(space, rows),
        "energy, flow": measured_exactly(space, rows, schedule="flow"),
    }
    exact = rows.vectors.astype(np.float64)
    stored = {score: one.energies for score, one in kept.items()}
    stored |= distances(exact, exact, is_stored=True)
    found: dict[str, object] = {}
    for kind, pictures in odd.items():
        pixels = np.stack([model.transform.apply(one) for one in pictures])
        parts = [model.embed(pixels[i : i + 32]).vectors for i in range(0, len(pixels), 32)]
        vectors = np.concatenate(parts)
        scores = {score: measured_later(one, rows.vectors, vectors) for score, one in kept.items()}
        scores |= distances(vectors.astype(np.float64), exact, is_stored=False)
        is_odd = np.repeat([0, 1], [len(rows.ids), len(vectors)])
        found[kind] = {
            score: float(roc_auc_score(is_odd, np.concatenate([stored[score], values])))
            for score, values in scores.items()
        }
        print(name, kind, found[kind], flush=True)
    labels = rarity(db, rows.ids)
    found["rare labels"] = {
        score: float(spearmanr(labels, values).statistic) for score, values in stored.items()
    }
    print(name, "rare labels", found["rare labels"], flush=True)
    return found


def table(results: dict[str, dict[str, dict[str, float]]]) -> str:
    """The results as a table for docs/energy.md."""
    scores = list(next(iter(next(iter(results.values())).values())))
    lines = [f"| space | pictures | {' | '.join(scores)} |", "|---" * (len(scores) + 2) + "|"]
    for name, kinds in results.items():
        for kind, found in kinds.items():
            shown = " | ".join(f"{found[score]:.3f}" for score in scores)
            lines.append(f"| {name} | {kind} | {shown} |")
    return "\n".join(lines)


def main() -> None:
    """Run, record, and write the table."""
    parser = make_parser(__doc__)
    parser.add_argument("db")
    parser.add_argument("--photographs", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    db = latentdb.open(options.db, device="cpu")
    picked = np.random.default_rng(options.seed).permutation(db.store.item_ids())[:COUNT]
    odd = odd_pictures([db.picture(int(one)) for one in picked], options.photographs)
    results = {name: study(db, name, odd) for name in SPACES}
    record("energy_outliers", {"items": len(db), "auc": results}, seed=options.seed)
    write_section("energy.md", "energy_outliers", table(results))


if __name__ == "__main__":
    main()
