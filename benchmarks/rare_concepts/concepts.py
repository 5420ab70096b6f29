"""Which combinations are rare, by the generator's own frequencies, and faces that have them."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import final

import numpy as np
from numpy.typing import NDArray

# The generator's attribute law alone: a face of a rare kind is found without drawing the others.
from latentdb.zoo.faces import ATTRIBUTES, TRAINING_SEED, draw_attributes, draw_face
from latentdb.zoo.faces_draw import draw, draw_style
from latentdb.zoo.training_data import FaceArrays

FACES_SEED = 3
"""Of the seeds and the reference faces: neither trained on nor evaluated on before."""
COUNTED = 100_000
TRAINED_ON = 32_000
_SIZES = (2, 3)
_MOST_OF_A_PAIR = 2


@final
@dataclass(frozen=True, slots=True)
class Concept:
    """A rare combination of attributes, all present.

    Parameters
    ----------
    attributes : tuple of str
        Names of `latentdb.zoo.faces.ATTRIBUTES`.
    frequency : float
        Share of the generator's faces that have them all, in [0, 1].
    in_training : int
        How many of the faces that the models were trained on have them all.
    """

    attributes: tuple[str, ...]
    frequency: float
    in_training: int

    @property
    def name(self) -> str:
        """The attributes, joined by a plus sign."""
        return "+".join(self.attributes)

    @property
    def columns(self) -> list[int]:
        """Places of the attributes in a row of `FaceArrays.attributes`."""
        return [ATTRIBUTES.index(name) for name in self.attributes]


def attribute_table(seed: int, n: int) -> NDArray[np.bool_]:
    """Attributes (n, 12) of faces 0 to n − 1 of a seed, without drawing them."""
    rows = (draw_attributes(np.random.default_rng([seed, index])) for index in range(n))
    return np.array([[row[name] for name in ATTRIBUTES] for row in rows])


def choose_concepts(n: int, table: NDArray[np.bool_]) -> list[Concept]:
    """The `n` rarest combinations of two or three attributes, kept apart from each other.

    Rarest first; one is passed over when two already chosen ones share a pair of its attributes,
    since otherwise all would be beards with earrings.

    Parameters
    ----------
    n : int
        How many.
    table : (m, 12) bool
        Attributes of faces of the generator, whose frequencies count.
    """
    trained = attribute_table(TRAINING_SEED, TRAINED_ON)
    used: Counter[tuple[int, ...]] = Counter()
    chosen: list[Concept] = []
    for columns in sorted(_combinations(), key=lambda columns: _share(table, columns)):
        pairs = list(combinations(columns, 2))
        if any(used[pair] >= _MOST_OF_A_PAIR for pair in pairs):
            continue
        used.update(pairs)
        names = tuple(ATTRIBUTES[column] for column in columns)
        count = int(trained[:, list(columns)].all(axis=1).sum())
        chosen.append(Concept(names, _share(table, columns), count))
        if len(chosen) == n:
            break
    return chosen


def concept_faces(concept: Concept, n: int, table: NDArray[np.bool_]) -> FaceArrays:
    """The first `n` faces of `FACES_SEED` that have the concept, of those that `table` counts."""
    found = np.flatnonzero(table[:, concept.columns].all(axis=1))[:n]
    if len(found) < n:
        sys.exit(f"{len(table)} faces hold {len(found)} with {concept.name}, {n} are needed")
    return _arrays([draw_face(FACES_SEED, int(i)).image for i in found], table[found])


def general_faces(n: int, seed: int) -> FaceArrays:
    """The first `n` faces of a seed, as the generator makes them."""
    drawn = [draw_face(seed, index) for index in range(n)]
    rows = [[face.attributes[name] for name in ATTRIBUTES] for face in drawn]
    return _arrays([face.image for face in drawn], np.array(rows))


def independent_faces(n: int, seed: int) -> FaceArrays:
    """Faces whose attributes are twelve fair coins: what a classifier learns of one from another.

    On the generator's own faces it would learn that a bearded one wears no earrings, and call
    every rare face a common one.
    """
    rng = np.random.default_rng(seed)
    rows = rng.random((n, len(ATTRIBUTES))) < 0.5
    images = [
        draw(dict(zip(ATTRIBUTES, row.tolist(), strict=True)), draw_style(rng)) for row in rows
    ]
    return _arrays(images, rows)


def _arrays(images: Sequence[object], rows: NDArray[np.bool_]) -> FaceArrays:
    return FaceArrays(np.stack([np.asarray(image, np.uint8) for image in images]), rows)


def _combinations() -> Iterator[tuple[int, ...]]:
    for size in _SIZES:
        yield from combinations(range(len(ATTRIBUTES)), size)


def _share(table: NDArray[np.bool_], columns: tuple[int, ...]) -> float:
    return float(table[:, list(columns)].all(axis=1).mean())
