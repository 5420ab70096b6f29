"""From cells to figures with intervals, as the record keeps them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.rare_concepts.cast import Cast
from benchmarks.rare_concepts.judges import Judges
from benchmarks.rare_concepts.norms import holm, norm_law
from benchmarks.rare_concepts.plan import SEED
from benchmarks.rare_concepts.recipes import METHODS
from benchmarks.rare_concepts.scores import Frechet, Made, cells_interval
from benchmarks.rare_concepts.studies import FAR, MIXED, REAL, SEEDS, Cells

SCORES = ("agreement_all", "agreement_mean", "diversity", "distance_to_seeds", "noise_norm")
PAIRS = (
    ("NAO, chi", "lerp + mean"),
    ("NAO, chi", "slerp + karcher"),
    (MIXED, "slerp + karcher"),
    ("NAO, chi", MIXED),
    ("NAO, fitted", "slerp + karcher"),
    ("NAO, fitted", "NAO, chi"),
    ("NAO, chi", "LOL"),
    ("LOL", "slerp + karcher"),
)


def summarise(cells: Cells) -> dict[str, dict[str, Any]]:
    """Every score of every row, with its interval."""
    return {
        name: {score: cells_interval(_values(rows, score), SEED) for score in SCORES}
        for name, rows in cells.items()
    }


def by_concept(cells: Cells, cast: Cast) -> dict[str, dict[str, float]]:
    """Agreement with the whole concept, by row and concept."""
    return {
        name: {
            kind.concept.name: round(float(_values(rows, "agreement_all")[place].mean()), 4)
            for place, kind in enumerate(cast.kinds)
        }
        for name, rows in cells.items()
    }


def by_judge(cells: Cells) -> dict[str, list[float]]:
    """Agreement with the whole concept, as each judge alone sees it."""
    return {
        name: np.mean([[cell.has.all(axis=2).mean(axis=1) for cell in row] for row in rows], (0, 1))
        .round(4)
        .tolist()
        for name, rows in cells.items()
    }


def by_kind_of_point(cells: Cells) -> dict[str, dict[str, Any]]:
    """Agreement with the whole concept of the centroids, the spokes and the chords apart."""
    places = {"centroid": slice(0, 1), "spoke": slice(1, None, 2), "chord": slice(2, None, 2)}
    found: dict[str, dict[str, Any]] = {}
    for name in (*METHODS, FAR):
        found[name] = {
            kind: cells_interval(
                np.array(
                    [[cell.has[:, part].all(axis=2).mean() for cell in row] for row in cells[name]]
                ),
                SEED,
            )
            for kind, part in places.items()
        }
    return found


def differences(cells: Cells) -> dict[str, dict[str, Any]]:
    """Paired differences between methods: same seeds, same points, one made by each."""
    found = {}
    for first, second in PAIRS:
        found[f"{first} − {second}"] = {
            score: cells_interval(
                _values(cells[first], score) - _values(cells[second], score), SEED
            )
            for score in SCORES
        }
    return found


def frechet_distances(cells: Cells, cast: Cast, judges: Judges) -> dict[str, Any]:
    """Distance of each row's faces, all draws of a concept together, to its reference faces."""
    references = [judges.clip(kind.reference) for kind in cast.kinds]
    measure = Frechet(np.concatenate(references))

    def distances(rows: list[list[Made]], share: int) -> NDArray[np.float64]:
        pooled = [np.concatenate([cell.clip[:share] for cell in draws]) for draws in rows]
        return np.array([[measure(*pair)] for pair in zip(pooled, references, strict=True)])

    # As many faces of every row, since fewer are farther; the seeds are fewer, with their floor.
    many, few = len(cells[REAL][0][0].ssl), len(cells[SEEDS][0][0].ssl)
    found = {name: distances(rows, few if name == SEEDS else many) for name, rows in cells.items()}
    found[f"{REAL}, as few as the seeds"] = distances(cells[REAL], few)
    return {
        "variance_in_components": round(measure.share, 4),
        "faces_of_each_concept": many * len(cells[REAL][0]),
        "seeds_of_each_concept": few * len(cells[REAL][0]),
        "reference_faces": len(references[0]),
        "distance": {name: cells_interval(values, SEED) for name, values in found.items()},
        "difference": {
            f"{first} − {second}": cells_interval(found[first] - found[second], SEED)
            for first, second in PAIRS
        },
    }


def norms(cast: Cast) -> dict[str, Any]:
    """The law of the norms of the generator's faces, of each concept's seeds, and of a control."""
    dim = cast.general.shape[1]
    control = np.random.default_rng(SEED).standard_normal(cast.general.shape)
    sets: dict[str, NDArray[Any]] = {
        "the generator's mixture": cast.general,
        **{kind.concept.name: kind.noise for kind in cast.kinds},
        "control: Gaussian noise": control,
    }
    laws = {
        name: norm_law(np.linalg.norm(rows.astype(np.float64), axis=1), dim, SEED)
        for name, rows in sets.items()
    }
    for test in ("ks_chi", "ks_scaled_chi", "ks_fitted_gaussian", "skewness_test"):
        corrected = holm({name: law[test]["p"] for name, law in laws.items()})
        for name, law in laws.items():
            law[test]["p_holm"] = corrected[name]
    return laws


def mean_cosine(groups: list[NDArray[np.float32]]) -> float:
    """Between different rows of each group, averaged over the groups."""
    means = []
    for rows in groups:
        units = rows / np.linalg.norm(rows, axis=1, keepdims=True)
        cosines = units @ units.T
        means.append(cosines[np.triu_indices(len(rows), 1)].mean())
    return round(float(np.mean(means)), 5)


def _values(rows: list[list[Made]], score: str) -> NDArray[np.float64]:
    return np.array([[cell.scores[score] for cell in draws] for draws in rows])
