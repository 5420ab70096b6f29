"""Attributes: `direction` makes one, `directions` lists them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from api.cli.options import AsJson, At, Database, DatabaseFirst, Key, Seed
from api.cli.output import note, print_json, print_table
from api.cli.session import address_and, open_database

if TYPE_CHECKING:
    from latentdb.directions.change import Change
    from latentdb.protocol import SomeDirection

_FROM = "Made from one of"
_ORTHOGONAL = "Left alone"


def direction(  # noqa: PLR0913 - one parameter per option of the contract
    db: DatabaseFirst = None,
    name: Annotated[
        str | None, typer.Argument(metavar="NAME", help="What it will be called.")
    ] = None,
    *,
    space: Annotated[str, typer.Option("--space", metavar="S", help="Space it lives in.")],
    label: Annotated[
        str | None,
        typer.Option(
            "--label", metavar="COLUMN", help="A label of two values.", rich_help_panel=_FROM
        ),
    ] = None,
    pair: Annotated[
        tuple[int, int] | None,
        typer.Option(
            "--pair", metavar="ID ID", help="From one item to another.", rich_help_panel=_FROM
        ),
    ] = None,
    text: Annotated[
        tuple[str, str] | None,
        typer.Option(
            "--text",
            metavar="POS NEG",
            help='What it leads to and away from: "a smiling face" "a face".',
            rich_help_panel=_FROM,
        ),
    ] = None,
    like: Annotated[
        list[int] | None,
        typer.Option(
            "--like", metavar="ID", help="An item that has it; repeatable.", rich_help_panel=_FROM
        ),
    ] = None,
    unlike: Annotated[
        list[int] | None,
        typer.Option(
            "--unlike",
            metavar="ID",
            help="One that lacks it, beside --like; all items where none is given.",
            rich_help_panel=_FROM,
        ),
    ] = None,
    carry_from: Annotated[
        str | None,
        typer.Option(
            "--carry-from",
            metavar="S",
            help="The direction NAME of another space, through the maps.",
            rich_help_panel=_FROM,
        ),
    ] = None,
    method: Annotated[
        Literal["mean_difference", "lda", "logistic"] | None,
        typer.Option(
            help="Of --label: mean_difference moves questions furthest (default), lda ranks most "
            "surely, logistic is UNE's probe."
        ),
    ] = None,
    pair_method: Annotated[
        Literal["difference", "svd"] | None,
        typer.Option(help="Of --pair; difference by default, svd in a noise space alone."),
    ] = None,
    carry_as: Annotated[
        Literal["movement", "reading"] | None,
        typer.Option(help="Of --carry-from: what moves pictures, or what ranks them; as it is."),
    ] = None,
    orthogonal_to: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="Direction to leave alone; repeatable.",
            rich_help_panel=_ORTHOGONAL,
        ),
    ] = None,
    orthogonality: Annotated[
        Literal["readings", "scores", "vectors"] | None,
        typer.Option(
            help="Moves change no reading of it (default), scores are uncorrelated, or vectors are "
            "at right angles.",
            rich_help_panel=_ORTHOGONAL,
        ),
    ] = None,
    score_label: Annotated[
        str | None,
        typer.Option(
            metavar="COLUMN", help="Label to score by, of a direction that is made without one."
        ),
    ] = None,
    seed: Seed = 0,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Make the direction of an attribute, and score it on items that did not shape it."""
    where, wanted = address_and(db, name, "NAME")
    made = open_database(where, key=key).fit_direction(
        wanted,
        space=space,
        label=label,
        pair=pair,
        text=text,
        like=tuple(like or ()),
        unlike=tuple(unlike or ()),
        carry_from=carry_from,
        method=method,
        pair_method=pair_method,
        carry_as=carry_as,
        orthogonal_to=tuple(orthogonal_to or ()),
        orthogonality=orthogonality,
        score_label=score_label,
        seed=seed,
    )
    if as_json:
        print_json(made.to_json())
        return
    _print([made])


def directions(
    db: Database = None, *, key: Key = None, at: At = None, as_json: AsJson = False
) -> None:
    """List the directions with their scores, and what orthogonality cost them."""
    found = open_database(db, key=key, at=at).directions()
    if as_json:
        print_json([direction.to_json() for direction in found])
        return
    _print(found)


def _print(found: Sequence[SomeDirection]) -> None:
    """Directions and their scores; below, what those that leave others alone lost and gained."""
    print_table(
        [
            "name",
            "space",
            "from",
            "method",
            "positive",
            "negative",
            "AUC [95 %]",
            "balanced accuracy",
            "scored on",
        ],
        [_row(direction) for direction in found],
        empty="no direction yet: latentdb direction DB NAME --space S --label COLUMN",
    )
    costs = [row for direction in found for row in _costs(direction)]
    if costs:
        columns = ["name", "space", "leaves alone", "as", "AUC", "correlation", "with its label"]
        print_table(columns, costs, empty="")
    unscored = [direction.name for direction in found if direction.scores is None]
    if unscored:
        note(
            f"not scored, for want of a label: {', '.join(unscored)}; --score-label COLUMN "
            "measures one"
        )
    placed = [direction.name for direction in found if direction.boundary == "median"]
    if placed:
        note(f"boundary at the median of the space, which is a guess: {', '.join(placed)}")


def _row(direction: SomeDirection) -> list[object]:
    scores = direction.scores
    return [
        direction.name,
        direction.space,
        direction.label,
        direction.method,
        scores.n_positive if scores else None,
        scores.n_negative if scores else None,
        str(scores.auc) if scores else None,
        str(scores.balanced_accuracy) if scores else None,
        direction.column if scores else None,
    ]


def _costs(direction: SomeDirection) -> list[list[object]]:
    """A row for each direction that it leaves alone; the cost once."""
    cost = direction.cost
    if cost is None:
        return []
    rows: list[list[object]] = []
    for index, taken in enumerate(cost.nuisances):
        rows.append(
            [
                *([direction.name, direction.space] if index == 0 else ["", ""]),
                taken.name,
                cost.kind,
                _change(cost.auc) if index == 0 else "",
                _change(taken.correlation),
                _change(taken.label_correlation),
            ]
        )
    return rows


def _change(change: Change | None) -> str | None:
    """Before → after, and the interval of the difference."""
    if change is None:
        return None
    difference = change.difference
    return (
        f"{change.before.value:.3f} → {change.after.value:.3f} "
        f"[{difference.low:+.3f}, {difference.high:+.3f}]"
    )
