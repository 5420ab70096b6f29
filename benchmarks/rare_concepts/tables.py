"""A result as Markdown tables, as `docs/rare_concepts.md` shows them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

_FRECHET = "Fréchet ×1,000"
_MAIN = (
    ("all attributes", "agreement_all", 3),
    ("each attribute", "agreement_mean", 3),
    ("diversity", "diversity", 3),
    ("distance to seeds", "distance_to_seeds", 3),
    ("norm", "noise_norm", 1),
)


def tables(results: Mapping[str, Any]) -> str:
    """Every table of a result, each under its heading."""
    parts = [
        ("Concepts", _concepts(results["concepts"])),
        ("Judges", _judge(results["judge"])),
        ("Methods", _methods(results)),
        ("Differences", _differences(results)),
        ("By concept", _by_concept(results["by_concept"])),
        ("By judge", _by_judge(results["by_judge"])),
        ("By kind of point", _by_kind(results["by_kind_of_point"])),
        ("Shots", _shots(results, "agreement_all", "all attributes")),
        ("Shots: diversity", _shots(results, "diversity", "diversity")),
        ("Samplers", _samplers(results)),
        ("Round trips", _trips(results["sampler_round_trips"])),
        ("Radii", _radii(results["radii"])),
        ("Norms", _norms(results["norms"])),
    ]
    return "\n\n".join(f"### {title}\n\n{text}" for title, text in parts)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---", *("---:" for _ in head[1:])], *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _figure(found: Mapping[str, Any], digits: int, *, signed: bool = False) -> str:
    if found["value"] is None:
        return "–"
    form = f"{'+' if signed else ''}.{digits}f"
    value, low, high = (format(found[key], form) for key in ("value", "low", "high"))
    return f"{value} [{low}, {high}]"


def _concepts(concepts: Sequence[Mapping[str, Any]]) -> str:
    rows = [
        [" + ".join(c["attributes"]), f"{100 * c['frequency']:.2f} %", str(c["in_training"])]
        for c in concepts
    ]
    return _table(["combination", "of the generator's faces", "of the 32,000 trained on"], rows)


def _judge(judge: Mapping[str, Any]) -> str:
    names = list(next(iter(judge.values()))["accuracy"])
    head = ["attribute", *(f"{kind} (n={found['n']})" for kind, found in judge.items())]
    rows = [
        [
            name,
            *(
                f"{f['accuracy'][name]:.3f} / {f['balanced_accuracy'][name]:.3f}"
                for f in judge.values()
            ),
        ]
        for name in names
    ]
    return _table(head, rows)


def _methods(results: Mapping[str, Any]) -> str:
    distances = results["frechet"]["distance"]
    rows = [
        [name, *_scores(scores), _thousandfold(distances[name])]
        for name, scores in results["methods"].items()
    ]
    extra = [
        [name, *("" for _ in _MAIN), _thousandfold(found)]
        for name, found in distances.items()
        if name not in results["methods"]
    ]
    return _table(["made by", *(title for title, _, _ in _MAIN), _FRECHET], rows + extra)


def _differences(results: Mapping[str, Any]) -> str:
    distances = results["frechet"]["difference"]
    rows = [
        [name, *_scores(scores, signed=True), _thousandfold(distances[name], signed=True)]
        for name, scores in results["differences"].items()
    ]
    return _table(["difference", *(title for title, _, _ in _MAIN), _FRECHET], rows)


def _scores(scores: Mapping[str, Any], *, signed: bool = False) -> list[str]:
    return [_figure(scores[score], digits, signed=signed) for _, score, digits in _MAIN]


def _thousandfold(found: Mapping[str, Any], *, signed: bool = False) -> str:
    return _figure({key: 1_000 * value for key, value in found.items()}, 1, signed=signed)


def _by_concept(found: Mapping[str, Mapping[str, float]]) -> str:
    concepts = list(next(iter(found.values())))
    rows = [[name, *(f"{by[c]:.3f}" for c in concepts)] for name, by in found.items()]
    return _table(["made by", *(c.replace("+", " + ") for c in concepts)], rows)


def _by_judge(found: Mapping[str, Sequence[float]]) -> str:
    rows = [[name, *(f"{value:.3f}" for value in values)] for name, values in found.items()]
    judges = range(1, 1 + len(next(iter(found.values()))))
    return _table(["all attributes", *(f"judge {place}" for place in judges)], rows)


def _by_kind(found: Mapping[str, Mapping[str, Any]]) -> str:
    kinds = list(next(iter(found.values())))
    rows = [[name, *(_figure(by[kind], 3) for kind in kinds)] for name, by in found.items()]
    return _table(["all attributes", *kinds], rows)


def _shots(results: Mapping[str, Any], score: str, title: str) -> str:
    by_shots = {int(n): found for n, found in results["shots"].items()}
    names = list(next(iter(results["shots"].values())))
    rows = [[name, *(_figure(by_shots[n][name][score], 3) for n in by_shots)] for name in names]
    return _table([title, *(f"{n} seed{'s' * (n > 1)}" for n in by_shots)], rows)


def _samplers(results: Mapping[str, Any]) -> str:
    found = results["samplers"]
    names = list(next(iter(results["samplers"].values())))
    rows = [
        [name, *(_figure(scores[name]["agreement_all"], 3) for scores in found.values())]
        for name in names
    ]
    return _table(["all attributes", *found], rows)


def _trips(trips: Mapping[str, Mapping[str, float]]) -> str:
    rows = [
        [name, f"{found['median_db']:.1f}", f"{found['lowest_db']:.1f}"]
        for name, found in trips.items()
    ]
    return _table(["sampler", "median PSNR, dB", "lowest"], rows)


def _radii(radii: Mapping[str, Any]) -> str:
    rows = [
        [name, _figure(s["agreement_all"], 3), _figure(s["agreement_mean"], 3),
         _figure(s["diversity"], 3)]
        for name, s in radii.items()
    ]  # fmt: skip
    return _table(["norm", "all attributes", "each attribute", "diversity"], rows)


def _norms(laws: Mapping[str, Any]) -> str:
    head = ["faces", "n", "mean", "sd", "chi", "chi of free scale", "fitted Gaussian", "skewness"]
    rows = []
    for name, law in laws.items():
        tests = [
            f"{law[test]['statistic']:.3f} (p {law[test]['p_holm']:.2g})"
            for test in ("ks_chi", "ks_scaled_chi", "ks_fitted_gaussian")
        ]
        moments = [f"{law[key]:.2f}" for key in ("mean", "std")]
        skewness = f"{law['skewness']:+.2f} (p {law['skewness_test']['p_holm']:.2g})"
        rows.append([name, str(law["n"]), *moments, *tests, skewness])
    return _table(head, rows)
