"""The generated parts of docs/blind.md."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from benchmarks.blind_measures import FAR, NEAR

Row = Mapping[str, Any]
_EXACT_COLUMNS = (
    ("told velocity", "velocity", "flow", False),
    ("blind velocity", "velocity", "flow", True),
    ("told ε", "epsilon", "ddpm", False),
    ("blind ε", "epsilon", "ddpm", True),
)
_CROSSED_COLUMNS = (
    ("told velocity", "velocity", "ddpm", False),
    ("blind velocity", "velocity", "ddpm", True),
    ("told ε", "epsilon", "flow", False),
    ("blind ε", "epsilon", "flow", True),
)
_TWINS = ("velocity", "blind-velocity", "epsilon", "blind-epsilon")


def ring_section(results: Mapping[str, Any]) -> str:
    """Tables of a result of `benchmarks.blind`."""
    floor = results["floor"]["energy_distance"]
    lines = [
        "### Exact fields",
        "",
        f"Share of runs that end within {NEAR:g} of a stored point, and in brackets the median "
        f"distance; *lost* is farther than {FAR:g}.",
        "",
        *_exact(results["exact"], _EXACT_COLUMNS),
        "",
        "The same with each target on the other's path, velocity on DDPM's and ε on the straight "
        "one:",
        "",
        *_exact(results["exact"], _CROSSED_COLUMNS),
        "",
        "Blind velocity on the straight path that goes on for a quarter of its time when that is "
        "over:",
        "",
        *_runs_on(results),
        "",
        "### Trained networks",
        "",
        "Energy distance to the ring in the plane (two draws of the ring: up to "
        f"{floor:.3f}), share of runs that end within {NEAR:g} of the ring in all dimensions, and "
        "the median distance off the plane.",
        "",
        *_trained(results["trained"]),
        "",
        "### Drift errors",
        "",
        "Root mean square of a coordinate of |ν|·(f − f_t) over noised codes. *Formula* over "
        "*exact*: median over all times, and lowest to highest; correlation of the logarithms "
        "over states, median over times.",
        "",
        *_gap_summary(results["gaps"]),
        "",
        "By time, in 32 dimensions; *straight* is the error of dy/dτ in y = u/(a+b):",
        "",
        *_gaps([row for row in results["gaps"] if row["dim"] == 32]),
    ]
    return "\n".join(lines)


def faces_section(results: Mapping[str, Any]) -> str:
    """Tables of a result of `benchmarks.blind_twins`."""
    lines = [
        "Fréchet distance in faces-ssl / in faces-clip (×1,000), and the share of samples as near "
        "to a held-out face as 99 % of other held-out faces are:",
        "",
        *_qualities(results["qualities"]),
        "",
        f"A sample whose code is longer than twice the longest held-out code is *lost*: "
        f"{_lost(results['qualities'])}.",
        "",
        "Norms of the codes that come out, over √1,024: median, and 5 % to 95 % (held-out codes: "
        f"{_spread(results['code_scales'])}):",
        "",
        *_scales(results["qualities"]),
        "",
        "Norms on the way in 50 steps, over what codes noised to the level would have:",
        "",
        *_way(results["qualities"], results["code_scale"]),
        "",
        "Drift error of the blind twin against the told one at the same states, |ν|·(f − f_t), "
        "beside the formula's; *straight* is the error of dy/dτ:",
        "",
        *_drifts(results["drifts"]),
    ]
    return "\n".join(lines)


def _table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    head = [f"| {' | '.join(columns)} |", f"| {' | '.join('---' for _ in columns)} |"]
    return [*head, *(f"| {' | '.join(row)} |" for row in rows)]


def _values(rows: Sequence[Row], name: str) -> list[Any]:
    """Different values of a column, in order."""
    return list(dict.fromkeys(row[name] for row in rows))


def _one(rows: Sequence[Row], **wanted: Any) -> Row:
    """The row of these values."""
    found = _find(rows, **wanted)
    assert found is not None, wanted
    return found


def _find(rows: Sequence[Row], **wanted: Any) -> Row | None:
    """The row of these values, if there is one."""
    some = (row for row in rows if all(row[key] == value for key, value in wanted.items()))
    return next(some, None)


def _exact(rows: Sequence[Row], columns: Sequence[tuple[str, str, str, bool]]) -> list[str]:
    body = []
    for dim in _values(rows, "dim"):
        for steps in _values(rows, "steps"):
            cells = [
                _find(rows, dim=dim, steps=steps, prediction=p, path=path, is_blind=blind)
                for _, p, path, blind in columns
            ]
            if all(cells):
                body.append([str(dim), str(steps), *(_ends(cell) for cell in cells if cell)])
    return _table(["D", "steps", *(column[0] for column in columns)], body)


def _ends(row: Row) -> str:
    return f"{row['near']:.2f} ({row['median']:.3f}{_lost_share(row)})"


def _lost_share(row: Row) -> str:
    """Nothing where no run is lost."""
    return f", {100 * row['far']:.1f} % lost" if row["far"] else ""


def _runs_on(results: Mapping[str, Any]) -> list[str]:
    body = []
    for after in results["runs_on"]:
        before = _one(
            results["exact"],
            dim=after["dim"],
            steps=after["steps"],
            prediction="velocity",
            path="flow",
            is_blind=True,
        )
        pair = [(before[name], after[name]) for name in ("near", "ninth_decile")]
        body.append([str(after["dim"]), *(f"{a:.2f} → {b:.2f}" for a, b in pair)])
    return _table(["D", f"within {NEAR:g}", "nine of ten within"], body)


def _trained(rows: Sequence[Row]) -> list[str]:
    kinds = _values(rows, "kind")
    body = []
    for dim in _values(rows, "dim"):
        for steps in _values(rows, "steps"):
            cells = [_one(rows, dim=dim, steps=steps, kind=kind) for kind in kinds]
            body.append([str(dim), str(steps), *map(_trained_cell, cells)])
    return _table(["D", "steps", *(kind.replace("epsilon", "ε") for kind in kinds)], body)


def _trained_cell(row: Row) -> str:
    return (
        f"{row['energy_distance']:.3f}, {row['near']:.2f}, {row['off_plane']:.2f}{_lost_share(row)}"
    )


def _gap_summary(rows: Sequence[Row]) -> list[str]:
    body = []
    for dim in _values(rows, "dim"):
        for prediction in _values(rows, "prediction"):
            some = [row for row in rows if (row["dim"], row["prediction"]) == (dim, prediction)]
            ratios = [row["formula"] / row["exact"] for row in some if row["exact"] > 1e-3]
            learnt = [row["trained"] / row["exact"] for row in some if row["exact"] > 1e-3]
            tied = [row["correlation"] for row in some if row["correlation"] is not None]
            worst = max(some, key=lambda row: row["exact"] / row["nu"] * row["straight"])
            body.append(
                [
                    str(dim),
                    prediction.replace("epsilon", "ε"),
                    _range(ratios),
                    f"{np.median(tied):.3f}",
                    _range(learnt),
                    f"{worst['exact'] / worst['nu'] * worst['straight']:.2f} at "
                    f"{worst['flow_time']:.2f}",
                ]
            )
    columns = ["D", "predicts", "formula/exact", "correlation", "network/exact"]
    return _table([*columns, "largest error of dy/dτ, at b/(a+b)"], body)


def _range(values: Sequence[float]) -> str:
    return f"{np.median(values):.2f} ({min(values):.2f}–{max(values):.2f})"


def _gaps(rows: Sequence[Row]) -> list[str]:
    straightened = [
        {**row, "straightened": row["exact"] / row["nu"] * row["straight"]} for row in rows
    ]
    columns = {"exact": "exact", "formula": "formula", "network": "trained"}
    return _by_time(straightened, {**columns, "straight": "straightened"})


def _by_time(rows: Sequence[Row], columns: Mapping[str, str]) -> list[str]:
    """Figures of both predictions at every time; `columns` says which, by their heading."""
    body = []
    for time in _values(rows, "time"):
        cells = [f"{time:g}"]
        for prediction in ("velocity", "epsilon"):
            row = _one(rows, time=time, prediction=prediction)
            cells += [f"{row[name]:.3f}" for name in columns.values()]
        body.append(cells)
    names = [f"{prediction}: {name}" for prediction in ("velocity", "ε") for name in columns]
    return _table(["t", *names], body)


def _qualities(rows: Sequence[Row]) -> list[str]:
    some, body = _of_samples(rows), []
    for count in _values(some, "steps"):
        cells = [_one(some, name=name, steps=count) for name in _TWINS]
        floor = _one(rows, name="held out", runs=cells[0]["runs"])
        body.append([str(count), str(cells[0]["runs"]), *map(_quality, [floor, *cells])])
    names = [name.replace("epsilon", "ε") for name in _TWINS]
    return _table(["steps", "samples", "as many held-out faces", *names], body)


def _of_samples(rows: Sequence[Row]) -> list[Row]:
    """Those of samples, not of held-out faces."""
    return [row for row in rows if "steps" in row]


def _quality(row: Row) -> str:
    distances = " / ".join(
        f"{1000 * row[f'frechet_{name}']:.0f}" for name in ("faces-ssl", "faces-clip")
    )
    return f"{distances}, {row['plausible']:.2f}"


def _lost(rows: Sequence[Row]) -> str:
    found = [
        f"{row['lost']:.0%} of {row['name'].replace('epsilon', 'ε')} at {row['steps']} steps"
        for row in _of_samples(rows)
        if row["lost"]
    ]
    return ", ".join(found) or "none is"


def _scales(rows: Sequence[Row]) -> list[str]:
    some = _of_samples(rows)
    body = [
        [str(steps), *(_spread(_one(some, name=n, steps=steps)["code_scales"]) for n in _TWINS)]
        for steps in _values(some, "steps")
    ]
    return _table(["steps", *(name.replace("epsilon", "ε") for name in _TWINS)], body)


def _spread(quantiles: Sequence[float]) -> str:
    low, median, high = quantiles
    return f"{median:.2f} ({low:.2f}–{high:.2f})"


def _way(rows: Sequence[Row], code_scale: float) -> list[str]:
    """Root mean squares of the states of all runs, by the flow time nearest to a few."""
    body = []
    for time in (0.99, 0.9, 0.75, 0.5, 0.25, 0.0):
        cells = [f"{time:g}"]
        for name in _TWINS:
            scales = np.array(_one(_of_samples(rows), name=name, steps=50)["scales"])
            flow_time, found = scales[np.abs(scales[:, 0] - time).argmin()]
            # Of a straight path a + b = 1, of DDPM's a² + b² = 1.
            total = 1.0 if name.endswith("velocity") else np.hypot(1 - flow_time, flow_time)
            expected = np.hypot((1 - flow_time) * code_scale, flow_time) / total
            cells.append(f"{found / expected:.2f}")
        body.append(cells)
    return _table(["b/(a+b)", *(name.replace("epsilon", "ε") for name in _TWINS)], body)


def _drifts(rows: Sequence[Row]) -> list[str]:
    columns = {"measured": "measured", "formula": "formula", "straight": "measured_straight"}
    return _by_time(rows, columns)
