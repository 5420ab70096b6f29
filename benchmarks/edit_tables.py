"""The generated part of docs/editing.md."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from benchmarks.edit_scores import figure


def section(results: Mapping[str, Any]) -> str:
    """Tables of a result of `benchmarks.edit`."""
    found = results["directions"]
    trip, judged = found["round_trip"], results["judges_balanced_accuracy"]
    lines = [
        f"{results['items']:,} faces, a fifth of them held out of every fit; {found['faces']} "
        "edits of those a row, half of them to take the attribute away. Intervals are 95 %, from "
        "resampling faces. The judges' balanced accuracy on faces of a further seed is "
        f"{np.mean(list(judged.values())):.3f}, the lowest {min(judged.values()):.3f} "
        f"({min(judged, key=lambda name: judged[name]).replace('_', ' ')}).",
        "",
        "*Effect*: judged to have what was wished, after less before; *success*: of those judged "
        "not to have it before. *Leak*: the same change of the attributes correlated with it on "
        "purpose, in the direction of the correlation; *flipped*: their change whichever way; "
        "*others*: that of the remaining ones. *Identity*: cosine in faces-ssl to the unedited "
        "round trip; *perceptual*: distance of feature maps.",
        "",
        "| from | orthogonal in | strength | norm | effect | success | leak | flipped | others "
        "| identity | perceptual |",
        "| --- | --- | ---: | --- | --- | --- | --- | --- | --- | --- | --- |",
        *(_variant(one) for one in found["variants"]),
        "",
        f"Inversion alone flips {figure(trip['changed'])} of the answers on the original; identity "
        f"{figure(trip['identity'])}, perceptual {figure(trip['perceptual'])}. Two different faces "
        f"are at {figure(trip['identity_of_others'])} and {figure(trip['perceptual_of_others'])}.",
        "",
        "Against the plain direction of the same strength, on the same faces:",
        "",
        "| from | orthogonal in | strength | effect kept | leak cut by | flipped cut by |",
        "| --- | --- | ---: | --- | --- | --- |",
        *(_against(one) for one in found["against_plain"]),
        "",
        *_by_attribute(found["by_attribute"]),
        "",
        f"One pair, {results['pairs_each']} of each kind. *Unasked*: change of the attributes in "
        "which the two of the pair are alike.",
        "",
        "| pair | route | success | unasked | identity | perceptual |",
        "| --- | --- | --- | --- | --- | --- |",
        *(
            _pair(kind, route, one)
            for kind, routes in results["pairs"].items()
            for route, one in routes.items()
        ),
    ]
    return "\n".join(lines)


def _variant(one: Mapping[str, Any]) -> str:
    named = ("effect", "success", "leak", "leak_size", "others", "identity", "perceptual")
    cells = [
        one["source"],
        one["orthogonality"] or "–",
        f"{one['strength']:g}",
        one["norm"],
        *(figure(one[name], signed=name == "leak") for name in named),
    ]
    return f"| {' | '.join(cells)} |"


def _against(one: Mapping[str, Any]) -> str:
    cells = [figure(one[name]) for name in ("effect_kept", "leak_cut", "leak_size_cut")]
    kind = f"{one['source']} | {one['orthogonality']}"
    return f"| {kind} | {one['strength']:g} | {' | '.join(cells)} |"


def _by_attribute(found: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Plain and orthogonal in `vectors` side by side."""
    plain, orthogonal = (
        next(one for name, one in found.items() if name.startswith(kind))
        for kind in ("label, plain", "label, vectors")
    )
    rows = [
        f"| {name} | {one['effect']:.2f} | {orthogonal[name]['effect']:.2f} | {one['leak']:+.2f} "
        f"| {orthogonal[name]['leak']:+.2f} |"
        for name, one in plain.items()
    ]
    return [
        "By attribute, at strength 2, before → after it is made orthogonal in `vectors`:",
        "",
        "| attribute | effect | after | leak | after |",
        "| --- | ---: | ---: | ---: | ---: |",
        *rows,
    ]


def _pair(kind: str, route: str, one: Mapping[str, Any]) -> str:
    cells = [figure(one[name]) for name in ("success", "unasked", "identity", "perceptual")]
    return f"| {kind} | {route} | {' | '.join(cells)} |"
