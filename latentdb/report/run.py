"""The report: every study of a database, as a page and as numbers."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, Unpack, cast, get_args

from indexers.errors import ParameterError
from latentdb.catalog import Catalog
from latentdb.errors import NotEnoughDataError
from latentdb.report.autocorrelation import study_autocorrelation
from latentdb.report.controls import study_controls
from latentdb.report.gaussianity import study_gaussianity
from latentdb.report.neighbourhoods import study_neighbourhoods
from latentdb.report.norm_law import study_norm_law
from latentdb.report.options import QUICK, Plan, ReportOptions, SectionName
from latentdb.report.probe_agreement import study_probe_agreement
from latentdb.report.probes import study_probes
from latentdb.report.report import Report
from latentdb.report.sample import Sample
from latentdb.report.shared_accuracy import study_shared_accuracy
from latentdb.report.singular_values import study_singular_values
from latentdb.report.spectrum import study_spectrum
from latentdb.report.study import Absent, AbstractFindings

PAGE: Final = "report.html"
NUMBERS: Final = "report.json"

STUDIES: Final[Mapping[SectionName, Callable[[Sample], AbstractFindings]]] = {
    "gaussianity": study_gaussianity,
    "norm_law": study_norm_law,
    "spectrum": study_spectrum,
    "autocorrelation": study_autocorrelation,
    "singular_values": study_singular_values,
    "probes": study_probes,
    "controls": study_controls,
    "probe_agreement": study_probe_agreement,
    "shared_accuracy": study_shared_accuracy,
    "neighbourhoods": study_neighbourhoods,
}
"""What there is to study, in the order of the page."""


def write_report(catalog: Catalog, out: Path, **options: Unpack[ReportOptions]) -> Report:
    """Study a database, and write `report.html` and `report.json`.

    Parameters
    ----------
    catalog : Catalog
        Only read.
    out : Path
        Folder, made where it is missing; files of an earlier report are replaced.
    sections : sequence of SectionName
        Which studies; all where not given.
    seed : int
        Of the items looked at, of splits and of everything drawn: the same seed gives the same
        numbers.
    limit : int
        Items of each space that are looked at, at most; 5,000, or 1,000 when quick.
    quick : bool
        Fewer projections, pictures and permutations, in seconds.
    on_section : callable
        Told the name of each study as it begins.

    Raises
    ------
    ParameterError
        A section is not known, or `limit` or `seed` is out of its range.
    """
    report = study(catalog, **options)
    # Jinja and matplotlib's drawings are wanted for the page alone.
    from latentdb.report.study_page import render_report

    page = render_report(report)
    numbers = json.dumps(report.to_json(), indent=1, allow_nan=False)
    out.mkdir(parents=True, exist_ok=True)
    (out / NUMBERS).write_text(numbers + "\n", encoding="utf-8")
    (out / PAGE).write_text(page, encoding="utf-8")
    return report


def study(catalog: Catalog, **options: Unpack[ReportOptions]) -> Report:
    """Study a database and write nothing; see `write_report`."""
    wanted = _wanted(options)
    sample = Sample(catalog, _plan(options), seed=options.get("seed", 0))
    tell = options.get("on_section")
    sections: dict[SectionName, AbstractFindings | Absent] = {}
    seconds = {}
    for name in wanted:
        if tell is not None:
            tell(name)
        started = time.perf_counter()
        try:
            sections[name] = STUDIES[name](sample)
        except NotEnoughDataError as error:
            sections[name] = Absent(str(error))
        seconds[name] = round(time.perf_counter() - started, 2)
    return Report(
        database=catalog.store.path.name,
        n_items=len(catalog.store.item_ids()),
        spaces={name: _facts(sample, name) for name in sample.spaces},
        attributes=tuple(one.name for one in sample.attributes),
        sections=sections,
        seconds=seconds,
        plan=sample.plan,
        seed=sample.seed,
    )


def _wanted(options: ReportOptions) -> list[SectionName]:
    """The studies asked for, in the order of the page."""
    asked = options.get("sections") or tuple(STUDIES)
    if unknown := [name for name in asked if name not in STUDIES]:
        known = ", ".join(cast("tuple[str, ...]", get_args(SectionName)))
        raise ParameterError(f"there is no section {', '.join(unknown)}; there are {known}")
    return [name for name in STUDIES if name in asked]


def _plan(options: ReportOptions) -> Plan:
    plan = QUICK if options.get("quick", False) else Plan()
    limit = options.get("limit", plan.limit)
    if limit < 1 or options.get("seed", 0) < 0:
        raise ParameterError(
            f"limit is at least 1 and the seed at least 0, got {limit} and {options.get('seed')}"
        )
    return replace(plan, limit=limit)


def _facts(sample: Sample, name: str) -> dict[str, Any]:
    space = sample.spaces[name]
    return {
        "kind": space.kind,
        "dim": space.dim,
        "fingerprint": space.fingerprint,
        "n": len(sample.ids(name)),
    }
