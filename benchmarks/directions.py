"""Directions of drawn faces in three spaces, by every source, on faces no model was trained on.

    python -m benchmarks.directions --n 5000 --cache build/stitch

Takes the database of `benchmarks.stitch` (made where it is not there), fits directions of twelve
attributes by every method, of texts, of single pairs and of few examples, makes them orthogonal
and carries them between spaces, and writes results/directions.json and the tables of
docs/directions.md. Scores are on held-out faces that neither directions nor maps were fitted on.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks._arguments import make_parser
from benchmarks._record import ROOT, record, write_section
from benchmarks.directions_measures import (
    KINDS,
    METHODS,
    SIZES,
    SPACES,
    carried,
    examples,
    load,
    orthogonality,
    pairs,
    probes,
    texts,
)
from benchmarks.stitch import faces_database
from latentdb.zoo.faces import ATTRIBUTES

Rows = Sequence[Mapping[str, Any]]


def main() -> None:
    """Measure, record, and write the tables."""
    parser = make_parser(__doc__)
    parser.add_argument("--n", type=int, default=5000, help="faces; noise comes at 13 a second")
    parser.add_argument("--cache", type=Path, default=ROOT / "build" / "stitch")
    parser.add_argument("--pairs", type=int, default=50, help="single pairs of each attribute")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    faces = load(faces_database(options.cache, options.n), seed=options.seed)
    parts: dict[str, Callable[[], list[dict[str, Any]]]] = {
        "probes": lambda: probes(faces),
        "texts": lambda: texts(faces),
        "pairs": lambda: pairs(faces, n_pairs=options.pairs),
        "examples": lambda: examples(faces, n_draws=5),
        "orthogonality": lambda: orthogonality(faces),
        "carried": lambda: carried(faces),
    }
    results: dict[str, Any] = {"n": len(faces.ids), "n_held_out": int(faces.is_test.sum())}
    for name, measure in parts.items():
        print(name, file=sys.stderr)
        results[name] = measure()
    whole = section(results)
    # Of thousands of pairs and texts only each attribute's means are kept.
    for name in ("texts", "pairs", "examples"):
        results[name] = _grouped(results[name], (*_KEYS, "attribute"))
    results["carried"] = _grouped(results["carried"], _KEYS)
    results["orthogonality"] = [_values_alone(row) for row in results["orthogonality"]]
    record("directions", results, seed=options.seed)
    write_section("directions.md", "directions", whole)


_KEYS = ("space", "source", "target", "method", "route", "kind", "against", "treatment", "size")


def _grouped(rows: Rows, keys: Sequence[str]) -> list[dict[str, Any]]:
    """Means of rows that have all of `keys` in common."""
    groups: dict[tuple[Any, ...], list[Mapping[str, Any]]] = {}
    for row in rows:
        groups.setdefault(tuple(row.get(key) for key in keys), []).append(row)
    found = []
    for values, group in groups.items():
        named = {key: value for key, value in zip(keys, values, strict=True) if value}
        cosines = [row["cosine"] for row in group if "cosine" in row]
        if cosines:
            named["cosine"] = {
                kind: float(np.mean([one[kind] for one in cosines])) for kind in cosines[0]
            }
        found.append({**named, "n": len(group), **_success(group)})
    return found


def _values_alone(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row of orthogonality without intervals; its correlations are those after."""
    cost = row["cost"]
    taken = {} if cost is None else cost["nuisances"][0]
    named = ("space", "method", "attribute", "nuisance", "kind")
    return {
        **{name: row[name] for name in named},
        "auc": round(row["auc"]["value"], 4),
        **{name: round(row[name], 4) for name in ("effect", "leak")},
        **{
            name: round(taken[name]["after"]["value"], 4) for name in _CORRELATIONS if name in taken
        },
    }


def _success(rows: Rows) -> dict[str, float]:
    """Mean AUC, and the shares whose interval lies above .5 and above .8."""
    aucs = [row["auc"] for row in rows]
    if not isinstance(aucs[0], Mapping):
        return {"auc": float(np.mean(aucs))}
    lows = np.array([auc["low"] for auc in aucs])
    return {
        "auc": float(np.mean([auc["value"] for auc in aucs])),
        "above_half": float((lows > 0.5).mean()),
        "above_eight_tenths": float((lows > 0.8).mean()),
    }


def section(results: Mapping[str, Any]) -> str:
    """The generated part of docs/directions.md."""
    lines = [
        f"{results['n']} faces, {results['n_held_out']} of them held out; intervals are 95 %, over",
        "held-out faces.",
        "",
        "### A label",
        "",
        *_probe_table(results["probes"]),
        "",
        "### Two texts, one pair, a few examples",
        "",
        *_source_table(results),
        "",
        *_example_table(results["examples"]),
        "",
        "### Leaving others alone",
        "",
        *_orthogonality_table(results["orthogonality"]),
        "",
        *_pair_table(results["orthogonality"]),
        "",
        "### From one space to another",
        "",
        *_carried_table(results["carried"]),
    ]
    return "\n".join(lines)


def _where(rows: Iterable[Mapping[str, Any]], **values: Any) -> list[Mapping[str, Any]]:
    return [row for row in rows if all(row.get(name) == value for name, value in values.items())]


def _short(space: str) -> str:
    return space.removeprefix("faces-")


def _table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    head = [f"| {' | '.join(columns)} |", f"| {' | '.join('---' for _ in columns)} |"]
    return [*head, *(f"| {' | '.join(row)} |" for row in rows)]


def _interval(auc: Mapping[str, float]) -> str:
    return f"{auc['value']:.3f} [{auc['low']:.3f}, {auc['high']:.3f}]"


def _probe_table(rows: Rows) -> list[str]:
    """A row for each attribute and one for the mean, a column for each space and method."""
    columns = [(space, method) for space in SPACES for method in METHODS]
    body = []
    for name in ATTRIBUTES:
        cells = [_where(rows, space=s, method=m, attribute=name)[0]["auc"] for s, m in columns]
        body.append([name, *(_interval(auc) for auc in cells)])
    groups = [_where(rows, space=s, method=m) for s, m in columns]
    body.append(["**mean**", *(f"**{_success(group)['auc']:.3f}**" for group in groups)])
    beats = [sum(row["auc"]["low"] > 0.5 for row in group) for group in groups]
    body.append(["beat chance", *(f"{n} of {len(ATTRIBUTES)}" for n in beats)])
    names = [f"{_short(space)}, {method}" for space, method in columns]
    return ["AUC:", "", *_table(["attribute", *names], body)]


def _source_table(results: Mapping[str, Any]) -> list[str]:
    """Mean AUC and success rates of texts and of pairs in each space."""
    groups: list[tuple[str, list[Mapping[str, Any]]]] = []
    for treatment, against in (("Σ", "the opposite"), ("Σ", "a face"), ("none", "the opposite")):
        note = "" if treatment == "Σ" else ", without Σ"
        rows = _where(results["texts"], treatment=treatment, against=against)
        groups.append((f"a text against {against}{note}", rows))
    for kind in ("alike", "random", "alike, from CLIP", "random, from CLIP"):
        groups.append((f"one pair, {kind}", _where(results["pairs"], kind=kind)))
    body = []
    for name, rows in groups:
        cells = []
        for space in SPACES:
            ones = _where(rows, space=space)
            if not ones:
                cells.append("–")
                continue
            score = _success(ones)
            shares = f"{score['above_half']:.0%}, {score['above_eight_tenths']:.0%}"
            cells.append(f"{score['auc']:.3f} ({shares})")
        body.append([name, str(len(_where(rows, space="faces-noise"))), *cells])
    return [
        "Mean AUC, and in brackets the shares whose interval lies above .5 and above .8:",
        "",
        *_table(["source", "tried", *map(_short, SPACES)], body),
    ]


def _example_table(rows: Rows) -> list[str]:
    body = [
        [
            str(size),
            *(f"{_success(_where(rows, size=size, space=space))['auc']:.3f}" for space in SPACES),
        ]
        for size in SIZES
    ]
    return ["Mean AUC:", "", *_table(["liked, and as many disliked", *map(_short, SPACES)], body)]


def _orthogonality_table(rows: Rows) -> list[str]:
    """Medians over the correlated pairs of attributes, both ways round."""
    body = []
    for space in SPACES:
        for method in ("mean_difference", "lda"):
            for kind in ("none", *KINDS):
                group = _where(rows, space=space, method=method, kind=kind)
                after = _where(rows, space=space, method=method, kind=KINDS[0])
                figures = [
                    f"{_median(row['auc']['value'] for row in group):.3f}",
                    *(_correlation(group, after, name) for name in _CORRELATIONS),
                    f"{_median(abs(row['leak']) for row in group):.3f}",
                    f"{_median(row['effect'] for row in group):.2f}",
                ]
                body.append([_short(space), method, kind, *figures])
    columns = ["AUC", "correlation of scores", "with the other's label", "leak", "effect"]
    n = len(_where(rows, space=SPACES[0], method="lda", kind="none"))
    return [
        f"Medians of the {n} ordered pairs of attributes that are correlated on purpose:",
        "",
        *_table(["space", "method", "orthogonality", *columns], body),
    ]


_CORRELATIONS = ("correlation", "label_correlation")


def _correlation(group: Rows, measured: Rows, name: str) -> str:
    """Median size of a correlation; without orthogonality what it was before."""
    which = "after" if group[0]["cost"] else "before"
    rows = group if group[0]["cost"] else measured
    values = (abs(row["cost"]["nuisances"][0][name][which]["value"]) for row in rows)
    return f"{_median(values):.3f}"


def _pair_table(rows: Rows) -> list[str]:
    """Each correlated pair in noise space, by the default."""
    body = []
    for row in _where(rows, space="faces-noise", method="mean_difference", kind=KINDS[0]):
        plain = _where(
            rows,
            space="faces-noise",
            method="mean_difference",
            kind="none",
            attribute=row["attribute"],
            nuisance=row["nuisance"],
        )[0]
        taken = row["cost"]["nuisances"][0]
        auc = row["cost"]["auc"]
        change = auc["difference"]
        body.append(
            [
                f"{row['attribute']} without {row['nuisance']}",
                f"{auc['before']['value']:.3f} → {auc['after']['value']:.3f} "
                f"[{change['low']:+.3f}, {change['high']:+.3f}]",
                *(
                    f"{taken[name]['before']['value']:+.2f} → {taken[name]['after']['value']:+.2f}"
                    for name in _CORRELATIONS
                ),
                f"{plain['leak']:+.2f} → {row['leak']:+.2f}",
            ]
        )
    columns = ["AUC [of the change]", "correlation of scores", "with the other's label", "leak"]
    return [
        f"Each of them in noise space, mean_difference, `{KINDS[0]}`:",
        "",
        *_table(["direction", *columns], body),
    ]


def _carried_table(rows: Rows) -> list[str]:
    """Means over attributes of each route, for each pair of spaces and kind of direction."""
    body = []
    routes = list(dict.fromkeys(row["route"] for row in rows))
    for method in ("mean_difference", "lda"):
        for source in SPACES:
            for target in SPACES:
                group = _where(rows, method=method, source=source, target=target)
                if not group:
                    continue
                cells = []
                for route in routes:
                    ones = _where(group, route=route)
                    other = {"mean_difference": "lda", "lda": "mean_difference"}[method]
                    towards = other if route == "as the other kind" else method
                    cosine = np.mean([one["cosine"][towards] for one in ones])
                    cells.append(f"{_success(ones)['auc']:.3f} / {cosine:.2f}")
                body.append([method, f"{_short(source)} → {_short(target)}", *cells])
    return [
        "Mean AUC, and mean cosine to the direction of the same kind fitted there (for the last,",
        "of the other kind):",
        "",
        *_table(["method", "from → to", *routes], body),
    ]


def _median(values: Iterable[float]) -> float:
    return float(np.median(list(values)))


if __name__ == "__main__":
    main()
