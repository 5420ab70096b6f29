"""Upkeep: `check` looks at a database, `doctor` at the installation."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from api.cli.errors import EXIT_PROBLEMS
from api.cli.options import AsJson, DatabaseFolder
from api.cli.output import note, print_json, print_table
from api.cli.session import open_files, wait_policy


def check(
    db: DatabaseFolder = None,
    *,
    repair: Annotated[bool, typer.Option("--repair", help="Mend what can be mended.")] = False,
    as_json: AsJson = False,
) -> None:
    """Look for lost, doubled or torn rows and files; exit code 1 where problems remain."""
    problems = open_files(db).check(repair=repair)
    serious = [problem for problem in problems if problem.severity == "fault"]
    if as_json:
        print_json([asdict(problem) for problem in problems])
    else:
        print_table(
            ["kind", "where", "count", "what"],
            [[problem.kind, problem.table, problem.count, problem.detail] for problem in problems],
            empty="nothing lost, doubled or torn",
        )
    if serious:
        hint = "" if repair else "; latentdb check DB --repair mends what can be mended"
        note(f"{len(serious)} problems{hint}")
        raise typer.Exit(EXIT_PROBLEMS)


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
