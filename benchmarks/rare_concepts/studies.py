"""The studies: methods, shots, samplers and radii, each a table of cells."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.rare_concepts.cast import Cast, Kind, cell_seed
from benchmarks.rare_concepts.judges import Judges, say
from benchmarks.rare_concepts.plan import POOL, SEED, Plan
from benchmarks.rare_concepts.recipes import (
    METHODS,
    PERTURBATION_RAD,
    angle_to_nearest,
    choose_points,
    make_noise,
    perturb,
)
from benchmarks.rare_concepts.samplers import samplers
from benchmarks.rare_concepts.scores import Made, Vectors
from latentdb.geometry import restore_norm

NEAR = f"seed turned by {PERTURBATION_RAD} rad"
FAR = "seed turned as far as slerp"
MIXED = "NAO's directions, slerp's norms"
SEEDS = "the seeds themselves"
REAL = "other real faces"
RANDOM = "fresh noise"

Cells = dict[str, list[list[Made]]]
"""By name: one list per concept of one `Made` per draw."""


def main_noise(cast: Cast, plan: Plan) -> dict[str, list[list[Vectors]]]:
    """Noise of the main table by method, concept and draw, with the controls."""
    noise: dict[str, list[list[Vectors]]] = {name: [] for name in (*METHODS, MIXED, NEAR, FAR)}
    for place, kind in enumerate(cast.kinds):
        say(f"make noise of {kind.concept.name}")
        rows = [_cell_noise(place, kind, d * plan.shots, cast, plan) for d in range(plan.draws)]
        for name, made in noise.items():
            made.append([row[name] for row in rows])
    return noise


def _cell_noise(place: int, kind: Kind, first: int, cast: Cast, plan: Plan) -> dict[str, Vectors]:
    seeds = kind.noise[first : first + plan.shots]
    rng = cell_seed(place, first, plan.shots)
    points = choose_points(plan.shots, plan.faces, rng)
    made = {name: make_noise(name, seeds, points, cast.priors) for name in METHODS}
    slerp_norms = np.linalg.norm(made["slerp + karcher"], axis=1)
    made[MIXED] = restore_norm(made["NAO, chi"], slerp_norms)
    nearest, angles = angle_to_nearest(made["slerp + karcher"], seeds)
    turns = np.full(len(points), PERTURBATION_RAD)
    made[NEAR] = perturb(seeds[np.arange(len(points)) % plan.shots], turns, rng)
    made[FAR] = perturb(seeds[nearest], angles, rng)
    return made


def judge_main(
    judges: Judges, cast: Cast, plan: Plan, noise: dict[str, list[list[Vectors]]]
) -> tuple[Cells, dict[str, Any]]:
    """Cells of the main table, baselines included, and the pictures of each method's first cell."""
    cells: Cells = {}
    pictures: dict[str, Any] = {}
    for name, by_kind in noise.items():
        say(f"decode {name}")
        cells[name], pictures[name] = [], []
        for kind, rows in zip(cast.kinds, by_kind, strict=True):
            pixels = judges.decode(np.concatenate(rows))
            pictures[name].append(pixels[: plan.faces])
            cells[name].append(
                [
                    judges.judge(part, kind.concept, noise=row, seeds=_near(kind, draw, plan))
                    for draw, (part, row) in enumerate(
                        zip(np.split(pixels, plan.draws), rows, strict=True)
                    )
                ]
            )
    return cells | _baselines(judges, cast, plan, pictures), pictures


def _near(kind: Kind, draw: int, plan: Plan) -> Vectors:
    return kind.ssl[draw * plan.shots : (draw + 1) * plan.shots]


def _baselines(judges: Judges, cast: Cast, plan: Plan, pictures: dict[str, Any]) -> Cells:
    """Seeds, other real faces and fresh noise, cut into as many draws."""
    say("decode fresh noise")
    dim = cast.general.shape[1]
    rng = np.random.default_rng(SEED)
    fresh = rng.standard_normal((plan.random, dim), dtype=np.float32)
    random = judges.decode(fresh)
    cells: Cells = {SEEDS: [], REAL: [], RANDOM: []}
    for kind in cast.kinds:
        n_seeds = plan.draws * plan.shots
        for name, pixels, noise in (
            (SEEDS, kind.rebuilt[:n_seeds], kind.noise[:n_seeds]),
            (REAL, kind.floor, None),
            (RANDOM, random, fresh),
        ):
            parts = np.array_split(np.arange(len(pixels)), plan.draws)
            rows = [
                judges.judge(
                    pixels[part],
                    kind.concept,
                    noise=None if noise is None else noise[part],
                    seeds=None if name == SEEDS else _near(kind, draw, plan),
                )
                for draw, part in enumerate(parts)
            ]
            cells[name].append(rows)
    pictures[SEEDS] = [kind.rebuilt[: plan.shots] for kind in cast.kinds]
    pictures[RANDOM] = [random[: plan.faces] for _ in cast.kinds]
    return cells


def judge_shots(judges: Judges, cast: Cast, plan: Plan, main: Cells) -> dict[int, Cells]:
    """Cells by number of seeds, of the methods alone; the main table's are the same seeds."""
    shared = slice(0, plan.few_draws * POOL // plan.shots, POOL // plan.shots)
    found = {plan.shots: _part(main, shared, plan.few_faces)}
    for shots in plan.few:
        say(f"{shots} shots")
        found[shots] = {name: [] for name in METHODS}
        for place in range(len(cast.kinds)):
            for name in METHODS:
                found[shots][name].append(
                    [
                        _few_cell(judges, cast, plan, (place, draw * POOL, shots), name)
                        for draw in range(plan.few_draws)
                    ]
                )
    return dict(sorted(found.items()))


def _part(cells: Cells, draws: slice, n: int) -> Cells:
    """The methods' cells of some draws, and the first `n` faces of each."""
    return {
        name: [[cell.first(n) for cell in rows[draws]] for rows in cells[name]] for name in METHODS
    }


def _few_cell(
    judges: Judges, cast: Cast, plan: Plan, cell: tuple[int, int, int], name: str
) -> Made:
    place, first, shots = cell
    kind = cast.kinds[place]
    chosen = slice(first, first + shots)
    points = choose_points(shots, plan.few_faces, cell_seed(*cell))
    noise = make_noise(name, kind.noise[chosen], points, cast.priors)
    pixels = judges.decode(noise)
    return judges.judge(pixels, kind.concept, noise=noise, seeds=kind.ssl[chosen])


def judge_samplers(
    judges: Judges, cast: Cast, plan: Plan, noise: dict[str, list[list[Vectors]]], main: Cells
) -> tuple[dict[str, Cells], dict[str, dict[str, float]]]:
    """Cells by sampler and method, and how well each sampler rebuilds the seeds."""
    decoders = samplers(judges.backbone, judges.memo)
    seeds = np.concatenate([kind.noise[:4] for kind in cast.kinds])
    target = judges.rebuild(np.concatenate([kind.pixels[:4] for kind in cast.kinds]))
    trips = {}
    found = {"DDIM 20": _part(main, slice(plan.sampler_draws), plan.sampler_faces)}
    for sampler, decode in decoders.items():
        say(f"sampler {sampler}")
        trips[sampler] = _trip(decode(seeds), target)
        if sampler in ("DEIS 20", "Heun 10, first step DDIM"):
            found[sampler] = {
                name: _sampled(judges, cast, plan, noise[name], decode) for name in METHODS
            }
    return found, trips


def _sampled(
    judges: Judges,
    cast: Cast,
    plan: Plan,
    noise: list[list[Vectors]],
    decode: Callable[[Vectors], Any],
) -> list[list[Made]]:
    cells = []
    for kind, rows in zip(cast.kinds, noise, strict=True):
        kept = [row[: plan.sampler_faces] for row in rows[: plan.sampler_draws]]
        parts = np.split(decode(np.concatenate(kept)), len(kept))
        cells.append(
            [
                judges.judge(part, kind.concept, noise=row, seeds=_near(kind, draw, plan))
                for draw, (part, row) in enumerate(zip(parts, kept, strict=True))
            ]
        )
    return cells


def _trip(made: Any, target: Any) -> dict[str, float]:
    """PSNR in dB against the autoencoder's own reconstruction, over the seeds."""
    errors = np.square(made.astype(np.float64) - target).mean(axis=(1, 2, 3))
    decibels = 10 * np.log10(255**2 / np.maximum(errors, 1e-3))
    return {
        "median_db": round(float(np.median(decibels)), 2),
        "lowest_db": round(float(decibels.min()), 2),
    }


def judge_radii(
    judges: Judges, cast: Cast, plan: Plan, noise: dict[str, list[list[Vectors]]]
) -> dict[float, list[list[Made]]]:
    """The directions of `slerp + karcher`, decoded at set norms."""
    found: dict[float, list[list[Made]]] = {}
    for radius in plan.radii:
        say(f"radius {radius:g}")
        found[radius] = []
        for kind, rows in zip(cast.kinds, noise["slerp + karcher"], strict=True):
            noise_of_kind = np.concatenate(rows)
            places = np.linspace(0, len(noise_of_kind) - 1, plan.radius_faces).astype(int)
            chosen = noise_of_kind[places]
            units = chosen / np.linalg.norm(chosen, axis=1, keepdims=True)
            scaled = (radius * units).astype(np.float32)
            found[radius].append([judges.judge(judges.decode(scaled), kind.concept, noise=scaled)])
    return found
