"""Maps between all pairs of spaces, by every method, on drawn faces no model was trained on.

    python -m benchmarks.stitch --n 5000 --cache build/stitch

Makes a database of n faces in the bundled spaces (kept in the cache, gone on with where it was),
fits every map, and writes results/stitch.json and the tables of docs/stitching.md. The rows of gcca
are of the space that the two share: source and target are projected into it, and R² and cosines are
of its coordinates, not of the target's. Texts are answered through the map as they are, and as
pictures. No face here was used to choose how texts are treated; the wordings are those that it was
tried with, on other faces.
"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

import latentdb
from benchmarks._arguments import make_parser
from benchmarks._record import ROOT, record, write_section
from benchmarks.stitch_texts import Question, questions
from latentdb.arrays import FloatArray
from latentdb.database import LatentDB
from latentdb.held_out import split_by_item
from latentdb.ingest import IngestOptions
from latentdb.model import AbstractTextEncoder
from latentdb.shared_space_fit import fit_shared
from latentdb.stitch import LinearMap, MapMethod, fit_map
from latentdb.stitch.evaluate import unit_rows
from latentdb.stitch.modality import to_pictures
from latentdb.stitch.sensitivity import sensitivity_to_n
from latentdb.zoo.faces import ATTRIBUTES, write_folder

SPACES = ("faces-clip", "faces-noise", "faces-ssl")
FACES_SEED = 11
Vectors = NDArray[np.float32]


def main() -> None:
    """Measure, record, and write the table."""
    parser = make_parser(__doc__)
    parser.add_argument("--n", type=int, default=5000, help="faces; noise comes at 13 a second")
    parser.add_argument("--cache", type=Path, default=ROOT / "build" / "stitch")
    parser.add_argument("--methods", nargs="*", default=list(get_args(MapMethod)))
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    results = measure(
        faces_database(options.cache, options.n), methods=options.methods, seed=options.seed
    )
    record("stitch", results, seed=options.seed)
    write_section("stitching.md", "stitch", section(results))


def faces_database(cache: Path, n: int) -> LatentDB:
    """The database of n faces below `cache`, made or completed."""
    folder, uri = cache / f"faces-{n}", str(cache / f"faces-{n}.ldb")
    if not (folder / "labels.csv").is_file():
        write_folder(folder, n, seed=FACES_SEED)
    if not Path(uri).exists():
        made = latentdb.create(uri)
        for name in SPACES:
            made.add_space(name)
    db = latentdb.open(uri)
    done = min(len(db.store.vector_ids(name)) for name in SPACES)
    if done < n:
        print(f"{done} of {n} faces are there, embedding the rest", file=sys.stderr)
        db.ingest(folder, options=IngestOptions(labels=folder / "labels.csv"))
    return db


def measure(db: LatentDB, *, methods: Sequence[MapMethod], seed: int) -> dict[str, Any]:
    """Scores of every ordered pair of spaces by every method, and what hangs on them."""
    ids = np.asarray(db.store.item_ids())
    for name in SPACES:
        ids = np.intersect1d(ids, db.store.vector_ids(name))
    vectors = {name: db.store.vectors(name, ids) for name in SPACES}
    maps = {}
    for source, target in itertools.permutations(SPACES, 2):
        for method in methods:
            maps[source, target, method] = fit_map(
                vectors[source],
                vectors[target],
                spaces=(db.store.space(source), db.store.space(target)),
                ids=ids,
                method=method,
                seed=seed,
            )
    rows = [
        {"source": source, "target": target, "method": method, **one.scores.to_json()}
        for (source, target, method), one in maps.items()
    ]
    labels = {name: _label(db, name, ids) for name in ATTRIBUTES}
    first = methods[0]
    to_clip, to_noise = (
        maps["faces-noise", "faces-clip", first],
        maps["faces-clip", "faces-noise", first],
    )
    is_test = split_by_item(ids, seed=seed, fraction=to_clip.fitted_on.n_held_out / len(ids))
    return {
        "n": len(ids),
        "n_held_out": int(is_test.sum()),
        "method_of_the_rest": first,
        "maps": sorted(rows + shared_scores(db, seed=seed), key=_by_pair),
        "sensitivity": sensitivity(db, method=first, seed=seed),
        "attributes": attribute_drop(to_clip, vectors, labels, is_test=is_test),
        "texts": text_precision(db, to_noise, vectors, labels, is_test=is_test),
    }


def _by_pair(row: Mapping[str, Any]) -> tuple[str, str]:
    return row["source"], row["target"]


def shared_scores(db: LatentDB, *, seed: int) -> list[dict[str, Any]]:
    """How well each space finds each other in what the two share."""
    found = []
    for pair in itertools.combinations(SPACES, 2):
        shared, maps = fit_shared(db.store, pair, seed=seed)
        for one, other in zip(maps, pair[::-1], strict=True):
            row = {"source": one.source, "target": other, "method": "gcca", "dim": shared.dim}
            found.append({**row, **one.scores.to_json()})
    return found


def sensitivity(db: LatentDB, *, method: MapMethod, seed: int) -> list[dict[str, Any]]:
    """Scores of every ordered pair by the number of items fitted on."""
    return [
        {"source": source, "target": target, **one.to_json()}
        for source, target in itertools.permutations(SPACES, 2)
        for one in sensitivity_to_n(db.store, source, target, method=method, seed=seed)
    ]


def attribute_drop(
    to_clip: LinearMap,
    vectors: Mapping[str, Vectors],
    labels: Mapping[str, NDArray[np.bool_]],
    *,
    is_test: NDArray[np.bool_],
) -> dict[str, Any]:
    """Accuracy of probes fitted on CLIP vectors, on held-out ones and on those mapped from noise.

    Also what stands beside it in the paper: plain cosine .80 noise → CLIP, drop .3 points.
    """
    clip, noise = vectors["faces-clip"], vectors["faces-noise"]
    mapped = to_clip.transform(noise[is_test], restore_norm=True)
    mean, scale = clip[~is_test].mean(axis=0), clip[~is_test].std(axis=0) + 1e-6
    accuracies = []
    for label in labels.values():
        probe = LogisticRegression(max_iter=2000).fit(
            (clip[~is_test] - mean) / scale, label[~is_test]
        )
        sides = [clip[is_test], mapped]
        accuracies.append([probe.score((side - mean) / scale, label[is_test]) for side in sides])
    own, through = np.mean(accuracies, axis=0)
    majority = np.mean([max(v[is_test].mean(), 1 - v[is_test].mean()) for v in labels.values()])
    return {
        "accuracy_clip": float(own),
        "accuracy_noise_to_clip": float(through),
        "drop_points": float(100.0 * (own - through)),
        "majority": float(majority),
        "centred_cosine": to_clip.scores.centred_cosine.to_json(),
        "cosine": to_clip.scores.cosine.to_json(),
        "une": {"cosine": 0.80, "drop_points": 0.3},
    }


def text_precision(
    db: LatentDB,
    to_noise: LinearMap,
    vectors: Mapping[str, Vectors],
    labels: Mapping[str, NDArray[np.bool_]],
    *,
    is_test: NDArray[np.bool_],
) -> dict[str, Any]:
    """Precision@10 of attribute texts in noise space among held-out faces, by treatment.

    The null answers each text with the hits of another one, shuffled 1,000 times.
    """
    model, profile = db.model("faces-clip"), db.profile("faces-clip", text=True)
    assert isinstance(model, AbstractTextEncoder)
    assert profile is not None
    assert profile.text is not None
    asked = questions()
    texts = model.encode_text([one.text for one in asked])
    neutral = profile.text.mean.astype(np.float32)
    ways = {
        "as it is": texts,
        "mean shifted": texts - neutral + profile.mean.astype(np.float32),
        "as pictures": to_pictures(profile, texts),
    }
    gallery = unit_rows(vectors["faces-noise"][is_test].astype(np.float64))
    held = {name: value[is_test] for name, value in labels.items()}
    return {
        way: _precision(asked, to_noise.transform(given, restore_norm=True), gallery, held)
        for way, given in ways.items()
    }


def _precision(
    asked: Sequence[Question],
    queries: Vectors,
    gallery: FloatArray,
    labels: Mapping[str, NDArray[np.bool_]],
) -> dict[str, Any]:
    """Mean share of the ten nearest that have what the text says, beside base rate and null."""
    top = np.argsort(-(unit_rows(queries.astype(np.float64)) @ gallery.T), axis=1)[:, :10]
    wanted = np.array([labels[one.attribute] == one.is_present for one in asked])
    rows = np.arange(len(asked))[:, None]
    found, base = wanted[rows, top].mean(axis=1), wanted.mean(axis=1)
    rng = np.random.default_rng(0)
    null = [wanted[rows, top[rng.permutation(len(asked))]].mean() for _ in range(1000)]
    has = np.array([one.is_present for one in asked])
    return {
        "n_texts": len(asked),
        "precision_at_10": float(found.mean()),
        "base_rate": float(base.mean()),
        "null_mean": float(np.mean(null)),
        "null_p95": float(np.percentile(null, 95)),
        "factor_over_null": float(found.mean() / np.mean(null)),
        "present_precision_at_10": float(found[has].mean()),
        "present_base_rate": float(base[has].mean()),
        "present_factor": float((found[has] / base[has]).mean()),
        "by_attribute": {
            name: float(found[[one.attribute == name and one.is_present for one in asked]].mean())
            for name in labels
        },
    }


def _label(db: LatentDB, name: str, ids: NDArray[np.int64]) -> NDArray[np.bool_]:
    there, values = db.store.binary_label(name)
    order = np.argsort(there)
    found: NDArray[np.bool_] = values[order][np.searchsorted(there[order], ids)]
    return found


def section(results: Mapping[str, Any]) -> str:
    """The generated part of docs/stitching.md."""
    rows = [_table_row(one) for one in results["maps"]]
    drop = results["attributes"]
    lines = [
        f"{results['n']} faces, {results['n_held_out']} of them held out; intervals are 95 %, the",
        "null is the best of 19 maps on permuted pairs, chance@10 is "
        f"{10 / results['n_held_out']:.3f}.",
        "",
        "| from → to | method | R² | centred cosine | null | recall@1 | recall@10 | null "
        "| recall@100 | back@10 | mutual 10-NN | null |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |",
        *rows,
        "",
        f"Noise → CLIP ({results['method_of_the_rest']}): centred cosine "
        f"{drop['centred_cosine']['value']:.2f}, plain cosine {drop['cosine']['value']:.2f} (UNE "
        f".80); probes fitted on CLIP vectors read {drop['accuracy_clip']:.3f} of the attributes "
        f"right on CLIP vectors and {drop['accuracy_noise_to_clip']:.3f} on mapped noise, a drop "
        f"of {drop['drop_points']:.1f} points (UNE .3); always answering the commoner value reads "
        f"{drop['majority']:.3f}.",
        "",
        *_sensitivity_table(results["sensitivity"], results["method_of_the_rest"]),
        "",
        "| text → noise | precision@10 | null | factor | attribute present | base rate | factor |",
        "| --- | --- | --- | --- | --- | --- | --- |",
        *(
            f"| {way} | {one['precision_at_10']:.3f} | {one['null_mean']:.3f} "
            f"| {one['factor_over_null']:.2f} | {one['present_precision_at_10']:.3f} "
            f"| {one['present_base_rate']:.3f} | {one['present_factor']:.2f} |"
            for way, one in results["texts"].items()
        ),
    ]
    return "\n".join(lines)


def _sensitivity_table(rows: Sequence[Mapping[str, Any]], method: str) -> list[str]:
    """Recall@10 and R² of each pair, a column for each number of items fitted on."""
    sizes = sorted({one["n_fitted"] for one in rows})
    lines = [
        f"Recall@10 / R² of {method} by the number of items it is fitted on, on the same held-out",
        "ones:",
        "",
        "| from → to | " + " | ".join(f"{size:,}" for size in sizes) + " |",
        "| --- |" + " --- |" * len(sizes),
    ]
    for _, group in itertools.groupby(rows, key=_by_pair):
        ones = list(group)
        cells = [f"{one['recall_at_10']['value']:.2f} / {one['r2']['value']:.2f}" for one in ones]
        lines.append(f"| {_way(ones[0])} | {' | '.join(cells)} |")
    return lines


def _way(one: Mapping[str, Any]) -> str:
    """From where to where, without what the bundled spaces' names have in common."""
    return f"{one['source'].removeprefix('faces-')} → {one['target'].removeprefix('faces-')}"


def _table_row(one: Mapping[str, Any]) -> str:
    def whole(name: str) -> str:
        if name not in one:
            return "–"
        return f"{one[name]['value']:.2f} [{one[name]['low']:.2f}, {one[name]['high']:.2f}]"

    null = one["null"]
    cells = [
        _way(one),
        one["method"],
        whole("r2"),
        whole("centred_cosine"),
        f"{null['centred_cosine_max']:.2f}",
        whole("recall_at_1"),
        whole("recall_at_10"),
        f"{null['recall_at_10_max']:.2f}",
        whole("recall_at_100"),
        whole("reverse_recall_at_10"),
        whole("mutual_knn"),
        f"{null['mutual_knn_max']:.2f}",
    ]
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
