"""The generated part of docs/inversion.md."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

_NAMES: Final = {"faces-noise": "told its noise level, v-prediction", "faces-blind": "blind flow"}


def section(results: Mapping[str, Any]) -> str:
    """Tables of a result of `benchmarks.inversion`."""
    lines = [
        f"Round trips of {results['trips']} faces against the autoencoder's reconstruction, dB: "
        "mean, 5 % quantile, lowest; 120 is the most. *Calls*: of the network for each picture, to "
        "invert and to decode. *Norm*: of the noise, in standard deviations off chi's mean; white "
        f"noise has 0 ± 1. Whiteness and probes of {results['faces']} faces.",
    ]
    for space, found in results["spaces"].items():
        least, *more = found["ways"]
        lines += [
            "",
            f"**{space}** ({_NAMES[space]}), {least} calls:",
            "",
            "| inverter | steps | calls | mean | 5 % | lowest | norm | time over ddim |",
            "| --- | ---: | ---: | ---: | ---: | ---: | --- | ---: |",
            *(_trip(name, one, found) for name, one in found["ways"][least].items()),
            *_noises(found, least),
            "",
            "With more calls:",
            "",
            "| inverter | "
            + " | ".join(f"mean, {calls} calls | lowest | norm" for calls in more)
            + " |",
            "| --- | " + " | ".join(["---: | ---: | ---"] * len(more)) + " |",
            *(_more(name, found, more) for name in found["ways"][more[0]]),
            *_published(found),
        ]
    return "\n".join(lines)


def _trip(name: str, one: Mapping[str, Any], found: Mapping[str, Any]) -> str:
    trip, seconds = one["round_trip"], found["seconds"].get(name)
    cells = [
        name,
        one["steps"],
        f"{one['calls']:.0f} + {trip['calls']:.0f}",
        *(f"{trip[key]:.1f}" for key in ("mean", "q05", "lowest")),
        _norm(one),
        "" if seconds is None else f"{seconds:.2f}",
    ]
    return _row(cells)


def _noises(found: Mapping[str, Any], calls: str) -> list[str]:
    studied = _studied(found, calls)
    if not studied:
        return []
    return [
        "",
        "The noise of these: excess of the largest singular value, correlation of neighbouring "
        "places, share of dimensions and of projections that pass Anderson–Darling at 5 % (95 % of "
        "a Gaussian's), cosine between the noise of two faces, and mean AUC of probes:",
        "",
        "| inverter | norm | singular | neighbours | dimensions | projections | cosine | AUC |",
        "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |",
        *(_noise(name, one) for name, one in studied),
    ]


def _published(found: Mapping[str, Any]) -> list[str]:
    by_last = found.get("published_belm_rms")
    if by_last is None:
        return []
    return [
        "",
        "O-BELM in the variable of its paper, σ/α: the root mean square of its noise is "
        f"{by_last['None']:,.0f} where the trajectory ends at the last timestep and "
        f"{by_last['950']:,.2f} where it ends at 950; of white noise it is 1.",
    ]


def _studied(found: Mapping[str, Any], calls: str) -> list[tuple[str, Mapping[str, Any]]]:
    """The ways of which more than the round trip was measured."""
    studied = [(name, one) for name, one in found["ways"][calls].items() if "auc" in one]
    if "drawn_anew" in found:
        studied.append(("fireflow, forward start drawn anew", found["drawn_anew"]))
    return studied


def _noise(name: str, one: Mapping[str, Any]) -> str:
    cells = [
        name,
        _norm(one),
        f"{one['sv_excess']:+.3f}",
        f"{one['neighbours']:+.3f}",
        f"{100 * one['gaussian_dimensions']:.0f} %",
        f"{100 * one['gaussian_projections']:.0f} %",
        f"{one['cosine']:.3f}",
        f"{one['auc']:.3f}",
    ]
    return _row(cells)


def _more(name: str, found: Mapping[str, Any], more: list[str]) -> str:
    cells = [name]
    for calls in more:
        one = found["ways"][calls].get(name)
        if one is None:
            cells += [""] * 3
            continue
        cells += [f"{one['round_trip']['mean']:.1f}", f"{one['round_trip']['lowest']:.1f}"]
        cells.append(_norm(one))
    return _row(cells)


def _norm(one: Mapping[str, Any]) -> str:
    return f"{one['norm_z']['mean']:+.1f} ± {one['norm_z']['sd']:.1f}"


def _row(cells: list[Any]) -> str:
    return "| " + " | ".join(str(cell) for cell in cells) + " |"
