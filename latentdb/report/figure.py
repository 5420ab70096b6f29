"""Drawings as SVG inside the page: they take their colours and their letters from it.

matplotlib is given colours that stand for the page's own, which take their place in the text of
the SVG: one drawing then suits a light page and a dark one.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

INK: Final = "#010101"
SOFT: Final = "#020202"
LINE: Final = "#030303"
SERIES: Final = ("#0a0a01", "#0a0a02", "#0a0a03", "#0a0a04", "#0a0a05", "#0a0a06")

_ACROSS: Final = 3
_NAMES: Final[Mapping[str, str]] = {
    INK: "var(--ink)",
    SOFT: "var(--soft)",
    LINE: "var(--line)",
    **{colour: f"var(--s{i + 1})" for i, colour in enumerate(SERIES)},
}
_STYLE: Final[Mapping[str, Any]] = {
    "svg.fonttype": "none",
    "font.size": 11,
    "axes.titlesize": 12,
    "axes.titlelocation": "left",
    "axes.titlecolor": INK,
    "axes.labelcolor": SOFT,
    "axes.edgecolor": LINE,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "grid.color": LINE,
    "grid.linewidth": 0.8,
    "xtick.color": LINE,
    "ytick.color": LINE,
    "xtick.labelcolor": SOFT,
    "ytick.labelcolor": SOFT,
    "text.color": INK,
    "legend.frameon": False,
    "legend.labelcolor": SOFT,
    "legend.fontsize": 10.5,
    "lines.linewidth": 1.8,
    "lines.markersize": 5,
}


def colour(at: int) -> str:
    """Colour of series number `at`; they come round again after six."""
    return SERIES[at % len(SERIES)]


def shades(names: Iterable[str]) -> dict[str, str]:
    """A colour for each name, the same in every drawing of a page."""
    return {name: colour(at) for at, name in enumerate(names)}


def draw(
    name: str, paint: Callable[[list[Axes]], None], *, panels: int = 1, height: float = 4.0
) -> str:
    """SVG of what `paint` puts on its axes.

    Parameters
    ----------
    name : str
        Of the drawing, unique on its page: what its parts refer to each other by.
    paint : callable
        Given as many axes as there are panels, three side by side.
    panels : int
    height : float
        Of a row of panels, in inches of a page thirteen wide.
    """
    style: Any = {**_STYLE, "svg.hashsalt": name}
    with mpl.rc_context(style):
        across = min(panels, _ACROSS)
        down = -(-panels // across)
        figure = Figure(figsize=(13.0, height * down), layout="constrained")
        every = figure.subplots(down, across, squeeze=False).ravel().tolist()
        axes: list[Axes] = every[:panels]
        for one in axes:
            one.tick_params(length=0)
        for one in every[panels:]:
            one.set_visible(False)
        paint(axes)
        file = io.StringIO()
        figure.savefig(file, format="svg", transparent=True, metadata={"Date": None})
    return _for_page(file.getvalue())


def _for_page(svg: str) -> str:
    """The drawing without a file's header, in the page's colours, as wide as its place."""
    body = svg[svg.index("<svg") :]
    body = re.sub(r"<metadata>.*?</metadata>", "", body, flags=re.DOTALL)
    # Names of groups repeat from drawing to drawing, and nothing refers to them.
    body = re.sub(r'<g id="[^"]*"', "<g", body)
    body = re.sub(r'(<svg[^>]*?) width="[^"]*"', r"\1", body, count=1)
    body = re.sub(r'(<svg[^>]*?) height="[^"]*"', r"\1", body, count=1)
    # Letters are the page's own; only their size and weight are matplotlib's.
    body = re.sub(r"font: (?:bold )?([\d.]+px)[^;\"]*", r"font-size: \1", body)
    for stand_in, name in _NAMES.items():
        body = body.replace(stand_in, name)
    return body
