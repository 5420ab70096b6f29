"""`audit` checks by a sample of questions what searches find."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from api.cli.errors import EXIT_PROBLEMS
from api.cli.options import AsJson, DatabaseFolder, Device
from api.cli.output import note, print_json, print_table
from api.cli.session import open_files

if TYPE_CHECKING:
    from latentdb.index.audit import IndexAudit
    from latentdb.index.questions import QuestionKind


def audit(
    db: DatabaseFolder = None,
    *,
    space: Annotated[
        str | None, typer.Option("--space", metavar="S", help="Whose indexes; all where not given.")
    ] = None,
    questions: Annotated[
        int, typer.Option(min=1, help="How many of each kind; more are surer and take longer.")
    ] = 200,
    target: Annotated[
        float | None,
        typer.Option(
            min=0.0,
            max=1.0,
            help="Recall@10 that every kind is to reach; what the index was tuned for where not "
            "given, 1 of exact search.",
        ),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Another seed asks other questions.")] = 1,
    device: Device = "auto",
    as_json: AsJson = False,
) -> None:
    """Compare what searches find with all rows, by kind of question; exit code 1 below target."""
    found = open_files(db, device=device).upkeep.audit(
        space, questions=questions, target=target, seed=seed
    )
    if as_json:
        print_json([one.to_json() for one in found])
    else:
        _print(found)
    alarms = [one.alarm for one in found if one.alarm is not None]
    for alarm in alarms:
        note(alarm)
    if alarms:
        raise typer.Exit(EXIT_PROBLEMS)


def _print(found: list[IndexAudit]) -> None:
    print_table(
        ["index", "structure", "question", "asked", "recall@10", "±", "when built", "target", ""],
        [
            [
                str(one.index),
                one.kind,
                kind,
                recall.questions,
                recall.value,
                recall.error,
                one.before.get(kind),
                one.target,
                _verdict(one, kind),
            ]
            for one in found
            for kind, recall in one.recall.items()
        ],
        empty="no index on disk; searches are exact. Build one: latentdb index DB --space S "
        "--metric M",
    )
    for one in found:
        if one.not_asked:
            why = "; ".join(f"no {kind}: {reason}" for kind, reason in one.not_asked.items())
            note(f"{one.index} was asked {why}")


def _verdict(one: IndexAudit, kind: QuestionKind) -> str:
    if kind in one.missing:
        return "below"
    return "ok" if one.recall[kind].value >= one.target else "within its error"
