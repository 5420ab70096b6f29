"""The page of a report: a summary by space, then every study."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from latentdb import __version__
from latentdb.report.blocks import Cell, Table
from latentdb.report.options import SectionName
from latentdb.report.report import Report
from latentdb.report.study import Absent
from latentdb.report.template import render_template

_TITLES: Final[Mapping[SectionName, str]] = {
    "gaussianity": "Gaussianity",
    "norm_law": "Law of the norm",
    "spectrum": "Covariance spectrum",
    "autocorrelation": "Spatial autocorrelation of noise",
    "singular_values": "Singular-value excess of noise",
    "probes": "Probes",
    "controls": "Leak controls",
    "probe_agreement": "Correlation of probe scores across spaces",
    "shared_accuracy": "Shared space: accuracy against k",
    "neighbourhoods": "Neighbourhoods across spaces",
}


def render_report(report: Report) -> str:
    """HTML of a report; it makes no request."""
    looked_at = max((facts["n"] for facts in report.spaces.values()), default=0)
    facts = {
        "items": f"{report.n_items:,}",
        "looked at": f"{looked_at:,}",
        "spaces": str(len(report.spaces)),
        "attributes": str(len(report.attributes)),
        "seconds": f"{sum(report.seconds.values()):.0f}",
    }
    return render_template(
        "study.html",
        title=f"UNE study of {report.database}",
        facts=facts,
        summary=_summary(report),
        sections=[_section(name, found) for name, found in report.sections.items()],
        seed=report.seed,
        version=__version__,
    )


def _section(name: SectionName, found: Any) -> dict[str, Any]:
    if isinstance(found, Absent):
        return {"name": name, "title": _TITLES[name], "absent": found.why, "section": None}
    return {"name": name, "title": _TITLES[name], "absent": "", "section": found.section()}


def _summary(report: Report) -> list[Table]:
    """Headlines of spaces, and of pairs of them where there are."""
    columns: dict[str, Mapping[str, Cell]] = {}
    for found in report.sections.values():
        if not isinstance(found, Absent):
            columns |= found.headlines()
    names = {
        name: Cell(name, note=f"{facts['kind']}, {facts['dim']} dimensions")
        for name, facts in report.spaces.items()
    }
    of_spaces = {name: cells for name, cells in columns.items() if names.keys() & cells.keys()}
    of_pairs = {name: cells for name, cells in columns.items() if name not in of_spaces}
    tables = [_table("space", names, of_spaces)]
    if of_pairs:
        pairs = {name: Cell(name) for cells in of_pairs.values() for name in cells}
        tables.append(_table("two spaces", pairs, of_pairs))
    return tables


def _table(
    what: str, names: Mapping[str, Cell], columns: Mapping[str, Mapping[str, Cell]]
) -> Table:
    rows = [
        [shown, *(cells.get(name, Cell("–")) for cells in columns.values())]
        for name, shown in names.items()
    ]
    return Table([what, *columns], rows)
