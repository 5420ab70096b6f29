"""NAO lengths against two references that share nothing with the package: worst relative errors.

    python -m benchmarks.nao_reference

Reference 1 minimises the length of a curve in the plane, every segment finely integrated;
reference 2 integrates Clairaut's relation with a tanh-sinh rule (tests/indexers/nao_reference.py).
Norms lie within 30 % of the mode, angles from 1e-4 to π: a grid for both references, and random
pairs for the quicker second one. The first one's own error is up to about 1e-7, at d = 16.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from benchmarks._arguments import make_parser
from benchmarks._record import record
from indexers.metric import AbstractPrior, ChiPrior, FittedPrior, NaoMetric
from tests.indexers.nao_reference import (
    AbstractLaw,
    ChiLaw,
    GaussLaw,
    quadrature_length,
    reference_length,
)

DIMS = (16, 64, 1024, 16384, 65536)
GOAL = 1e-6
# Both ends as shares of the mode: on it, across it, one side with and without a near end.
ENDS = ((1.0, 1.0), (0.7, 1.3), (0.75, 0.75), (1.3, 1.3), (0.9, 0.7))
ANGLES = (1e-4, 1e-2, 0.3, 1.5, np.pi)
# (dim, offsets of both norms from the mode, angle, length), found twice before the package was.
SPOTS = (
    (16384, (0.0, 0.0), 1.5, 109.888784),
    (16384, (2.0, -1.0), 1.5, 114.000519),
    (64, (3.0, 3.0), 0.3, 20.754236),
)


class _Pair(NamedTuple):
    """Two norms and the angle between."""

    r0: float
    r1: float
    angle: float


class _Case(NamedTuple):
    """A prior of the package and the same law as the references know it."""

    prior: AbstractPrior
    law: AbstractLaw


class _Worst(NamedTuple):
    """Largest |ours/reference − 1|, where it was, and of how many pairs.

    `at` holds both norms as shares of the mode, and the angle.
    """

    error: float
    at: list[float]
    pairs: int


def main() -> None:
    """Compare over dimensions, priors and pairs; print and keep the worst of each."""
    arguments = make_parser(__doc__)
    arguments.add_argument("--dims", type=int, nargs="+", default=list(DIMS))
    arguments.add_argument("--points", type=int, default=100, help="of a minimised chain")
    arguments.add_argument("--random", type=int, default=100, help="pairs of each law")
    arguments.add_argument("--seed", type=int, default=0)
    asked = arguments.parse_args()
    rng = np.random.default_rng(asked.seed)
    started = time.perf_counter()
    agreement = {
        f"d={dim} {case.prior.name}": _compare(case, rng, asked.points, asked.random)
        for dim in asked.dims
        for case in _cases(dim)
    }
    worst = max(found.error for row in agreement.values() for found in row.values())
    results = {
        "goal_relative": GOAL,
        "worst_relative": worst,
        "goal_met": worst <= GOAL,
        "agreement": {
            case: {by: found._asdict() for by, found in row.items()}
            for case, row in agreement.items()
        },
        "spot_values": _spots(),
        "points_of_a_chain": asked.points,
        "seconds": round(time.perf_counter() - started, 1),
    }
    record("nao_reference", results, seed=asked.seed)


def _cases(dim: int) -> list[_Case]:
    """The chi law, and a fitted one as inverted noise has it: 6 % inside, twice as wide."""
    mean, std = 0.943 * float(np.sqrt(dim - 1)), 1.4
    return [
        _Case(ChiPrior(dim), ChiLaw(dim)),
        _Case(FittedPrior(mean, std), GaussLaw(mean, std)),
    ]


def _compare(case: _Case, rng: np.random.Generator, points: int, random: int) -> dict[str, _Worst]:
    mode = case.law.likeliest
    grid = [_Pair(a * mode, b * mode, angle) for a, b in ENDS for angle in ANGLES]
    ends = mode * rng.uniform(0.7, 1.3, (random, 2))
    angles = np.exp(rng.uniform(np.log(ANGLES[0]), np.log(np.pi), random))
    drawn = [
        _Pair(float(r0), float(r1), float(angle))
        for (r0, r1), angle in zip(ends, angles, strict=True)
    ]

    def chain(law: AbstractLaw, r0: float, r1: float, angle: float) -> float:
        return reference_length(law, r0, r1, angle, points)

    return {
        "minimisation": _worst(case, grid, chain),
        "quadrature": _worst(case, grid + drawn, quadrature_length),
    }


def _worst(
    case: _Case,
    pairs: Sequence[_Pair],
    reference: Callable[[AbstractLaw, float, float, float], float],
) -> _Worst:
    metric, mode = NaoMetric(case.prior), case.law.likeliest
    found = []
    for pair in pairs:
        expected = reference(case.law, *pair)
        found.append((abs(float(metric.from_polar(*pair)) / expected - 1.0), pair))
    error, pair = max(found)
    at = [round(value, 6) for value in (pair.r0 / mode, pair.r1 / mode, pair.angle)]
    return _Worst(error, at, len(pairs))


def _spots() -> list[dict[str, float]]:
    rows = []
    for dim, offsets, angle, expected in SPOTS:
        mode = float(np.sqrt(dim - 1))
        pair = _Pair(mode + offsets[0], mode + offsets[1], angle)
        rows.append(
            {
                "dim": dim,
                "expected": expected,
                "ours": float(NaoMetric(ChiPrior(dim)).from_polar(*pair)),
                "minimisation": reference_length(dim, *pair, points=300),
                "quadrature": quadrature_length(dim, *pair),
            }
        )
    return rows


if __name__ == "__main__":
    main()
