"""`maps` lists the maps between spaces with their scores; `sensitivity` says if more items help."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from api.cli.options import AsJson, At, Database, DatabaseFolder, Key, Seed
from api.cli.output import print_json, print_table
from api.cli.session import open_database, open_files

if TYPE_CHECKING:
    from latentdb.held_out import Estimate
    from latentdb.protocol import SomeMap


def maps(db: Database = None, *, key: Key = None, at: At = None, as_json: AsJson = False) -> None:
    """List the maps with their held-out scores."""
    found = open_database(db, key=key, at=at).maps()
    if as_json:
        print_json([linear_map.to_json() for linear_map in found])
        return
    print_maps(found)


def sensitivity(
    db: DatabaseFolder = None,
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
    """Score maps of more and more items on the same held-out ones: would more pictures help?

    Keeps no map.
    """
    found = open_files(db).sensitivity(source, target, method=method, seed=seed)
    if as_json:
        print_json([one.to_json() for one in found])
        return
    print_table(
        ["items fitted on", "R²", "centred cosine", "recall@1", "recall@10"],
        [
            [
                one.n_fitted,
                str(one.scores.r2),
                str(one.scores.centred_cosine),
                str(one.scores.recall_at_1),
                str(one.scores.recall_at_10),
            ]
            for one in found
        ],
        empty="nothing was scored",
    )


def print_maps(found: Sequence[SomeMap]) -> None:
    """Maps as a table, with their held-out scores."""
    print_table(
        [
            "from",
            "to",
            "method",
            "held out",
            "R²",
            "centred cosine",
            "recall@1/10/100",
            "back@1/10/100",
            "chance@10",
            "null@10",
            "mutual 10-NN",
            "its null",
            "beats null",
        ],
        [_row(linear_map) for linear_map in found],
        empty="no map yet: latentdb stitch DB --from A --to B",
    )


def _row(linear_map: SomeMap) -> list[object]:
    """Cells of one map; those it has no score for are empty."""
    scores, null = linear_map.scores, linear_map.scores.null
    return [
        linear_map.source,
        linear_map.target,
        linear_map.method,
        scores.n_held_out,
        scores.r2.value,
        scores.centred_cosine.value,
        _three(scores.recall_at_1, scores.recall_at_10, scores.recall_at_100),
        _three(
            scores.reverse_recall_at_1, scores.reverse_recall_at_10, scores.reverse_recall_at_100
        ),
        scores.chance_at(10),
        null.recall_at_10_mean if null else None,
        scores.mutual_knn.value if scores.mutual_knn else None,
        null.mutual_knn_mean if null else None,
        ("yes" if scores.beats_null else "no") if null else None,
    ]


def _three(*recalls: Estimate | None) -> str:
    """Recalls beside one another, a dash for one that was not measured."""
    return " ".join("–" if recall is None else f"{recall.value:.2f}" for recall in recalls)
