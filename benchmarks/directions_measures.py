"""What directions are measured by: probes, texts, pairs, examples, orthogonality, other spaces."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from benchmarks.stitch_texts import Question, questions
from latentdb.arrays import BoolArray, FloatArray, IdArray
from latentdb.database import LatentDB
from latentdb.directions import (
    Direction,
    DirectionMethod,
    DirectionOptions,
    Nuisances,
    fit_direction,
    score_ranking,
)
from latentdb.directions.carry import as_movement, as_reading, pull, push
from latentdb.directions.cost import Orthogonality
from latentdb.directions.lda import discriminant
from latentdb.held_out import split_by_item
from latentdb.model import AbstractTextEncoder
from latentdb.space import Space
from latentdb.stitch import LinearMap, fit_map
from latentdb.stitch.chain import MapChain
from latentdb.zoo.faces import ATTRIBUTES, CORRELATIONS

SPACES = ("faces-clip", "faces-noise", "faces-ssl")
METHODS: tuple[DirectionMethod, ...] = get_args(DirectionMethod)
KINDS: tuple[Orthogonality, ...] = get_args(Orthogonality)
SIZES = (1, 3, 10, 30, 100)
_RESAMPLES = 200


@dataclass(frozen=True, eq=False)
class Faces:
    """Vectors and labels of the faces that have all, with maps between all pairs of spaces."""

    db: LatentDB
    ids: IdArray
    vectors: Mapping[str, NDArray[np.float32]]
    labels: Mapping[str, BoolArray]
    is_test: BoolArray
    maps: Mapping[tuple[str, str], LinearMap]
    seed: int

    def space(self, name: str) -> Space:
        return self.db.store.space(name)

    def way(self, *names: str) -> MapChain:
        """The maps from space to space."""
        return MapChain(tuple(self.maps[pair] for pair in itertools.pairwise(names)))

    def fit(self, space: str, name: str, **options: Any) -> Direction:
        """The direction of an attribute."""
        return fit_direction(
            self.vectors[space],
            self.labels[name],
            name=name,
            space=self.space(space),
            ids=self.ids,
            options=DirectionOptions(seed=self.seed, **options),
        )

    def held_out_auc(self, space: str, vector: FloatArray, attribute: str) -> dict[str, float]:
        """AUC along a vector on the faces that no map and no pair has seen."""
        along = self.vectors[space][self.is_test] @ vector
        auc, _ = score_ranking(along, self.labels[attribute][self.is_test], n_resamples=_RESAMPLES)
        return auc.to_json()


def load(db: LatentDB, *, seed: int) -> Faces:
    """The faces of a database, and ridge maps fitted on four fifths of them."""
    ids = np.asarray(db.store.item_ids())
    for name in SPACES:
        ids = np.intersect1d(ids, db.store.vector_ids(name))
    vectors = {name: db.store.vectors(name, ids) for name in SPACES}
    labels = {}
    for name in ATTRIBUTES:
        there, values = db.store.binary_label(name)
        order = np.argsort(there)
        labels[name] = values[order][np.searchsorted(there[order], ids)]
    maps = {
        (source, target): fit_map(
            vectors[source],
            vectors[target],
            spaces=(db.store.space(source), db.store.space(target)),
            ids=ids,
            method="ridge",
            seed=seed,
        )
        for source, target in itertools.permutations(SPACES, 2)
    }
    share = next(iter(maps.values())).fitted_on.n_held_out / len(ids)
    is_test = split_by_item(ids, seed=seed, fraction=share)
    return Faces(db, ids, vectors, labels, is_test, maps, seed)


def probes(faces: Faces) -> list[dict[str, Any]]:
    """Held-out scores of each attribute in each space by each method."""
    found = []
    for space, method, name in itertools.product(SPACES, METHODS, ATTRIBUTES):
        fitted = faces.fit(space, name, method=method)
        assert fitted.scores is not None
        found.append(
            {"space": space, "method": method, "attribute": name} | fitted.scores.to_json()
        )
    return found


def texts(faces: Faces) -> list[dict[str, Any]]:
    """Held-out AUC of text pairs: four wordings against what is lacking, and against "a face"."""
    model, profile = faces.db.model("faces-clip"), faces.db.profile("faces-clip")
    assert isinstance(model, AbstractTextEncoder)
    assert profile is not None
    found = []
    for one, away, kind in _text_pairs(questions()):
        first, second = model.encode_text([one.text, away]).astype(np.float64)
        difference = first - second
        movement = profile.times_covariance(difference[None])[0]
        for space in SPACES:
            way = None if space == "faces-clip" else faces.way("faces-clip", space)
            for treatment, vector in (("Σ", movement), ("none", difference)):
                carried = vector if way is None else push(vector, way)
                found.append(
                    {
                        "space": space,
                        "attribute": one.attribute,
                        "towards": one.text,
                        "away": away,
                        "against": kind,
                        "treatment": treatment,
                        "auc": faces.held_out_auc(space, carried, one.attribute),
                    }
                )
    return found


def _text_pairs(asked: Sequence[Question]) -> Iterator[tuple[Question, str, str]]:
    """Each text that says an attribute is there, with what it is set against."""
    lacking: dict[str, list[str]] = {}
    for one in asked:
        if not one.is_present:
            lacking.setdefault(one.attribute, []).append(one.text)
    for one in asked:
        if one.is_present:
            yield one, lacking[one.attribute].pop(0), "the opposite"
            yield one, "a face", "a face"


def pairs(faces: Faces, *, n_pairs: int) -> list[dict[str, Any]]:
    """Held-out AUC of single pairs of training faces that differ in an attribute.

    "random": in whatever else, too. "alike": of 200 faces without it, the one that shares the
    most other attributes with the face that has it. "from CLIP": the pair's difference there,
    carried over by the map.
    """
    rng = np.random.default_rng(faces.seed)
    table = np.stack([faces.labels[name] for name in ATTRIBUTES], axis=1)
    train = np.flatnonzero(~faces.is_test)
    found = []
    for name in ATTRIBUTES:
        has = train[faces.labels[name][train]]
        lacks = train[~faces.labels[name][train]]
        for end in rng.choice(has, n_pairs, replace=False):
            some = rng.choice(lacks, 200, replace=False)
            alike = some[(table[some] == table[end]).sum(axis=1).argmax()]
            for kind, start in (("random", some[0]), ("alike", alike)):
                differences = {
                    space: X[end].astype(np.float64) - X[start]
                    for space, X in faces.vectors.items()
                }
                of_clip = differences["faces-clip"]
                for space, own in differences.items():
                    ways = {kind: own}
                    if space != "faces-clip":
                        ways[f"{kind}, from CLIP"] = push(of_clip, faces.way("faces-clip", space))
                    found += [
                        {
                            "space": space,
                            "attribute": name,
                            "kind": way,
                            "auc": faces.held_out_auc(space, vector, name),
                        }
                        for way, vector in ways.items()
                    ]
    return found


def examples(faces: Faces, *, n_draws: int) -> list[dict[str, Any]]:
    """Mean held-out AUC by the number of liked and of disliked faces, drawn at random."""
    rng = np.random.default_rng(faces.seed)
    train = np.flatnonzero(~faces.is_test)
    found = []
    for size, name in itertools.product(SIZES, ATTRIBUTES):
        is_positive = faces.labels[name][train]
        for _ in range(n_draws):
            liked = rng.choice(train[is_positive], size, replace=False)
            disliked = rng.choice(train[~is_positive], size, replace=False)
            for space in SPACES:
                X = faces.vectors[space].astype(np.float64)
                vector = X[liked].mean(axis=0) - X[disliked].mean(axis=0)
                auc = faces.held_out_auc(space, vector, name)["value"]
                found.append({"space": space, "attribute": name, "size": size, "auc": auc})
    return found


def orthogonality(faces: Faces, *, held_out: float = 0.4) -> list[dict[str, Any]]:
    """What each kind of orthogonality costs and takes off, for the pairs that are correlated.

    "leak" is how much a move along the direction changes what a judge reads of the nuisance, in
    its standard deviations, per deviation by which another judge's reading of the attribute
    changes. The judges are discriminants fitted on the held-out faces, which no direction saw.
    """
    found = []
    for space in SPACES:
        judged = split_by_item(faces.ids, seed=faces.seed, fraction=held_out)
        X = faces.vectors[space][judged].astype(np.float64)
        judges = {name: discriminant(X, faces.labels[name][judged]) for name in ATTRIBUTES}
        units = {name: float((X @ judge).std()) for name, judge in judges.items()}
        for method in ("mean_difference", "lda"):
            plain = {
                name: faces.fit(space, name, method=method, held_out=held_out)
                for name in ATTRIBUTES
            }
            both = [*CORRELATIONS, *((b, a) for a, b in CORRELATIONS)]
            for (name, other), kind in itertools.product(both, ("none", *KINDS)):
                made = plain[name]
                if kind != "none":
                    made = faces.fit(
                        space,
                        name,
                        method=method,
                        held_out=held_out,
                        nuisances=Nuisances((plain[other],), kind),
                        nuisance_labels={other: faces.labels[other].astype(np.float64)},
                    )
                effect = float(judges[name] @ made.vector) / units[name]
                leak = float(judges[other] @ made.vector) / units[other]
                assert made.scores is not None
                found.append(
                    {
                        "space": space,
                        "method": method,
                        "attribute": name,
                        "nuisance": other,
                        "kind": kind,
                        "auc": made.scores.auc.to_json(),
                        "effect": effect * made.std,
                        "leak": leak / effect,
                        "cost": None if made.cost is None else made.cost.to_json(),
                    }
                )
    return found


def carried(faces: Faces) -> list[dict[str, Any]]:
    """Directions carried between all pairs of spaces, as what they are and as what they are not."""
    found = []
    own = {
        (space, method, name): faces.fit(space, name, method=method)
        for space, method, name in itertools.product(SPACES, ("mean_difference", "lda"), ATTRIBUTES)
    }
    for (source, target), method in itertools.product(
        itertools.permutations(SPACES, 2), ("mean_difference", "lda")
    ):
        between = next(name for name in SPACES if name not in (source, target))
        X = faces.vectors[source][~faces.is_test]
        ways = {
            "map": (faces.way(source, target), faces.way(target, source)),
            "chain": (faces.way(source, between, target), faces.way(target, between, source)),
        }
        for name in ATTRIBUTES:
            origin = own[source, method, name]
            routes = {"fitted there": own[target, method, name].vector}
            for way, (there, back) in ways.items():
                routes[f"W·d, {way}"] = push(origin.vector, there)
                routes[f"Vᵀ·f, {way}"] = pull(origin.vector, back)
            routes["as the other kind"] = (
                push(as_movement(origin, X), ways["map"][0])
                if origin.is_reading
                else pull(as_reading(origin, X), ways["map"][1])
            )
            found += [
                {
                    "source": source,
                    "target": target,
                    "method": method,
                    "attribute": name,
                    "route": route,
                    "auc": faces.held_out_auc(target, vector, name)["value"],
                    "cosine": {
                        kind: _cosine(vector, own[target, kind, name].vector)
                        for kind in ("mean_difference", "lda")
                    },
                }
                for route, vector in routes.items()
            ]
    return found


def _cosine(a: FloatArray, b: FloatArray) -> float:
    return float(a @ b / np.linalg.norm(a) / np.linalg.norm(b))
