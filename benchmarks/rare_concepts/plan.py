"""How much is made: the sizes of the experiment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

SEED = 0
POOL = 10


@final
@dataclass(frozen=True, slots=True)
class Plan:
    """Sizes; the defaults take some thirteen minutes of processor time.

    Draws are of disjoint seeds. The main table's draw d has seeds `shots`·d onward; with `shots`
    at half of `POOL`, its even draws share their seeds with the study of shots, whose draw e has
    the first of seeds `POOL`·e onward.

    Parameters
    ----------
    concepts, draws, shots, faces : int
        Of the main table: rare combinations, sets of seeds of each, seeds in a set, faces made
        of a set by each method.
    few, few_draws, few_faces : tuple of int, int, int
        Other numbers of seeds, with how many sets and faces.
    sampler_draws, sampler_faces : int
        Of the main table's noise decoded again by other samplers.
    radii, radius_faces : tuple of float, int
        Norms at which the directions of `slerp + karcher` are decoded, faces of each concept.
    random : int
        Faces of fresh Gaussian noise.
    general : int
        Inverted faces of the generator's own mixture: their norms fit the prior.
    decoded : int
        How many of those are decoded to try the judge on.
    reference : int
        Real faces of each concept that Fréchet distances are taken to.
    judges, trained, epochs, tested : int
        Of the judges.
    """

    concepts: int = 5
    draws: int = 6
    shots: int = POOL // 2
    faces: int = 10
    few: tuple[int, ...] = (1, 2, 3, 10)
    few_draws: int = 2
    few_faces: int = 6
    sampler_draws: int = 2
    sampler_faces: int = 6
    radii: tuple[float, ...] = (22.0, 26.0, 28.0, 30.0, 32.0, 34.0, 38.0)
    radius_faces: int = 12
    random: int = 180
    general: int = 300
    decoded: int = 60
    reference: int = 150
    judges: int = 3
    trained: int = 3_000
    epochs: int = 7
    tested: int = 500


QUICK = Plan(
    concepts=2,
    draws=2,
    faces=3,
    few=(1, 2),
    few_draws=1,
    few_faces=2,
    sampler_draws=1,
    sampler_faces=2,
    radii=(26.0, 32.0),
    radius_faces=2,
    random=8,
    general=12,
    decoded=4,
    reference=20,
    judges=2,
    trained=320,
    epochs=2,
    tested=40,
)
"""Everything once, on sizes that say nothing."""
