"""Rare combinations of attributes, few inverted faces, new noise by each method, judged.

    python -m benchmarks.rare_concepts            some thirteen minutes of processor time
    python -m benchmarks.rare_concepts --quick    everything once, on sizes that say nothing

The result goes to `results/rare_concepts.json`, the picture to `docs/images/rare_concepts.png`;
with `--quick` both go to a temporary folder. Tables of a result:

    python -m benchmarks.rare_concepts --tables
"""

from __future__ import annotations

import json
import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks._arguments import make_parser
from benchmarks._record import RESULTS, ROOT, record
from benchmarks.rare_concepts import studies, summary
from benchmarks.rare_concepts.cast import Cast, make_cast
from benchmarks.rare_concepts.judges import Judges, say
from benchmarks.rare_concepts.memo import Memo
from benchmarks.rare_concepts.plan import QUICK, SEED, Plan
from benchmarks.rare_concepts.sheet import save_sheet
from benchmarks.rare_concepts.tables import tables

NAME = "rare_concepts"
PICTURE = ROOT / "docs" / "images" / f"{NAME}.png"


def main() -> None:
    """Run, or show the tables of the last run."""
    arguments = make_parser(__doc__)
    arguments.add_argument("--quick", action="store_true", help="small, kept nowhere")
    arguments.add_argument("--tables", action="store_true", help="print the last result's tables")
    arguments.add_argument("--keep", type=Path, help="folder; a broken-off run goes on there")
    asked = arguments.parse_args()
    if asked.tables:
        print(tables(json.loads((RESULTS / f"{NAME}.json").read_text(encoding="utf-8"))["results"]))
        return
    memo = Memo(asked.keep)
    if not asked.quick:
        record(NAME, run(Plan(), PICTURE, memo), seed=SEED)
        return
    folder = Path(tempfile.mkdtemp())
    results = run(QUICK, folder / PICTURE.name, memo)
    (folder / f"{NAME}.json").write_text(json.dumps(results, indent=2), encoding="utf-8")
    print(tables(results))
    say(f"kept in {folder}")


def run(plan: Plan, picture: Path, memo: Memo) -> dict[str, Any]:
    """The whole experiment; the sheet of faces is written to `picture`."""
    started = time.perf_counter()
    judges = Judges(plan, memo)
    cast = make_cast(judges, plan)
    noise = studies.main_noise(cast, plan)
    cells, pictures = studies.judge_main(judges, cast, plan, noise)
    save_sheet(picture, pictures, cast)
    sampled, trips = studies.judge_samplers(judges, cast, plan, noise, cells)
    shots = studies.judge_shots(judges, cast, plan, cells)
    radii = studies.judge_radii(judges, cast, plan, noise)
    say("summarise")
    return {
        "plan": asdict(plan),
        "concepts": [asdict(kind.concept) for kind in cast.kinds],
        "judge": {name: asdict(found) for name, found in cast.accuracy.items()},
        "priors": {name: prior.settings() for name, prior in cast.priors.items()},
        "methods": summary.summarise(cells),
        "by_concept": summary.by_concept(cells, cast),
        "by_judge": summary.by_judge(cells),
        "by_kind_of_point": summary.by_kind_of_point(cells),
        "differences": summary.differences(cells),
        "frechet": summary.frechet_distances(cells, cast, judges),
        "shots": {str(n): summary.summarise(found) for n, found in shots.items()},
        "samplers": {name: summary.summarise(found) for name, found in sampled.items()},
        "sampler_round_trips": trips,
        "radii": summary.summarise({f"{radius:g}": rows for radius, rows in radii.items()}),
        "norms": summary.norms(cast),
        "geometry_of_seeds": _angles(cast),
        "seconds": round(time.perf_counter() - started),
        "processor_seconds": round(time.process_time()),
        "arrays_from_an_earlier_run": memo.reused,
    }


def _angles(cast: Cast) -> dict[str, float]:
    """Mean cosine between seeds of one concept, and between faces of the mixture."""
    return {
        "mean_cosine_within_a_concept": summary.mean_cosine([kind.noise for kind in cast.kinds]),
        "mean_cosine_of_the_mixture": summary.mean_cosine([cast.general]),
    }


if __name__ == "__main__":
    main()
