"""What edits do to faces that no direction was fitted on, by judges that share nothing with them.

    python -m benchmarks.edit --n 5000 --cache build/stitch
    python -m benchmarks.edit --quick          everything once, on sizes that say nothing

Directions are fitted on four fifths of the faces of `benchmarks.stitch`, the rest is edited: of
each attribute faces that lack it are given it, and as many that have it are relieved of it. The
judges of `benchmarks.rare_concepts`, networks trained on real drawn faces of another seed, say
what a picture shows before (regenerated from its noise, not edited) and after. Writes
results/edit.json and the tables of docs/editing.md; ten minutes of one core once the database is
there.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, final

import numpy as np

from benchmarks._arguments import make_parser
from benchmarks._record import ROOT, record, write_section
from benchmarks.edit_pairs import PairStudy, draw_triples
from benchmarks.edit_scores import PerceptualDistance, Resampled, Seen
from benchmarks.edit_tables import section
from benchmarks.edit_texts import text_movements
from benchmarks.rare_concepts.concepts import general_faces
from benchmarks.rare_concepts.judges import Judges, say
from benchmarks.rare_concepts.memo import Memo
from benchmarks.rare_concepts.plan import QUICK as QUICK_JUDGES
from benchmarks.rare_concepts.plan import Plan as JudgesPlan
from benchmarks.stitch import faces_database
from latentdb.arrays import BoolArray, FloatArray
from latentdb.artefacts import SpaceRef
from latentdb.database import LatentDB
from latentdb.directions import Direction, DirectionOptions, fit_direction
from latentdb.directions.cost import Orthogonality
from latentdb.directions.orthogonal import Nuisances, orthogonal_part
from latentdb.edit.step import NormRule, Step
from latentdb.held_out import split_by_item
from latentdb.model import Pixels, Vectors
from latentdb.zoo.faces import ATTRIBUTES, CORRELATIONS, EVALUATION_SEED
from latentdb.zoo.training_data import FaceArrays

SEED = 0
SPACE = "faces-noise"


@final
@dataclass(frozen=True)
class Variant:
    """One way to edit: in which sense the direction was made orthogonal, how far, to which norm.

    The source is a label, or two texts, where the label is not looked at.
    """

    orthogonality: Orthogonality | None
    strength: float
    norm: NormRule = "own"
    source: Literal["label", "text"] = "label"

    @property
    def name(self) -> str:
        """For tables and results."""
        kind = self.orthogonality or "plain"
        return f"{self.source}, {kind}, {self.strength:g}, norm {self.norm}"


@final
@dataclass(frozen=True)
class Plan:
    """Sizes: faces edited of each attribute, half of them each way; pairs of each kind."""

    items: int = 20
    pairs: int = 60
    variants: tuple[Variant, ...] = (
        *(Variant(None, s) for s in (1.0, 2.0, 3.0)),
        *(Variant("vectors", s) for s in (1.0, 2.0, 3.0, 5.0)),
        Variant("readings", 2.0),
        Variant("scores", 2.0),
        *(Variant("vectors", 5.0, rule) for rule in ("none", "chi")),
        Variant(None, 2.0, source="text"),
        *(Variant("vectors", s, source="text") for s in (2.0, 3.0)),
    )
    judges: JudgesPlan = field(default_factory=lambda: replace(JudgesPlan(), judges=2))


QUICK = Plan(items=2, pairs=12, judges=QUICK_JUDGES)


@final
class DirectionStudy:
    """Faces held out, and every edit of them.

    Parameters
    ----------
    db : LatentDB
    plan : Plan
    judges : Judges
    ids, noise, has
        Ids (n,), vectors (n, dim) and labels (n, 12) of the faces.
    """

    def __init__(
        self, db: LatentDB, plan: Plan, judges: Judges, faces: tuple[Any, Vectors, BoolArray]
    ) -> None:
        ids, noise, has = faces
        self._db, self._judges, self._distance = db, judges, PerceptualDistance()
        self._space = db.store.space(SPACE)
        is_held_out = split_by_item(ids, seed=SEED)
        self._fitting = ids[~is_held_out], noise[~is_held_out], has[~is_held_out]
        self._texts = text_movements(db, ids, is_held_out, seed=SEED)
        self._directions: dict[tuple[int, Orthogonality | None], Direction] = {}
        held = np.flatnonzero(is_held_out)
        half = plan.items // 2
        chosen = [
            held[has[held, column] == side][:half]
            for column in range(len(ATTRIBUTES))
            for side in (False, True)
        ]
        self._rows = np.concatenate(chosen)
        self._column = np.repeat(np.arange(len(ATTRIBUTES)), 2 * half)
        self._way = np.tile(np.repeat([1.0, -1.0], half), len(ATTRIBUTES))
        self._noise = noise[self._rows]
        self._resampled = Resampled(len(ATTRIBUTES), 2 * half, seed=SEED)
        self._ids = ids[self._rows]
        self._correlated = _correlated()
        self._before = Seen.by(judges, judges.decode(self._noise))

    def run(self, plan: Plan) -> dict[str, Any]:
        """Scores of each variant, what orthogonality changes, and both by attribute."""
        values = {}
        for variant in plan.variants:
            say(variant.name)
            values[variant] = self._values(variant)
        plain = {(v.source, v.strength): v for v in plan.variants if v.orthogonality is None}
        keyed = [(v, (v.source, v.strength)) for v in plan.variants]
        pairs = [(v, plain[key]) for v, key in keyed if key in plain]
        return {
            "faces": len(self._rows),
            "round_trip": self._round_trip(),
            "variants": [self._scores(v, one) for v, one in values.items()],
            "against_plain": [
                self._against(v, values[v], values[other])
                for v, other in pairs
                if v.orthogonality is not None and v.norm == "own"
            ],
            "by_attribute": {
                v.name: self._by_attribute(one) for v, one in values.items() if v.strength == 2.0
            },
        }

    def _edited(self, variant: Variant) -> Pixels:
        """Every face edited, by the step that `latentdb edit` makes."""
        moved = np.empty_like(self._noise)
        for column, name in enumerate(ATTRIBUTES):
            step = Step(
                space=self._space,
                vector=self._deviation(column, variant),
                shift=None,
                strengths={name: 1.0},
                pair=None,
                kept=Nuisances(),
                remaining=1.0,
                norm=variant.norm,
            )
            rows = self._column == column
            times = variant.strength * self._way[rows]
            moved[rows] = step.apply(self._db.catalog, self._noise[rows], times)
        return self._judges.decode(moved)

    def _deviation(self, column: int, variant: Variant) -> FloatArray:
        """One standard deviation (dim,) along the direction of an attribute."""
        if variant.source == "label":
            one = self._direction(column, variant.orthogonality)
            return one.std * one.vector
        _, noise, _ = self._fitting
        nuisances = Nuisances()
        if variant.orthogonality is not None:
            nuisances = Nuisances(self._nuisances(column), variant.orthogonality)
        vector = orthogonal_part(
            self._texts[column],
            SpaceRef.of(self._space),
            nuisances,
            sample=noise,
            is_reading=False,
        )
        deviation: FloatArray = float((noise @ vector).std()) * vector
        return deviation

    def _nuisances(self, column: int) -> tuple[Direction, ...]:
        """Of labels: all that are correlated with an attribute on purpose."""
        others = np.flatnonzero(self._correlated[column])
        return tuple(self._direction(int(other), None) for other in others)

    def _direction(self, column: int, orthogonality: Orthogonality | None) -> Direction:
        """Of one attribute, made orthogonal to all that are correlated with it on purpose."""
        key = column, orthogonality
        if key not in self._directions:
            ids, noise, has = self._fitting
            options = DirectionOptions(seed=SEED)
            if orthogonality is not None:
                nuisances = Nuisances(self._nuisances(column), orthogonality)
                options = replace(options, nuisances=nuisances)
            self._directions[key] = fit_direction(
                noise,
                has[:, column],
                name=ATTRIBUTES[column],
                space=self._space,
                ids=ids,
                options=options,
            )
        return self._directions[key]

    def _values(self, variant: Variant) -> dict[str, FloatArray]:
        """What each edit (n,) did."""
        pixels = self._edited(variant)
        after = Seen.by(self._judges, pixels)
        change = after.change_from(self._before)
        rows = np.arange(len(change))
        signs = self._correlated[self._column]
        others = signs == 0
        others[rows, self._column] = False
        towards = self._way[:, None] * change
        wished = self._way > 0
        shown = self._before.has[:, rows, self._column] == wished
        gained = ~shown & (after.has[:, rows, self._column] == wished)
        return {
            "effect": towards[rows, self._column],
            "lacked": (~shown).mean(axis=0),
            "gained": gained.mean(axis=0),
            "leak": (towards * signs).sum(axis=1) / np.abs(signs).sum(axis=1),
            "leak_size": (np.abs(change) * np.abs(signs)).sum(axis=1) / np.abs(signs).sum(axis=1),
            "others": (np.abs(change) * others).sum(axis=1) / others.sum(axis=1),
            "identity": (after.ssl * self._before.ssl).sum(axis=1).astype(float),
            "perceptual": self._distance(pixels, self._before.pixels),
        }

    def _scores(self, variant: Variant, values: Mapping[str, FloatArray]) -> dict[str, Any]:
        named = ("effect", "leak", "leak_size", "others", "identity", "perceptual")
        return {
            **vars(variant),
            "success": self._resampled.ratio(values["gained"], values["lacked"]),
            **{name: self._resampled.mean(values[name]) for name in named},
        }

    def _against(
        self, variant: Variant, after: Mapping[str, FloatArray], before: Mapping[str, FloatArray]
    ) -> dict[str, Any]:
        """What is left of the effect, and what is gone of the leak, against the plain direction."""
        return {
            **vars(variant),
            "effect_kept": self._resampled.ratio(after["effect"], before["effect"]),
            "leak_cut": self._resampled.cut(after["leak"], before["leak"]),
            "leak_size_cut": self._resampled.cut(after["leak_size"], before["leak_size"]),
        }

    def _by_attribute(self, values: Mapping[str, FloatArray]) -> dict[str, dict[str, float]]:
        found = {}
        for column, name in enumerate(ATTRIBUTES):
            rows = self._column == column
            parts = {key: float(values[key][rows].mean()) for key in ("effect", "leak", "others")}
            found[name] = {key: round(value, 3) for key, value in parts.items()}
        return found

    def _round_trip(self) -> dict[str, Any]:
        """What inversion alone changes of the pictures, and how far apart other faces are."""
        size = self._judges.generator.transform
        pixels = np.stack([size.apply(self._db.picture(int(item))) for item in self._ids])
        original = Seen.by(self._judges, pixels)
        change = np.abs(self._before.change_from(original)).mean(axis=1)
        other = np.roll(np.arange(len(pixels)), len(pixels) // 2 + 1)
        apart = (self._before.ssl * self._before.ssl[other]).sum(axis=1).astype(float)
        same = (self._before.ssl * original.ssl).sum(axis=1).astype(float)
        return {
            "changed": self._resampled.mean(change),
            "identity": self._resampled.mean(same),
            "perceptual": self._resampled.mean(self._distance(pixels, self._before.pixels)),
            "identity_of_others": self._resampled.mean(apart),
            "perceptual_of_others": self._resampled.mean(
                self._distance(self._before.pixels[other], self._before.pixels)
            ),
        }


def run(db: LatentDB, plan: Plan, memo: Path | None) -> dict[str, Any]:
    """Everything that is measured."""
    ids = np.asarray(db.store.vector_ids(SPACE))
    noise = db.store.vectors(SPACE, ids)
    has = np.stack([_label(db, name, ids) for name in ATTRIBUTES], axis=1)
    judges = Judges(plan.judges, Memo(memo))
    directions = DirectionStudy(db, plan, judges, (ids, noise, has)).run(plan)
    pairs = {}
    study = PairStudy(judges, noise, has)
    for kind, alike in (("alike in all else", True), ("at random", False)):
        say(f"pairs {kind}")
        triples = draw_triples(has, plan.pairs, alike=alike, seed=SEED)
        pairs[kind] = study.run(triples, seed=SEED)
    tested = general_faces(200 if plan is not QUICK else 20, EVALUATION_SEED)
    rebuilt = FaceArrays(judges.rebuild(tested.pixels), tested.attributes)
    return {
        "items": len(ids),
        "directions": directions,
        "pairs": pairs,
        "pairs_each": plan.pairs,
        "judges_balanced_accuracy": judges.classifiers.accuracy(rebuilt).balanced_accuracy,
    }


def _correlated() -> FloatArray:
    """Sign (12, 12) of the correlation of attributes that are dependent on purpose, else 0."""
    signs = np.zeros((len(ATTRIBUTES), len(ATTRIBUTES)))
    for names, sign in CORRELATIONS.items():
        one, other = (ATTRIBUTES.index(name) for name in names)
        signs[one, other] = signs[other, one] = sign
    return signs


def _label(db: LatentDB, name: str, ids: np.ndarray[Any, Any]) -> BoolArray:
    there, values = db.store.binary_label(name)
    order = np.argsort(there)
    found: BoolArray = values[order][np.searchsorted(there[order], ids)]
    return found


def main() -> None:
    """Measure, record, and write the tables."""
    parser = make_parser(__doc__)
    parser.add_argument("--n", type=int, default=5000, help="faces of the database")
    parser.add_argument("--cache", type=Path, default=ROOT / "build" / "stitch")
    parser.add_argument("--memo", type=Path, help="folder to keep decoded faces in, to go on with")
    parser.add_argument("--quick", action="store_true", help="small, kept nowhere")
    asked = parser.parse_args()
    plan = QUICK if asked.quick else Plan()
    results = run(faces_database(asked.cache, asked.n), plan, asked.memo)
    if asked.quick:
        print(json.dumps(results, indent=2))
        print(section(results))
        return
    record("edit", results, seed=SEED)
    write_section("editing.md", "edit", section(results))


if __name__ == "__main__":
    main()
