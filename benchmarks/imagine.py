"""Whether imagined faces show what their text says, by judges that share nothing with the models.

    python -m benchmarks.imagine                  draws and ingests 400 faces first
    python -m benchmarks.imagine --db faces.ldb   of `make demo`; eleven minutes on two busy cores
    python -m benchmarks.imagine --quick          everything once, on sizes that say nothing

Texts of one attribute and of two are imagined by each recipe, and by parts of it left out; the
judges of `benchmarks.rare_concepts` say whether a picture has all that its text names.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, final

import numpy as np
from scipy.spatial.distance import pdist

import latentdb
from benchmarks._arguments import make_parser
from benchmarks._record import record
from benchmarks.rare_concepts.concepts import general_faces
from benchmarks.rare_concepts.judges import Judges, say
from benchmarks.rare_concepts.memo import Memo
from benchmarks.rare_concepts.plan import QUICK as QUICK_JUDGES
from benchmarks.rare_concepts.plan import Plan as JudgesPlan
from benchmarks.rare_concepts.scores import cells_interval
from latentdb.database import LatentDB
from latentdb.geometry import chi_mode, restore_norm
from latentdb.imagine import residual_law
from latentdb.ingest import IngestOptions
from latentdb.model import AbstractTextEncoder, Pixels
from latentdb.stitch.chain import MapChain
from latentdb.zoo.faces import ATTRIBUTES, EVALUATION_SEED, write_folder
from latentdb.zoo.faces_captions import describe
from latentdb.zoo.training_data import FaceArrays

SEED = 0
FACES_SEED = 11
"""Of the stored faces: no model was trained on them."""
SOURCE, TARGET = "faces-clip", "faces-noise"


@final
@dataclass(frozen=True)
class Plan:
    """Sizes: faces stored, pairs of attributes asked for beside single ones, pictures a text."""

    stored: int = 400
    singles: int = len(ATTRIBUTES)
    pairs: int = 8
    pictures: int = 6
    white: int = 96
    judges: JudgesPlan = field(default_factory=lambda: replace(JudgesPlan(), judges=2))


QUICK = Plan(stored=80, singles=2, pairs=1, pictures=2, white=4, judges=QUICK_JUDGES)


@final
@dataclass(frozen=True)
class Wish:
    """A text, and the columns of `ATTRIBUTES` that it names."""

    text: str
    columns: tuple[int, ...]


@final
class Study:
    """A database, the texts asked of it, and the judges of what it imagines."""

    def __init__(self, db: LatentDB, plan: Plan) -> None:
        self.db, self.plan = db, plan
        self.wishes = make_wishes(plan)
        self.judges = Judges(plan.judges, Memo(None))
        self.map = db.map(SOURCE, TARGET)
        self.law = residual_law(db.store, MapChain((self.map,)))

    def imagined(self, wish: Wish, seed: int, **options: Any) -> Pixels:
        """Pictures by the library itself, as many as the plan says unless told."""
        found = self.db.imagine(
            **{"text": wish.text, "n": self.plan.pictures, "seed": seed, **options}
        )
        return np.stack([np.asarray(picture) for picture in found.pictures])

    def unmoved(self, wish: Wish, seed: int) -> Pixels:
        """From the text's own vector, as if it were a picture's."""
        model = self.db.model(SOURCE)
        if not isinstance(model, AbstractTextEncoder):
            raise TypeError(f"{SOURCE} embeds no texts")
        vector = model.encode_text([wish.text])[0]
        return self.imagined(wish, seed, text=None, vector=vector, from_space=SOURCE)

    def white(self, wish: Wish, seed: int) -> Pixels:
        """The residual replaced by white noise of the same variance."""
        mean = self.db.imagine(text=wish.text, n=1, temperature=0.0).mean
        rng = np.random.default_rng(seed)
        drawn = rng.standard_normal((self.plan.pictures, len(mean)))
        noise = mean + drawn * np.sqrt(self.law.total_variance / len(mean))
        return self.judges.decode(restore_norm(noise, chi_mode(len(mean))).astype(np.float32))

    def stored(self, wish: Wish, seed: int) -> Pixels:
        """Stored faces that have the attributes, inverted and decoded again."""
        found = None
        for column in wish.columns:
            ids, values = self.db.store.binary_label(ATTRIBUTES[column])
            have = ids[values]
            found = have if found is None else np.intersect1d(found, have)
        assert found is not None
        chosen = np.random.default_rng(seed).permutation(found)[: self.plan.pictures]
        return self.judges.decode(self.db.store.vectors(TARGET, chosen.tolist()))

    def score(self, draw: Callable[[Wish, int], Pixels]) -> dict[str, Any]:
        """Agreement and diversity of one recipe over all wishes."""
        agreed, spread = [], []
        for seed, wish in enumerate(self.wishes):
            pixels = draw(wish, seed)
            has = self.judges.classifiers.predict(pixels)[..., list(wish.columns)]
            agreed.append(has.all(axis=2).mean(axis=0))
            if len(pixels) > 1:
                spread.append(pdist(self.judges.ssl(pixels)).mean())
        singles = [values for wish, values in self._by_wish(agreed) if len(wish.columns) == 1]
        pairs = [values for wish, values in self._by_wish(agreed) if len(wish.columns) == 2]
        return {
            "one_attribute": _interval(singles),
            "two_attributes": _interval(pairs),
            "by_text": {w.text: round(float(v.mean()), 3) for w, v in self._by_wish(agreed)},
            "diversity": _interval([np.array([value]) for value in spread]) if spread else None,
        }

    def _by_wish(self, values: list[Any]) -> list[tuple[Wish, Any]]:
        return list(zip(self.wishes, values, strict=True))

    def base(self) -> dict[str, Any]:
        """How often pictures of white noise agree with each text by chance."""
        rng = np.random.default_rng(SEED)
        noise = rng.standard_normal((self.plan.white, self.law.dim)).astype(np.float32)
        pixels = self.judges.decode(noise)
        return self.score(lambda _, __: pixels)


def make_wishes(plan: Plan) -> list[Wish]:
    """Texts of single attributes, then of pairs of them that are drawn."""
    rng = np.random.default_rng(SEED)
    columns = [(column,) for column in range(plan.singles)]
    all_pairs = [(i, j) for i in range(len(ATTRIBUTES)) for j in range(i)]
    columns += [all_pairs[at] for at in rng.permutation(len(all_pairs))[: plan.pairs]]
    return [Wish(describe({ATTRIBUTES[c]: True for c in some}, rng), some) for some in columns]


def make_database(folder: Path, plan: Plan) -> LatentDB:
    """Drawn faces in both spaces, with the map from texts and pictures to noise."""
    say(f"draw and ingest {plan.stored} faces")
    write_folder(folder / "faces", plan.stored, seed=FACES_SEED)
    db = latentdb.create(folder / "faces.ldb", spaces=[SOURCE, TARGET], device="cpu")
    labels = folder / "faces" / "labels.csv"
    db.ingest(folder / "faces", options=IngestOptions(labels=labels, workers=0))
    db.stitch(SOURCE, TARGET)
    return db


def run(db: LatentDB, plan: Plan) -> dict[str, Any]:
    """Every recipe, and what it is read against."""
    study = Study(db, plan)
    recipes: dict[str, Callable[[Wish, int], Pixels]] = {
        "stored faces that have it": study.stored,
        "mean as it comes": lambda w, s: study.imagined(w, s, n=1, temperature=0.0, prior="none"),
        "mean, norm restored": lambda w, s: study.imagined(w, s, n=1, temperature=0.0),
        "mean + residual": lambda w, s: study.imagined(w, s, prior="none"),
        "mean + residual, norm restored": study.imagined,
        "the same, fitted prior": lambda w, s: study.imagined(w, s, prior="fitted"),
        "the same, half the temperature": lambda w, s: study.imagined(w, s, temperature=0.5),
        "the same, white noise for residual": study.white,
        "the same, text vector unmoved": study.unmoved,
    }
    results = {"white noise (base rate)": study.base()}
    for name, draw in recipes.items():
        say(name)
        results[name] = study.score(draw)
    tested = general_faces(200 if plan is not QUICK else 20, EVALUATION_SEED)
    rebuilt = FaceArrays(study.judges.rebuild(tested.pixels), tested.attributes)
    accuracy = study.judges.classifiers.accuracy(rebuilt)
    return {
        "items": len(db),
        "map": {"method": study.map.method, **study.map.scores.summary()},
        "residual": study.law.to_json(),
        "judges_balanced_accuracy": accuracy.balanced_accuracy,
        "recipes": results,
    }


def _interval(cells: list[Any]) -> dict[str, Any] | None:
    """Mean of texts of equal weight, with its interval from resampling texts and pictures."""
    return cells_interval(np.array([cell.astype(float) for cell in cells]), SEED) if cells else None


def main() -> None:
    """Run it and keep the result."""
    arguments = make_parser(__doc__)
    arguments.add_argument("--quick", action="store_true", help="small, kept nowhere")
    arguments.add_argument("--db", type=Path, help="database of drawn faces with labels and a map")
    asked = arguments.parse_args()
    plan = QUICK if asked.quick else Plan()
    with tempfile.TemporaryDirectory() as folder:
        db = latentdb.open(asked.db) if asked.db else make_database(Path(folder), plan)
        results = run(db, plan)
    if asked.quick:
        print(json.dumps(results, indent=2))
    else:
        record("imagine", results, seed=SEED)


if __name__ == "__main__":
    main()
