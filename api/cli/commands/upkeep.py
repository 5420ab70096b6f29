"""Upkeep: `check` looks at a database, `doctor` at the installation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from api.cli.errors import EXIT_PROBLEMS
from api.cli.options import AsJson, DatabaseFolder
from api.cli.output import note, print_json, print_table
from api.cli.session import open_files, wait_policy

if TYPE_CHECKING:
    from latentdb.store import Problem


def check(
    db: DatabaseFolder = None,
    *,
    repair: Annotated[bool, typer.Option("--repair", help="Mend what can be mended.")] = False,
    drop_unreadable: Annotated[
        bool,
        typer.Option(
            "--drop-unreadable",
            help="With --repair: move damaged tables aside whose rows ingest makes again.",
        ),
    ] = False,
    from_backup: Annotated[
        str | None,
        typer.Option(
            "--from-backup",
            metavar="DEST",
            help="With --repair: fetch damaged files from a folder of backups.",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Look for lost, doubled or damaged rows and files; exit code 1 where problems remain.

    With --repair it also lists what was mended; as JSON it is then an object of two lists.
    """
    from latentdb.checkup import examine, mend

    changing = {"--drop-unreadable": drop_unreadable, "--from-backup": from_backup}
    for option, value in changing.items():
        if value and not repair:
            raise typer.BadParameter(f"{option} goes with --repair: it changes the database")
    catalog = open_files(db).catalog
    if repair:
        done = mend(catalog, backup=from_backup, drop_unreadable=drop_unreadable)
        mended, problems = done.mended, done.problems
    else:
        mended, problems = (), tuple(examine(catalog))
    if as_json:
        left = [asdict(problem) for problem in problems]
        print_json({"mended": list(map(asdict, mended)), "problems": left} if repair else left)
    else:
        _show(mended, problems)
    faults = sum(problem.severity == "fault" for problem in problems)
    if faults:
        hint = "" if repair else "; latentdb check DB --repair mends what can be mended"
        note(f"{faults} problems{hint}")
        raise typer.Exit(EXIT_PROBLEMS)


def _show(mended: Sequence[Problem], problems: Sequence[Problem]) -> None:
    """What was mended and what is wrong as a table, and what to do about the rest."""
    rows = [("mended", one) for one in mended] + [(one.severity, one) for one in problems]
    print_table(
        ["", "kind", "where", "count", "what"],
        [[state, one.kind, one.table, one.count, one.detail] for state, one in rows],
        empty="nothing lost, doubled or damaged",
    )
    for one in problems:
        if one.cure and not one.repairable:
            note(f"{one.table}: {one.cure}")


def doctor(*, as_json: AsJson = False) -> None:
    """Say what is installed, what is not as it should be, and how to put it right."""
    from latentdb.doctor import examine

    findings = examine(wait_policy=wait_policy())
    if as_json:
        print_json([asdict(finding) for finding in findings])
    else:
        print_table(
            ["", "what", "found", "to do"],
            [[finding.status, finding.name, finding.found, finding.cure] for finding in findings],
            empty="",
        )
    if any(finding.status == "problem" for finding in findings):
        raise typer.Exit(EXIT_PROBLEMS)
