"""Pictures of what the study of blind models found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path as File
from typing import Any

import matplotlib as mpl
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from indexers.types import FloatArray
from latentdb.model import Pixels

mpl.use("Agg")
from matplotlib import pyplot as plt

Rows = Sequence[Mapping[str, Any]]
_COLOURS = {"velocity": "tab:blue", "epsilon": "tab:red"}
_LABEL_WIDTH = 160
_LEAST = 0.005
"""Drift error at the lower edge of a plot; the cleanest level has none, being the last there is."""


def draw_scatter(
    file: File, found: Mapping[str, Mapping[str, FloatArray]], ring: FloatArray
) -> None:
    """Ends of runs in the plane: a row for each case, a column for each kind of network."""
    kinds = list(next(iter(found.values())))
    figure, axes = plt.subplots(
        len(found), len(kinds), figsize=(2.6 * len(kinds), 2.6 * len(found)), squeeze=False
    )
    for row, (case, by_kind) in zip(axes, found.items(), strict=True):
        for axis, kind in zip(row, kinds, strict=True):
            axis.scatter(*ring.T, s=1, color="0.8", rasterized=True)
            axis.scatter(*by_kind[kind].T, s=3, color=_COLOURS[kind.split()[-1]])
            axis.set(xlim=(-3, 3), ylim=(-3, 3), xticks=[], yticks=[], aspect="equal")
            beyond = float((np.abs(by_kind[kind]) > 3).any(axis=1).mean())
            axis.set_xlabel(f"{beyond:.0%} outside the frame" if beyond else " ")
        row[0].set_ylabel(case)
    for axis, kind in zip(axes[0], kinds, strict=True):
        axis.set_title(kind.replace("epsilon", "ε"))
    figure.tight_layout()
    figure.savefig(file, dpi=110)
    plt.close(figure)


def draw_gaps(file: File, panels: Sequence[tuple[str, Rows]]) -> None:
    """Drift error over time, a column for each titled panel."""
    shape = (2, len(panels)) if len(panels) > 1 else (1, 2)
    figure, axes = plt.subplots(
        *shape, figsize=(3.4 * shape[1], 3 * shape[0] + 0.4), sharey="row", squeeze=False
    )
    axes = axes.reshape(2, -1)
    for column, (title, rows) in zip(axes.T, panels, strict=True):
        column[0].set_title(title)
        for prediction, colour in _COLOURS.items():
            some = [row for row in rows if row["prediction"] == prediction]
            _lines(column[0], some, "time", colour, lambda _: 1.0)
            _lines(column[1], some, "flow_time", colour, lambda row: row["straight"] / row["nu"])
    axes[0, 0].set_ylabel("|ν|·‖f − f_t‖/√D,\neach in its own time")
    axes[1, 0].set_ylabel("the same in y = u/(a+b),\nwhere both paths are straight")
    for axis in axes[0]:
        axis.set_xlabel("share of the timesteps (0 is data)")
    for axis in axes[1]:
        axis.set_xlabel("b/(a+b)")
    for row in axes:
        row[0].set_ylim(bottom=_LEAST)
    kinds = {
        "exact": plt.Line2D([], [], color="0.3", label="exact field"),
        "formula": plt.Line2D([], [], color="0.3", linestyle="--", label="formula"),
        "": plt.Line2D([], [], color="0.3", linestyle="", marker="o", label="networks"),
    }
    handles = [
        plt.Line2D([], [], color=colour, label=name.replace("epsilon", "ε"))
        for name, colour in _COLOURS.items()
    ]
    handles += [line for name, line in kinds.items() if name in {"", *panels[0][1][0]}]
    figure.legend(handles=handles, loc="upper center", ncols=len(handles), frameon=False)
    figure.tight_layout(rect=(0, 0, 1, 0.95 if shape[0] == 2 else 0.91))
    figure.savefig(file, dpi=110)
    plt.close(figure)


def _lines(axis: Any, rows: Rows, time: str, colour: str, scale: Any) -> None:
    """Exact field, formula and networks of one prediction."""
    times = [row[time] for row in rows]
    marks = {"exact": {"linestyle": "-"}, "formula": {"linestyle": "--"}}
    marks |= {name: {"linestyle": "", "marker": "o"} for name in ("trained", "measured")}
    for name, style in marks.items():
        if rows and name in rows[0]:
            values = [row[name] * scale(row) for row in rows]
            axis.plot(times, values, color=colour, markersize=3, linewidth=1.2, **style)
    axis.set_yscale("log")


def draw_sheet(file: File, rows: Sequence[tuple[str, Pixels]]) -> None:
    """Labelled rows of pictures (n, 64, 64, 3), each column from the same noise."""
    height, width = rows[0][1].shape[1:3]
    columns = len(rows[0][1])
    sheet = Image.new("RGB", (_LABEL_WIDTH + columns * width, len(rows) * height), "white")
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(13)
    for at, (label, pictures) in enumerate(rows):
        pen.text((6, at * height + height // 2 - 8), label, fill="black", font=font)
        for column, picture in enumerate(pictures):
            sheet.paste(Image.fromarray(picture), (_LABEL_WIDTH + column * width, at * height))
    sheet.save(file)
