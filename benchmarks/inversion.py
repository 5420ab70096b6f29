"""Inverters against one another at equal numbers of network calls, on faces no model saw.

    python -m benchmarks.inversion                 the bundled generators
    python -m benchmarks.inversion --quick         everything once, on sizes that say nothing

Round trips are measured against the autoencoder's reconstruction, on the first faces; whiteness of
the noise and what probes read of it on more of them, of some ways at the least number of calls.
Times are those of one processor, in turns. Writes results/inversion.json, the tables of
docs/inversion.md and docs/images/inversion.png; half an hour of an idle core.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

from benchmarks._arguments import make_parser
from benchmarks._record import ROOT, record, write_section
from benchmarks.inversion_measures import Bench, Figures
from benchmarks.inversion_sheet import save_sheet
from benchmarks.inversion_tables import section
from benchmarks.rare_concepts.memo import Memo
from latentdb.zoo.faces import EVALUATION_SEED
from latentdb.zoo.measures import held_out_faces

SPACES = ("faces-noise", "faces-blind")
SHEET = ROOT / "docs" / "images" / "inversion.png"
LONG = ("ddim", "fixed_point", "fireflow")
STUDIED = ("ddim", "fixed_point", "belm", "fireflow", "fireflow, forward_start")
Options = Mapping[str, Any]


@final
@dataclass(frozen=True)
class Plan:
    """Sizes: faces of probes and whiteness, of round trips, of times; calls a picture."""

    faces: int = 600
    trips: int = 100
    timed: int = 8
    rounds: int = 5
    calls: tuple[int, int] = (20, 40)


QUICK = Plan(faces=3, trips=3, timed=1, rounds=1, calls=(4, 8))


def ways(calls: int) -> dict[str, Options]:
    """Every way to invert, with the steps that so many calls a picture are enough for."""
    steps = {
        "ddim": calls,
        "belm": calls - 1,
        "midpoint": calls // 2,
        "fireflow": calls - 1,
        "heun": calls // 2,
        "deis": calls - 1,
    }
    plain = {name: {"inverter": name, "steps": n} for name, n in steps.items()}
    return {
        "ddim": plain.pop("ddim"),
        "fixed_point": _fixed_point(calls),
        **plain,
        "deis, order 3": {**plain["deis"], "order": 3},
    }


def beside(calls: int) -> dict[str, Options]:
    """What options change of some of them."""
    every = ways(calls)
    return {
        "ddim, cleaner": {**every["ddim"], "convention": "cleaner"},
        "fixed_point, plain": {**every["fixed_point"], "anderson": False},
        "belm, pair=false": {**every["belm"], "pair": False},
    }


def started(calls: int) -> dict[str, Options]:
    """Ways to invert whose first steps are forward diffusion."""
    every = ways(calls)
    return {
        f"{name}, forward_start": {**every[name], "forward_start": 0.03}
        for name in ("fireflow", "ddim", "fixed_point")
    }


def run(space: str, plan: Plan, memo: Memo) -> Figures:
    """Everything of one generator; more of the first than of the others."""
    bench = Bench(space, held_out_faces(plan.faces), trips=plan.trips, memo=memo)
    is_first = space == SPACES[0]
    found: Figures = {"ways": {}}
    least, more = plan.calls
    asked = {
        least: {**ways(least), **beside(least), **(started(least) if is_first else {})},
        more: {name: way for name, way in ways(more).items() if is_first or name in LONG},
    }
    for calls, by_name in asked.items():
        found["ways"][str(calls)] = {}
        for name, options in by_name.items():
            say(f"{space}, {calls} calls, {name}")
            is_studied = is_first and calls == least and name in STUDIED
            rows = plan.faces if is_studied else plan.trips
            found["ways"][str(calls)][name] = bench.measure(options, rows)
    half = bench.measure(ways(least)["belm"], plan.trips, float16=True)
    found["ways"][str(least)]["belm, store=float16"] = half
    say(f"{space}, times")
    found["seconds"] = bench.seconds(ways(least), plan.timed, plan.rounds)
    if is_first and plan.faces > plan.trips:
        say(f"{space}, noise of forward starts drawn anew")
        found["drawn_anew"] = bench.drawn_anew(ways(least)["fireflow"], plan.faces)
        found["published_belm_rms"] = {
            str(last): bench.published_belm(least, last) for last in (None, 950)
        }
        save_sheet(SHEET if plan is not QUICK else None, bench, ways(least))
    return found


def _fixed_point(calls: int) -> Options:
    """Few steps of two calls each, or as many steps as the tolerance leaves calls for."""
    options: dict[str, Any] = {"inverter": "fixed_point"}
    if calls < 40:
        return {**options, "steps": calls // 2, "iterations": 2, "tolerance": 0.0}
    return {**options, "steps": round(0.85 * calls), "tolerance": 5e-3}


def say(text: str) -> None:
    """Progress, on stderr."""
    print(text, file=sys.stderr, flush=True)


def main() -> None:
    """Measure, record, and write the tables."""
    parser = make_parser(__doc__)
    parser.add_argument("--memo", type=Path, help="folder to keep noise in, to go on with")
    parser.add_argument("--quick", action="store_true", help="small, kept nowhere")
    asked = parser.parse_args()
    plan = QUICK if asked.quick else Plan()
    memo = Memo(asked.memo)
    results = {"faces": plan.faces, "trips": plan.trips, "timed": plan.timed}
    results |= {"spaces": {space: run(space, plan, memo) for space in SPACES}}
    if asked.quick:
        print(json.dumps(results, indent=2))
        print(section(results))
        return
    record("inversion", results, seed=EVALUATION_SEED)
    write_section("inversion.md", "inversion", section(results))


if __name__ == "__main__":
    main()
