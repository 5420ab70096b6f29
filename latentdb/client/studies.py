"""What a server finds out about spaces: projections, values of their points, the report."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import numpy as np

from latentdb.client.jobs import JobProgress, Jobs
from latentdb.client.questions import given
from latentdb.client.transport import Call, Transport
from latentdb.errors import UnknownItemError
from latentdb.projection import PointValues, Projection2D, ProjectOptions
from latentdb.report.facts import ReportFacts
from latentdb.report.options import ReportOptions
from latentdb.wire import decode
from latentdb.wire.fields import Fields

PAGE: Final = "report.html"
NUMBERS: Final = "report.json"
_MOST_POINTS: Final = 1_000_000

Listener = Callable[[JobProgress], None]


def more_done(tell: Callable[[int], None] | None) -> Listener:
    """A listener that tells another one how many more are done since it was last told."""
    told = 0

    def listen(progress: JobProgress) -> None:
        nonlocal told
        if tell is not None and progress.done > told:
            tell(progress.done - told)
            told = progress.done

    return listen


def project(transport: Transport, jobs: Jobs, space: str, options: ProjectOptions) -> Projection2D:
    """The items of a space as points of a plane; "umap" is made first, as a job."""
    method, again = options.get("method", "pca"), options.get("again", False)
    if again or (method == "umap" and not options.get("only_kept", False)):
        seed = options.get("seed")
        body = {"space": space, "method": method, "seed": seed, "again": again}
        jobs.run("/v1/projections", given(body), passed_on(options.get("progress")))
    asked = {
        "method": method,
        "limit": options.get("limit") or _MOST_POINTS,
        "where": options.get("where"),
        "seed": options.get("seed"),
    }
    return decode(Projection2D, _of_space(transport, space, "projection", asked))


def passed_on(tell: Callable[[int, int, str], None] | None) -> Listener | None:
    """A listener that tells one of ours of every step."""
    if tell is None:
        return None
    return lambda progress: tell(progress.done, progress.total or 0, progress.message)


def point_values(
    transport: Transport, space: str, by: str, ids: Sequence[int] | None
) -> PointValues:
    """A value per item of a space, or of some of them, to colour points by."""
    asked = {"by": by, "limit": _MOST_POINTS}
    found = decode(PointValues, _of_space(transport, space, "values", asked))
    if ids is None:
        return found
    wanted = np.asarray(ids, dtype=np.int64)
    order = np.argsort(found.ids)
    at = np.searchsorted(found.ids, wanted, sorter=order).clip(max=max(0, len(order) - 1))
    missing = wanted[found.ids[order][at] != wanted] if len(order) else wanted
    if len(missing):
        raise UnknownItemError.naming(
            np.unique(missing).tolist(), f"items with a vector in space {space!r}"
        )
    return replace(found, ids=wanted, values=found.values[order[at]])


def fetch_report(
    transport: Transport, jobs: Jobs, out: Path, options: ReportOptions
) -> ReportFacts:
    """Have every space studied, and bring the page and the numbers into the folder `out`."""
    tell = options.get("on_section")
    sections = options.get("sections")
    body: dict[str, Any] = {
        "sections": None if sections is None else list(sections),
        "seed": options.get("seed"),
        "limit": options.get("limit"),
        "quick": options.get("quick"),
    }
    made = Fields(jobs.run("/v1/reports", given(body), _sections(tell)), "report")
    out.mkdir(parents=True, exist_ok=True)
    for name in (PAGE, NUMBERS):
        path = f"/v1/reports/{quote(made.text('id'), safe='')}/{name}"
        content = transport.content(Call("GET", path, may_repeat=True))
        (out / name).write_bytes(content)
    return ReportFacts.from_json(json.loads((out / NUMBERS).read_text(encoding="utf-8")))


def _sections(tell: Callable[[Any], None] | None) -> Listener:
    """A listener that tells another one each section once, as it begins."""
    last = ""

    def listen(progress: JobProgress) -> None:
        nonlocal last
        if tell is not None and progress.message and progress.message != last:
            last = progress.message
            tell(last.replace(" ", "_"))

    return listen


def _of_space(transport: Transport, space: str, what: str, asked: dict[str, Any]) -> Any:
    query = {name: str(value) for name, value in given(asked).items()}
    path = f"/v1/spaces/{quote(space, safe='')}/{what}"
    return transport.json(Call("GET", path, query, may_repeat=True))
