"""Attributes: `direction` fits one, `directions` lists them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from api.cli.options import AsJson, Database, DatabaseFirst, Seed
from api.cli.output import print_json, print_table
from api.cli.session import address_and, open_database

if TYPE_CHECKING:
    from latentdb.directions.direction import Direction


def direction(  # noqa: PLR0913 - one parameter per option of the contract
    db: DatabaseFirst = None,
    name: Annotated[
        str | None, typer.Argument(metavar="NAME", help="What it will be called.")
    ] = None,
    *,
    space: Annotated[str, typer.Option("--space", metavar="S", help="Space it lives in.")],
    label: Annotated[
        str, typer.Option("--label", metavar="COLUMN", help="Label of two values to fit it from.")
    ],
    method: Annotated[
        Literal["logistic", "mean_difference"],
        typer.Option(help="mean_difference moves questions furthest, logistic ranks most surely."),
    ] = "mean_difference",
    orthogonal_to: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Direction to take off first; repeatable."),
    ] = None,
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """Fit the direction of an attribute from a label, and score it on items it has not seen."""
    where, wanted = address_and(db, name, "NAME")
    fitted = open_database(where).fit_direction(
        wanted,
        space=space,
        label=label,
        method=method,
        orthogonal_to=tuple(orthogonal_to or ()),
        seed=seed,
    )
    if as_json:
        print_json(fitted.to_json())
        return
    _print([fitted])


def directions(db: Database = None, *, as_json: AsJson = False) -> None:
    """List the directions with their held-out scores."""
    found = open_database(db).directions()
    if as_json:
        print_json([direction.to_json() for direction in found])
        return
    _print(found)


def _print(found: list[Direction]) -> None:
    print_table(
        ["name", "space", "label", "method", "positive", "negative", "AUC [95 %]", "orthogonal to"],
        [_row(direction) for direction in found],
        empty="no direction yet: latentdb direction DB NAME --space S --label COLUMN",
    )


def _row(direction: Direction) -> list[object]:
    scores = direction.scores
    return [
        direction.name,
        direction.space,
        direction.label,
        direction.method,
        scores.n_positive if scores else None,
        scores.n_negative if scores else None,
        str(scores.auc) if scores else None,
        ", ".join(direction.orthogonal_to) or None,
    ]
