"""What a section of the page is made of: text, tables, drawings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

from latentdb.held_out import Estimate


@final
@dataclass(frozen=True)
class Cell:
    """One value of a table.

    Parameters
    ----------
    text : str
    note : str
        Shown small beside it, such as its interval.
    heat : float, optional
        In [-1, 1]: how strongly the cell is coloured, and in which of two colours.
    """

    text: str
    note: str = ""
    heat: float | None = None


@final
@dataclass(frozen=True)
class Table:
    """Rows under headings.

    Parameters
    ----------
    headings : sequence of str
        The first is of the rows' own names.
    rows : sequence of sequences of Cell
    caption : str
        What is to be read from it.
    folded : bool
        Whether it is opened by a click: long tables whose means are shown above.
    groups : sequence of (str, int)
        Headings above the headings, each over so many columns.
    is_matrix : bool
        Whether columns are of one width, and two such tables stand side by side.
    """

    headings: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    caption: str = ""
    folded: bool = False
    groups: Sequence[tuple[str, int]] = ()
    is_matrix: bool = False


@final
@dataclass(frozen=True)
class Drawing:
    """A plot as SVG, which takes its colours from the page, with its caption."""

    svg: str
    caption: str


@final
@dataclass(frozen=True)
class Section:
    """One study on the page.

    Parameters
    ----------
    lead : str
        What is asked, and what the answer is to be held against.
    blocks : sequence of Table or Drawing
    notes : sequence of str
        What was left out, and why.
    """

    lead: str
    blocks: Sequence[Table | Drawing]
    notes: Sequence[str] = ()


def number(value: float | None, digits: int = 3, *, heat: float | None = None) -> Cell:
    """A figure with so many decimals; a dash for None."""
    return Cell("–" if value is None else _shown(value, digits), heat=heat)


def signed(value: float, digits: int = 3) -> str:
    """A figure with its sign."""
    return f"{value:+.{digits}f}".replace("-", "−")


def percent(value: float | None, *, digits: int = 1, heat: float | None = None) -> Cell:
    """A share as per cent; a dash for None."""
    return Cell("–" if value is None else f"{100 * value:.{digits}f} %", heat=heat)


def estimate(value: Estimate | None, *, heat: float | None = None) -> Cell:
    """A score with its interval; a dash for None."""
    if value is None:
        return Cell("–")
    return Cell(f"{value.value:.3f}", note=f"{value.low:.3f} – {value.high:.3f}", heat=heat)


def auc_heat(auc: float) -> float:
    """Colour of an AUC or a balanced accuracy: none at chance, full at 1."""
    return max(-1.0, min(1.0, 2.0 * auc - 1.0))


def _shown(value: float, digits: int) -> str:
    # Rounded first: what is shown as zero has no sign.
    return f"{round(value, digits) + 0.0:.{digits}f}".replace("-", "−")
