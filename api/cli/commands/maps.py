"""Maps between spaces: `stitch` fits one, `maps` lists them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from api.cli.options import AsJson, Database, Seed
from api.cli.output import print_json, print_table
from api.cli.session import open_database

if TYPE_CHECKING:
    from latentdb.stitch.linear_map import LinearMap


def stitch(
    db: Database = None,
    *,
    source: Annotated[str, typer.Option("--from", metavar="A", help="Space it leads from.")],
    target: Annotated[str, typer.Option("--to", metavar="B", help="Space it leads to.")],
    method: Annotated[
        Literal["ridge", "reduced_rank", "procrustes", "cca"],
        typer.Option(help="How it is fitted."),
    ] = "ridge",
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """Fit the map from one space to another, and score it on items it has not seen."""
    fitted = open_database(db).stitch(source, target, method=method, seed=seed)
    if as_json:
        print_json(fitted.to_json())
        return
    _print([fitted])


def maps(db: Database = None, *, as_json: AsJson = False) -> None:
    """List the maps with their held-out scores."""
    found = open_database(db).maps()
    if as_json:
        print_json([linear_map.to_json() for linear_map in found])
        return
    _print(found)


def _print(found: list[LinearMap]) -> None:
    print_table(
        [
            "from",
            "to",
            "method",
            "held out",
            "R²",
            "centred cosine",
            "recall@10",
            "chance",
            "null recall@10",
        ],
        [
            [
                linear_map.source,
                linear_map.target,
                linear_map.method,
                linear_map.scores.n_held_out,
                linear_map.scores.r2.value,
                linear_map.scores.centred_cosine.value,
                linear_map.scores.recall_at_10.value,
                linear_map.scores.chance_at(10),
                linear_map.scores.null.recall_at_10_mean if linear_map.scores.null else None,
            ]
            for linear_map in found
        ],
        empty="no map yet: latentdb stitch DB --from A --to B",
    )
