"""The tables of docs/queries.md that `benchmarks.attribute_queries` writes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from benchmarks._record import write_section
from latentdb.zoo.faces import ATTRIBUTES

SPACES = ("faces-clip", "faces-ssl", "faces-noise")
_MAIN = ("text", "text 1 + id", *(f"{space} mean_difference 2" for space in SPACES))
_WAYS = {
    "`--unlike`: the geodesic about the mean": "unlike",
    "the geodesic about the origin": "origin",
    "the difference of unit vectors": "difference",
}
_HEADINGS = ("text", "text + id", *(f"{space} +2" for space in SPACES))


def write_tables(results: Mapping[str, Any]) -> None:
    """Put the tables where they belong."""
    write_section("queries.md", "attribute_queries", tables(results))


def tables(results: Mapping[str, Any]) -> str:
    """All of them, as Markdown."""
    recipes, count = results["towards"], max(results["n_subjects"].values())
    rows = [
        *_overall(recipes),
        "",
        *_by_attribute(recipes),
        "",
        *_sweep(recipes),
        "",
        *_reaches(results["reaches"]),
        "",
        *_away(results["away"]),
    ]
    return "\n".join(
        [
            f"Directions fitted on {results['n_fitted']:,} faces; {count} faces X of each of "
            f"{len(ATTRIBUTES)} attributes that they lack, and the faces",
            f"that answer, are of {results['n_held_out']:,} others. 95 % intervals from resampling "
            "the faces X.",
            "",
            *rows,
        ]
    )


def _overall(recipes: Mapping[str, Any]) -> list[str]:
    names = {
        "text, “a face with …”": "text",
        "text as it is + X": "text as it is + id",
        "text ½ + X": "text 0.5 + id",
        "text + X": "text 1 + id",
        "text 2 + X": "text 2 + id",
        **{f"X alone, {space}": f"{space} id" for space in SPACES},
        **{f"**X and +2, {space}**": f"{space} mean_difference 2" for space in SPACES},
        "the best there are, by the labels": "best possible",
    }
    lines = [
        "| question | precision@10 of the attribute | X's other attributes kept |",
        "| --- | --- | --- |",
    ]
    for label, name in names.items():
        one = recipes[name]
        lines.append(
            f"| {label} | {_whole(one['precision_at_10'])} | {_whole(one['others_kept'])} |"
        )
    return lines


def _by_attribute(recipes: Mapping[str, Any]) -> list[str]:
    lines = [
        "By attribute, precision@10 / other attributes kept:",
        "",
        f"| attribute | {' | '.join(_HEADINGS)} |",
        "| --- |" + " --- |" * len(_HEADINGS),
    ]
    for name in ATTRIBUTES:
        cells = [_both(recipes[recipe]["by_attribute"][name]) for recipe in _MAIN]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return lines


def _sweep(recipes: Mapping[str, Any]) -> list[str]:
    """Every space and method by the strength."""
    strengths: dict[float, None] = {}
    ways: dict[tuple[str, str], dict[float, str]] = {}
    for name, one in recipes.items():
        space, *rest = name.split(" ")
        if space in SPACES and len(rest) == 2:
            strengths[float(rest[1])] = None
            ways.setdefault((space, rest[0]), {})[float(rest[1])] = _both(one)
    ordered = sorted(strengths)
    lines = [
        "By the strength in standard deviations (of fewer faces X, but for mean_difference +2):",
        "",
        f"| space | direction | {' | '.join(f'+{value:g}' for value in ordered)} |",
        "| --- | --- |" + " --- |" * len(ordered),
    ]
    for (space, kind), cells in sorted(ways.items(), key=lambda way: SPACES.index(way[0][0])):
        shown = " | ".join(cells.get(value, "–") for value in ordered)
        lines.append(f"| {space} | {kind} | {shown} |")
    return lines


def _reaches(reaches: Mapping[str, Any]) -> list[str]:
    lines = [
        "How far +2 leads, and how much that reorders the faces that answer:",
        "",
        "| space | direction | angle | pull |",
        "| --- | --- | --- | --- |",
    ]
    for space in SPACES:
        for name, one in reaches.items():
            if name.startswith(f"{space} "):
                kind = name.removeprefix(f"{space} ")
                lines.append(f"| {space} | {kind} | {one['degrees']:.1f}° | {one['pull']:.2f} |")
    return lines


def _away(recipes: Mapping[str, Any]) -> list[str]:
    """Faces X that have an attribute, unlike three that have it, by weight."""
    weights = sorted({float(name.split(" ")[2]) for name in recipes if " unlike " in name})
    lines = [
        "X that has an attribute, unlike three others that have it, by their weight together:",
        "share of hits that lack it / X's other attributes kept. In a noise space the mean is",
        "taken to be the origin.",
        "",
        f"| space | how | 0 | {' | '.join(f'{weight:g}' for weight in weights)} |",
        "| --- | --- | --- |" + " --- |" * len(weights),
    ]
    for space in SPACES:
        for label, name in _WAYS.items():
            cells = [_both(recipes[f"{space} {name} {weight:g}"]) for weight in weights]
            cells = [_both(recipes[f"{space} id"]), *cells]
            lines.append(f"| {space} | {label} | {' | '.join(cells)} |")
    return lines


def _both(one: Mapping[str, Any]) -> str:
    return f"{one['precision_at_10']['value']:.2f} / {one['others_kept']['value']:.2f}"


def _whole(one: Mapping[str, float]) -> str:
    return f"{one['value']:.3f} [{one['low']:.3f}, {one['high']:.3f}]"
