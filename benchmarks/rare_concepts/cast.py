"""The concepts with their faces: seeds inverted, references rebuilt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from benchmarks.rare_concepts.classifier import Accuracy
from benchmarks.rare_concepts.concepts import (
    COUNTED,
    FACES_SEED,
    Concept,
    attribute_table,
    choose_concepts,
    concept_faces,
    general_faces,
)
from benchmarks.rare_concepts.judges import Judges, say
from benchmarks.rare_concepts.plan import POOL, SEED, Plan
from benchmarks.rare_concepts.recipes import make_priors
from benchmarks.rare_concepts.scores import Vectors
from latentdb.model import Pixels
from latentdb.zoo.faces import EVALUATION_SEED
from latentdb.zoo.training_data import FaceArrays


@final
@dataclass(frozen=True, slots=True)
class Kind:
    """One concept and all that is made ready for it.

    Parameters
    ----------
    concept : Concept
    pixels, rebuilt : (n_seeds, 64, 64, 3) uint8
        The seeds' pictures, and what the generator makes of their noise.
    attributes : (n_seeds, 12) bool
        Of the seeds.
    noise : (n_seeds, dim)
        The seeds inverted.
    ssl : (n_seeds, 256)
        Of `rebuilt`.
    reference, floor : (n, 64, 64, 3) uint8
        Two sets of other real faces, through the autoencoder; `floor` is as large as a method's.
    """

    concept: Concept
    pixels: Pixels
    attributes: NDArray[np.bool_]
    noise: Vectors
    rebuilt: Pixels
    ssl: Vectors
    reference: Pixels
    floor: Pixels


@final
@dataclass(frozen=True, slots=True)
class Cast:
    """Everything that is there before anything is made.

    Parameters
    ----------
    kinds : list of Kind
    general : (n, dim)
        Noise of the generator's own mixture of faces.
    priors : dict
        `chi` and `fitted`, the latter to the norms of `general`.
    accuracy : dict of str to Accuracy
        Of the judges, by kind of picture.
    """

    kinds: list[Kind]
    general: Vectors
    priors: dict[str, Any]
    accuracy: dict[str, Accuracy]


def make_cast(judges: Judges, plan: Plan) -> Cast:
    """Choose the concepts, draw and invert their faces, fit the prior, try the judges."""
    table = attribute_table(FACES_SEED, COUNTED)
    kinds = []
    for concept in choose_concepts(plan.concepts, table):
        say(f"draw and invert {concept.name}")
        kinds.append(_make_kind(concept, judges, plan, table))
    say(f"invert {plan.general} faces of the generator's own mixture")
    tested = general_faces(max(plan.tested, plan.general), EVALUATION_SEED)
    general = judges.invert(tested.pixels[: plan.general])
    norms = np.linalg.norm(general.astype(np.float64), axis=1)
    return Cast(
        kinds=kinds,
        general=general,
        priors=make_priors(general.shape[1], norms),
        accuracy={
            name: judges.classifiers.accuracy(faces)
            for name, faces in _tests(judges, plan, kinds, general, tested).items()
        },
    )


def _make_kind(concept: Concept, judges: Judges, plan: Plan, table: NDArray[np.bool_]) -> Kind:
    n_seeds = max(plan.draws * plan.shots, plan.few_draws * POOL)
    n_floor = plan.draws * plan.faces
    faces = concept_faces(concept, n_seeds + n_floor + plan.reference, table)
    drawn = faces.pixels
    noise = judges.invert(drawn[:n_seeds])
    rebuilt = judges.decode(noise)
    return Kind(
        concept=concept,
        pixels=drawn[:n_seeds],
        attributes=faces.attributes[:n_seeds],
        noise=noise,
        rebuilt=rebuilt,
        ssl=judges.ssl(rebuilt),
        reference=judges.rebuild(drawn[n_seeds + n_floor :]),
        floor=judges.rebuild(drawn[n_seeds : n_seeds + n_floor]),
    )


def _tests(
    judges: Judges, plan: Plan, kinds: list[Kind], general: Vectors, tested: FaceArrays
) -> dict[str, FaceArrays]:
    """Labelled faces that no judge was trained on: rebuilt, decoded, and of the rare kinds."""
    pixels, rows = tested.pixels, tested.attributes
    return {
        "through the autoencoder": FaceArrays(
            judges.rebuild(pixels[: plan.tested]), rows[: plan.tested]
        ),
        "inverted and decoded": FaceArrays(
            judges.decode(general[: plan.decoded]), rows[: plan.decoded]
        ),
        "the seeds, inverted and decoded": FaceArrays(
            np.concatenate([kind.rebuilt for kind in kinds]),
            np.concatenate([kind.attributes for kind in kinds]),
        ),
    }


def cell_seed(kind: int, first: int, shots: int) -> np.random.Generator:
    """Randomness of a cell: the same points for every method and study that has these seeds."""
    return np.random.default_rng([SEED, kind, first, shots])
