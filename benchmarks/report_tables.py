"""What of two reports is kept, and how docs/une.md shows them side by side."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

Digest = Mapping[str, Any]
KINDS = {
    "latent": "x0",
    "leak": "x0 under fresh noise",
    "noise": "inverted noise",
}
KS = ("2", "4", "8", "16", "32", "64", "128", "256")


def digest(report: Mapping[str, Any]) -> dict[str, Any]:
    """The figures of a report that tell databases apart, without its curves and tables."""
    sections = report["sections"]
    controls = _only(sections["controls"]["spaces"])
    return {
        "n": report["n_items"],
        "seconds": sum(report["seconds"].values()),
        "spaces": {name: _space(sections, name) for name in report["spaces"]},
        "attributes": _attributes(sections),
        "controls": {
            "n": controls["n"],
            **{kind: one["mean_auc"] for kind, one in controls["kinds"].items()},
        },
        "agreement": {
            " · ".join(sorted(one["spaces"])): {
                "all": one["mean_overall"],
                "within": one["mean_within"],
            }
            for one in sections["probe_agreement"]["pairs"]
        },
        "neighbours": {
            " · ".join(sorted(one["spaces"])): one["by_k"]["10"]
            for one in sections["neighbourhoods"]["pairs"]
        },
        "shared": {
            kind: {
                source: {
                    k: {"auc": one["auc"]["value"], "balanced_accuracy": one["balanced_accuracy"]}
                    for k, one in by_k.items()
                }
                for source, by_k in sections["shared_accuracy"][kind].items()
            }
            for kind in ("shared", "principal_components")
        },
    }


def _space(sections: Mapping[str, Any], name: str) -> dict[str, Any]:
    gaussian = sections["gaussianity"]["spaces"][name]
    norms = sections["norm_law"]["spaces"][name]
    spectrum = sections["spectrum"]["spaces"][name]
    probes = sections["probes"]["spaces"][name]
    found = {
        axes: {
            population: {test: gaussian[axes][population][test] for test in tests}
            for population in ("vectors", "gaussian", "bimodal")
        }
        for tests in [("anderson_darling", "dagostino_pearson", "shapiro_wilk")]
        for axes in ("projections", "dimensions")
    }
    return {
        **found,
        "excess_kurtosis": gaussian["excess_kurtosis"],
        "norm": {key: value for key, value in norms.items() if key != "histogram"},
        "spectrum": {key: value for key, value in spectrum.items() if key != "eigenvalues"},
        "mean_auc": probes["mean_auc"],
        "mean_balanced_accuracy": probes["mean_balanced_accuracy"],
        "autocorrelation": _without(sections["autocorrelation"], name, "values", "white_deviation"),
        "singular_values": _without(
            sections["singular_values"], name, "mean_by_channel", "white_mean", "white_band"
        ),
    }


def _without(section: Mapping[str, Any], name: str, *left_out: str) -> dict[str, Any] | None:
    """What a section says of a space, but for curves; None of a space that it is not about."""
    one = section["spaces"].get(name)
    return one and {key: value for key, value in one.items() if key not in left_out}


def _attributes(sections: Mapping[str, Any]) -> dict[str, Any]:
    """AUC of each attribute by space, and of the clean codes."""
    spaces = sections["probes"]["spaces"]
    kinds = _only(sections["controls"]["spaces"])["kinds"]
    return {
        attribute: {
            "share": share,
            **{name: one["attributes"][attribute]["auc"] for name, one in spaces.items()},
            **{
                kind: kinds[kind]["attributes"][attribute]["auc"]
                for kind in KINDS
                if attribute in kinds[kind]["attributes"]
            },
        }
        for attribute, share in sections["probes"]["share_positive"].items()
    }


def _only(spaces: Mapping[str, Any]) -> Any:
    (one,) = spaces.values()
    return one


def section(results: Mapping[str, Digest]) -> str:
    """The tables, by space, by pair of spaces, by k and by attribute."""
    names = list(results)
    spaces = list(results[names[0]]["spaces"])
    sizes = " and ".join(f"{results[name]['n']:,} {name}" for name in names)
    took = " and ".join(f"{results[name]['seconds']:.0f}" for name in names)
    lines = [
        f"{sizes}; the reports took {took} seconds. Intervals are 95 %.",
        "",
        *_by_space(results, spaces),
        "",
        *_by_pair(results),
        "",
        *_by_k(results),
    ]
    for name in names:
        controls = f"the last three columns on {results[name]['controls']['n']:,} items"
        lines += ["", f"AUC by attribute, {name}; {controls}:", ""]
        lines += _by_attribute(results[name], spaces)
    return "\n".join(lines)


def _short(space: str) -> str:
    return space.removeprefix("faces-")


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _head(headings: Sequence[str]) -> list[str]:
    return [_row(headings), "| --- |" + " --- |" * (len(headings) - 1)]


def _percent(value: float) -> str:
    return f"{100 * value:.1f}"


def _interval(one: Mapping[str, float]) -> str:
    return f"{one['value']:.3f} [{one['low']:.3f}, {one['high']:.3f}]"


def _rates(axes: str, test: str) -> Callable[[Mapping[str, Any]], str]:
    """A pass rate with those of its two controls."""

    def shown(one: Mapping[str, Any]) -> str:
        rates = [one[axes][kind][test] for kind in ("vectors", "gaussian", "bimodal")]
        return f"**{_percent(rates[0])}** / {_percent(rates[1])} / {_percent(rates[2])}"

    return shown


def _norm(one: Mapping[str, Any]) -> str:
    return f"{one['norm']['mean']:.2f} ± {one['norm']['deviation']:.2f}"


def _twin_norm(one: Mapping[str, Any]) -> str:
    return f"{one['norm']['gaussian_mean']:.2f} ± {one['norm']['gaussian_deviation']:.2f}"


def _distances(one: Mapping[str, Any]) -> str:
    found = one["norm"]["kolmogorov_smirnov"]
    laws = [found[law]["distance"] for law in ("chi", "gaussian", "fitted") if law in found]
    return " / ".join([*["–"] * (3 - len(laws)), *(f"{value:.2f}" for value in laws)])


def _of_noise(
    part: str, shown: Callable[[Mapping[str, Any]], str]
) -> Callable[[Mapping[str, Any]], str]:
    return lambda one: shown(one[part]) if one[part] else "–"


_MEASURES: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "Anderson–Darling pass, projections, %": _rates("projections", "anderson_darling"),
    "D'Agostino–Pearson, projections, %": _rates("projections", "dagostino_pearson"),
    "Shapiro–Wilk, projections, %": _rates("projections", "shapiro_wilk"),
    "Anderson–Darling pass, dimensions, %": _rates("dimensions", "anderson_darling"),
    "D'Agostino–Pearson, dimensions, %": _rates("dimensions", "dagostino_pearson"),
    "Shapiro–Wilk, dimensions, %": _rates("dimensions", "shapiro_wilk"),
    "excess kurtosis, root mean square": lambda one: f"{one['excess_kurtosis']:.2f}",
    "norm": _norm,
    "norm of its Gaussian": _twin_norm,
    "D of norms to chi / its Gaussian / fitted": _distances,
    "effective dimension (white noise)": lambda one: (
        f"{one['spectrum']['effective_dim']:.0f} ({one['spectrum']['white_effective_dim']:.0f})"
    ),
    "variance in the leading 10, %": lambda one: _percent(
        one["spectrum"]["share_of_variance"]["10"]
    ),
    "directions above white noise": lambda one: str(one["spectrum"]["above_white"]["count"]),
    "correlation of neighbouring places": _of_noise(
        "autocorrelation", lambda one: f"{one['nearest']:+.3f}".replace("-", "−")
    ),
    "lags outside the white band, %": _of_noise(
        "autocorrelation", lambda one: f"{100 * one['share_outside_band']:.0f}"
    ),
    "singular-value excess (white noise)": _of_noise(
        "singular_values",
        lambda one: f"{one['excess']:+.3f} ({one['white_excess']:+.3f})".replace("-", "−"),
    ),
    "codes above 99 % of white noise, %": _of_noise(
        "singular_values", lambda one: _percent(one["share_above_white_99"])
    ),
    "mean AUC of probes": lambda one: _interval(one["mean_auc"]),
    "mean balanced accuracy": lambda one: f"{one['mean_balanced_accuracy']:.3f}",
}


def _by_space(results: Mapping[str, Digest], spaces: Sequence[str]) -> list[str]:
    headings = [f"{_short(space)}, {name}" for space in spaces for name in results]
    lines = [
        "Pass rates are of the vectors / of a Gaussian of their covariance / of two of these.",
        "",
        *_head(["", *headings]),
    ]
    for measure, shown in _MEASURES.items():
        cells = [shown(one["spaces"][space]) for space in spaces for one in results.values()]
        lines.append(_row([measure, *cells]))
    return lines


def _by_pair(results: Mapping[str, Digest]) -> list[str]:
    measures = ("scores", "within one class", "10-NN in common (null), %")
    lines = [
        "Correlation of probe scores between two spaces, mean over attributes, and the nearest "
        "neighbours that both name:",
        "",
        *_head(["", *(f"{measure}, {name}" for measure in measures for name in results)]),
    ]
    for pair in next(iter(results.values()))["agreement"]:
        shown = [
            *(f"{one['agreement'][pair]['all']:.2f}" for one in results.values()),
            *(f"{one['agreement'][pair]['within']:.2f}" for one in results.values()),
            *(
                f"{_percent(one['neighbours'][pair]['value']['value'])} "
                f"({100 * one['neighbours'][pair]['null_mean']:.2f})"
                for one in results.values()
            ),
        ]
        lines.append(_row([pair.replace("faces-", ""), *shown]))
    return lines


def _by_k(results: Mapping[str, Digest]) -> list[str]:
    sources = list(next(iter(results.values()))["shared"]["shared"])
    lines = [
        "Mean AUC of probes on the first k shared coordinates, of all spaces' mean projection and "
        "of one space's; in brackets, on as many principal components of that space:",
        "",
        *_head(["k", *(f"{_short(source)}, {name}" for source in sources for name in results)]),
    ]
    for k in KS:
        cells = []
        for source in sources:
            for one in results.values():
                principal = one["shared"]["principal_components"].get(source, {}).get(k)
                shared = one["shared"]["shared"][source].get(k)
                beside = f" ({principal['auc']:.3f})" if principal else ""
                cells.append(f"{shared['auc']:.3f}{beside}" if shared else "–")
        lines.append(_row([k, *cells]))
    return lines


def _by_attribute(one: Digest, spaces: Sequence[str]) -> list[str]:
    columns = [*spaces, *KINDS]
    lines = _head(["attribute", "have it, %", *map(_short, spaces), *KINDS.values()])
    for name, found in one["attributes"].items():
        cells = [_interval(found[column]) if column in found else "–" for column in columns]
        lines.append(_row([name.split(": ")[-1], f"{100 * found['share']:.0f}", *cells]))
    means = [one["spaces"][space]["mean_auc"] for space in spaces]
    means += [one["controls"][kind] for kind in KINDS]
    lines.append(_row(["**mean**", "", *map(_interval, means)]))
    return lines
