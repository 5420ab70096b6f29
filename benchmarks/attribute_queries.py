"""Whether "like this face, but with ATTRIBUTE" finds just that, on faces held out from the fit.

    python -m benchmarks.attribute_queries --cache build/stitch     twenty minutes on two busy cores

Takes a copy of the database of `benchmarks.stitch` (made where it is not there). Directions are
fitted on one half of the faces; questions are asked with faces X of the other half that lack an
attribute, and answered among that half alone. Of ten hits is measured how many have the attribute,
and how many of X's eleven other attributes they have kept. Also the other way: faces X that have an
attribute, unlike three others that have it. Writes results/attribute_queries.json
and the tables of docs/queries.md.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

import latentdb
from benchmarks._arguments import make_parser
from benchmarks._record import ROOT, record
from benchmarks.attribute_queries_tables import write_tables
from benchmarks.stitch import SPACES, faces_database
from latentdb.arrays import FloatArray
from latentdb.database import LatentDB
from latentdb.directions.fit import DirectionMethod
from latentdb.geometry.blend import blend
from latentdb.held_out import Estimate, resample_counts, split_by_item
from latentdb.model import AbstractTextEncoder
from latentdb.zoo.faces import ATTRIBUTES

K = 10
METHODS: tuple[DirectionMethod, ...] = ("mean_difference", "lda", "logistic")
KINDS = (*METHODS, "orthogonal")
STRENGTHS = {
    kind: (1.0, 2.0, 3.0, 4.0, 8.0, 16.0, 32.0) if kind == "mean_difference" else (2.0, 4.0, 8.0)
    for kind in KINDS
}
FEW = 25
"""Faces X of each attribute where a table compares many settings."""
TEXTS = {
    "smiling": "a smiling face",
    "glasses": "a face with glasses",
    "hat": "a face with a hat",
    "beard": "a face with a beard",
    "long_hair": "a face with long hair",
    "dark_hair": "a face with dark hair",
    "round_face": "a round face",
    "pale_skin": "a pale face",
    "earrings": "a face with earrings",
    "scarf": "a face with a scarf",
    "closed_eyes": "a face with closed eyes",
    "outdoors": "a face outdoors",
}
UNLIKE_WEIGHTS = (0.25, 0.5, 1.0, 1.5, 2.0)
MAIN = {
    "text",
    "text 1 + id",
    *(f"{space} id" for space in SPACES),
    *(f"{space} mean_difference 2" for space in SPACES),
}
"""Questions asked with every face X; what many settings are compared by, with `FEW`."""
SCORES = ("precision_at_10", "others_kept")
Parts = Callable[[int, str], dict[str, Any]]
Recipe = Callable[[int, str], list[int]]


@final
@dataclass(frozen=True, eq=False)
class Study:
    """A database with directions of one half, and the faces of the other half to ask with."""

    db: LatentDB
    ids: NDArray[np.int64]
    values: NDArray[np.bool_]  # (n_held_out, 12)
    lacking: Mapping[str, list[int]]
    having: Mapping[str, list[int]]
    seed: int

    def score(
        self, recipe: Recipe, *, most: int | None = None, wanted: bool = True
    ) -> dict[str, Any]:
        """Precision and attributes kept, by attribute and over all.

        Asked with faces that are the opposite of what is `wanted`.
        """
        subjects = self.lacking if wanted else self.having
        by_attribute = {}
        for column, name in enumerate(ATTRIBUTES):
            rows = [
                self._one(item, recipe(item, name), column, wanted)
                for item in subjects[name][:most]
            ]
            by_attribute[name] = np.array(rows)
        return _summary(by_attribute, self.seed)

    def best_possible(self) -> dict[str, Any]:
        """The ten faces with the attribute that keep most of X's others, by the labels."""
        by_attribute = {}
        for column, name in enumerate(ATTRIBUTES):
            has = self.ids[self.values[:, column]]
            rows = []
            for item in self.lacking[name]:
                kept = (self.values_of(has) == self.values_of([item])).sum(axis=1)
                nearest = has[np.argsort(-kept, kind="stable")[:K]]
                rows.append(self._one(item, nearest.tolist(), column, True))
            by_attribute[name] = np.array(rows)
        return _summary(by_attribute, self.seed)

    def values_of(self, ids: Sequence[int] | NDArray[np.int64]) -> NDArray[np.bool_]:
        """Attributes (n, 12) of held-out faces."""
        found: NDArray[np.bool_] = self.values[np.searchsorted(self.ids, ids)]
        return found

    def _one(
        self, item: int, hits: Sequence[int], column: int, wanted: bool
    ) -> tuple[float, float]:
        """Share of the hits that are as wanted, and of X's other attributes that they keep."""
        found, own = self.values_of(hits), self.values_of([item])
        others = np.arange(len(ATTRIBUTES)) != column
        right = (found[:, column] == wanted).mean()
        return float(right), float((found == own)[:, others].mean())


def _summary(by_attribute: Mapping[str, NDArray[np.float64]], seed: int) -> dict[str, Any]:
    """Means over attributes of equal weight; 95 % intervals from resampling each one's faces X."""
    rng = np.random.default_rng(seed)
    cells, draws = {}, []
    for name, rows in by_attribute.items():
        counts = resample_counts(len(rows), n_resamples=1000, rng=rng) / len(rows)
        draws.append(counts @ rows)
        cells[name] = _pair(rows.mean(axis=0), draws[-1])
    means = np.mean([rows.mean(axis=0) for rows in by_attribute.values()], axis=0)
    return {**_pair(means, np.mean(draws, axis=0)), "by_attribute": cells}


def _pair(means: NDArray[np.float64], draws: NDArray[np.float64]) -> dict[str, Any]:
    return {name: Estimate.of(means[at], draws[:, at]).to_json() for at, name in enumerate(SCORES)}


def prepare(db: LatentDB, *, n_subjects: int, seed: int) -> Study:
    """Label the two halves, fit directions on one of them, draw faces X from the other."""
    ids = np.asarray(db.store.item_ids())
    is_held_out = split_by_item(ids, seed=seed, fraction=0.5)
    columns = []
    for name in ATTRIBUTES:
        there, values = db.store.binary_label(name)
        columns.append(values[np.argsort(there)][np.searchsorted(np.sort(there), ids)])
    table = np.stack(columns, axis=1)
    db.store.set_labels(ids, {"held_out": is_held_out.tolist()})
    fitted_on = ids[~is_held_out]
    for column, name in enumerate(ATTRIBUTES):
        db.store.set_labels(fitted_on, {f"{name}_fit": table[~is_held_out, column].tolist()})
    for space in SPACES:
        _fit(db, space, seed)
    rng = np.random.default_rng(seed)
    held, values = ids[is_held_out], table[is_held_out]
    lacking, having = (
        {
            name: rng.permutation(held[values[:, column] == has])[:n_subjects].tolist()
            for column, name in enumerate(ATTRIBUTES)
        }
        for has in (False, True)
    )
    return Study(db, held, values, lacking, having, seed)


def _fit(db: LatentDB, space: str, seed: int) -> None:
    """Directions of a space by each method, and one that leaves the others alone."""
    for name in ATTRIBUTES:
        for method in METHODS:
            db.fit_direction(
                f"{name}-{method}", space=space, label=f"{name}_fit", method=method, seed=seed
            )
    for name in ATTRIBUTES:
        db.fit_direction(
            f"{name}-orthogonal",
            space=space,
            label=f"{name}_fit",
            orthogonal_to=[f"{other}-mean_difference" for other in ATTRIBUTES if other != name],
            seed=seed,
        )


def measure(study: Study, questions: Mapping[str, Recipe], *, wanted: bool) -> dict[str, Any]:
    """Scores of every question; of all faces X where it is one of `MAIN`, else of some."""
    results = {}
    for label, recipe in questions.items():
        most = None if label in MAIN else FEW
        results[label] = study.score(recipe, most=most, wanted=wanted)
        told = {name: round(results[label][name]["value"], 3) for name in SCORES}
        print(label, told, file=sys.stderr, flush=True)
    return results


def towards(db: LatentDB) -> dict[str, Recipe]:
    """Questions with a face X that lacks an attribute, for faces like X that have it."""
    vectors = _text_vectors(db)
    found: dict[str, Recipe] = {
        "text": _ask(db, "faces-clip", lambda _, name: {"text": TEXTS[name]}),
        "text as it is + id": _ask(
            db, "faces-clip", lambda item, name: {"id": item, "vector": vectors[name]}
        ),
    }
    for weight in (0.5, 1.0, 2.0):
        found[f"text {weight:g} + id"] = _ask(db, "faces-clip", _text_and_id(weight))
    for space in SPACES:
        found[f"{space} id"] = _ask(db, space, lambda item, _: {"id": item})
        for kind, strengths in STRENGTHS.items():
            for strength in strengths:
                found[f"{space} {kind} {strength:g}"] = _ask(db, space, _moved(kind, strength))
    return found


def away(study: Study) -> dict[str, Recipe]:
    """Questions with a face X that has an attribute, unlike three others that have it."""
    rng = np.random.default_rng(study.seed)
    three = {
        (item, name): rng.permutation([one for one in ids if one != item])[:3].tolist()
        for name, ids in study.having.items()
        for item in ids
    }
    found: dict[str, Recipe] = {}
    for space in SPACES:
        found[f"{space} id"] = _ask(study.db, space, lambda item, _: {"id": item})
        for weight in UNLIKE_WEIGHTS:
            unlike = _unlike(three, weight)
            found[f"{space} unlike {weight:g}"] = _ask(study.db, space, unlike)
            for name, combine in (("origin", _about_origin), ("difference", _difference)):
                other = _by_hand(study.db, space, unlike, combine)
                found[f"{space} {name} {weight:g}"] = _ask(study.db, space, other)
    return found


def _ask(db: LatentDB, space: str, parts: Parts) -> Recipe:
    """Ids of ten held-out faces but X, by the search itself."""

    def recipe(item: int, name: str) -> list[int]:
        answer = db.search(space=space, where="held_out", k=K + 1, **parts(item, name))
        return [hit.id for hit in answer.hits if hit.id != item][:K]

    return recipe


def _text_and_id(weight: float) -> Parts:
    return lambda item, name: {"id": item, "text": TEXTS[name], "weights": {"text": weight}}


def _moved(kind: str, strength: float) -> Parts:
    return lambda item, name: {"id": item, "directions": {f"{name}-{kind}": strength}}


def _unlike(three: Mapping[tuple[int, str], list[int]], weight: float) -> Parts:
    return lambda item, name: {
        "id": item,
        "unlike": dict.fromkeys(three[item, name], weight / 3.0),
    }


def _by_hand(
    db: LatentDB, space: str, unlike: Parts, combine: Callable[[FloatArray, FloatArray], FloatArray]
) -> Parts:
    """The same put together in another way, to compare with."""

    def parts(item: int, name: str) -> dict[str, Any]:
        weights = {item: 1.0}
        weights |= {one: -weight for one, weight in unlike(item, name)["unlike"].items()}
        rows = db.store.vectors(space, list(weights)).astype(np.float64)
        units = rows / np.linalg.norm(rows, axis=1, keepdims=True)
        return {"vector": combine(units, np.array(list(weights.values())))}

    return parts


def _about_origin(units: FloatArray, weights: FloatArray) -> FloatArray:
    return blend(units, weights) @ units


def _difference(units: FloatArray, weights: FloatArray) -> FloatArray:
    return weights @ units


def _text_vectors(db: LatentDB) -> dict[str, NDArray[np.float32]]:
    model = db.model("faces-clip")
    if not isinstance(model, AbstractTextEncoder):
        raise TypeError("faces-clip embeds no texts")
    return dict(zip(TEXTS, model.encode_text(list(TEXTS.values())), strict=True))


def reaches(study: Study) -> dict[str, Any]:
    """Of each space and method: how far 2 deviations lead, and how much that reorders hits.

    `degrees` is the angle between the question and the one that was moved. `pull` is the standard
    deviation over the held-out faces of what the move adds to their similarity, as a share of
    that of the similarity to X itself: far below 1 the order of the hits stays X's.
    """
    found = {}
    for space in SPACES:
        vectors = study.db.store.vectors(space, study.ids).astype(np.float64)
        units = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        for kind in KINDS:
            angles, pulls = [], []
            for name in ATTRIBUTES:
                direction = study.db.direction(f"{name}-{kind}", space)
                for item in study.lacking[name][:20]:
                    own = units[np.searchsorted(study.ids, item)]
                    row = vectors[np.searchsorted(study.ids, item)][None]
                    there = direction.move(row, 2.0)[0]
                    there /= np.linalg.norm(there)
                    angles.append(np.degrees(np.arccos(np.clip(own @ there, -1.0, 1.0))))
                    pulls.append((units @ (there - own)).std() / (units @ own).std())
            found[f"{space} {kind}"] = {
                "degrees": float(np.mean(angles)),
                "pull": float(np.mean(pulls)),
            }
    return found


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, record, and write the tables."""
    parser = make_parser(__doc__)
    parser.add_argument("--n", type=int, default=5000, help="faces; noise comes at 13 a second")
    parser.add_argument("--cache", type=Path, default=ROOT / "build" / "stitch")
    parser.add_argument("--subjects", type=int, default=100, help="faces X of each attribute")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    source = faces_database(options.cache, options.n)
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "faces.ldb"
        shutil.copytree(source.uri, copy)
        study = prepare(latentdb.open(copy), n_subjects=options.subjects, seed=options.seed)
        results = {
            "n_fitted": options.n - len(study.ids),
            "n_held_out": len(study.ids),
            "n_subjects": {name: len(ids) for name, ids in study.lacking.items()},
            "away": measure(study, away(study), wanted=False),
            "towards": {
                "best possible": study.best_possible(),
                **measure(study, towards(study.db), wanted=True),
            },
            "reaches": reaches(study),
        }
    record("attribute_queries", results, seed=options.seed)
    write_tables(results)


if __name__ == "__main__":
    main()
