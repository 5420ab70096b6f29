"""The table and the plot of `benchmarks.growth`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import matplotlib as mpl

mpl.use("Agg")

from matplotlib import pyplot as plt

from benchmarks._record import ROOT, write_section

PAGE, IMAGE = "scale_one_machine.md", "growth.png"
_SHOWN = "Seconds over rows, for filling a database, building an index, a question and a commit"
# What theory says of each; where nothing is said, the cost is that of looking at every row.
_THEORY = {
    "build hnsw": "1 · log",
    "build ivf": "1.5",
    "build ivf_pq": "1.5",
    "build rabitq": "1.5",
    "search hnsw": "log",
    "search ivf": ".5",
    "search ivf_pq": ".5",
    "search rabitq": ".5",
    "answer": ".5",
}
_PANELS = {
    "filling": lambda name: name in ("import", "ingest"),
    "building an index": lambda name: name.startswith("build"),
    "a question to an index": lambda name: name.startswith("search"),
    "a database": lambda name: "answer" in name or name == "commit",
}


def show(results: Mapping[str, Any], *, keep: bool) -> None:
    """Print the table; where it is kept, put it into the page and draw it."""
    text = _table(results)
    print(text)
    if keep:
        write_section(PAGE, "growth", f"{text}\n\n![{_SHOWN}](images/{IMAGE})")
        _draw(results["curves"])


def _table(results: Mapping[str, Any]) -> str:
    lines = [
        "| | rows | seconds, fewest rows | most rows | exponent (95 %) | last decade | theory | "
        "recall@10, fewest and most |",
        "| --- | --- | ---: | ---: | --- | ---: | --- | --- |",
    ]
    for name, curve in results["curves"].items():
        fit, counts = results["fits"][name], list(curve)
        interval = f"{fit['exponent']:.2f} ({fit['low']:.2f} to {fit['high']:.2f})"
        recall = results["recall"].get(name.removeprefix("search "), {})
        told = f"{recall[counts[0]]:.2f}, {recall[counts[-1]]:.2f}" if recall else ""
        ends = f"{int(counts[0]):,} to {int(counts[-1]):,}"
        times = f"{_short(curve[counts[0]])} | {_short(curve[counts[-1]])}"
        lines.append(
            f"| {name} | {ends} | {times} | {interval} | {fit['last_decade']:.2f} | "
            f"{_THEORY.get(name, '1')} | {told} |"
        )
    return "\n".join(lines)


def _short(seconds: float) -> str:
    return f"{seconds:.1f}" if seconds >= 1 else f"{seconds:.2g}"


def _draw(curves: Mapping[str, Mapping[str, float]]) -> None:
    figure, axes = plt.subplots(1, len(_PANELS), figsize=(4 * len(_PANELS), 4.2))
    for axis, (title, belongs) in zip(axes, _PANELS.items(), strict=True):
        for name in filter(belongs, curves):
            counts = [int(n) for n in curves[name]]
            axis.loglog(counts, list(curves[name].values()), marker="o", label=name)
        axis.set(title=title, xlabel="rows", ylabel="seconds")
        axis.grid(visible=True, which="major", alpha=0.3)
        axis.legend(fontsize=8)
    figure.tight_layout()
    figure.savefig(ROOT / "docs" / "images" / IMAGE, dpi=110)
    plt.close(figure)
