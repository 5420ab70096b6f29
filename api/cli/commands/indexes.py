"""Indexes: `index` builds one, `indexes` lists them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from api.cli.options import AsJson, Database, Key
from api.cli.output import note, print_json, print_table
from api.cli.session import open_database
from indexers.types import IndexKind, MetricName, PriorName

if TYPE_CHECKING:
    from latentdb.index import IndexInfo
    from latentdb.protocol import IndexOptions


def index(
    db: Database = None,
    *,
    space: Annotated[str, typer.Option("--space", metavar="S", help="Whose vectors.")],
    metric: Annotated[MetricName, typer.Option(help="What nearness means.")],
    prior: Annotated[
        PriorName | None,
        typer.Option(help="Law of the norm, for --metric nao; chi where not given."),
    ] = None,
    kind: Annotated[
        IndexKind,
        typer.Option(
            help="flat and sq8 are exact, sq8 in about half of the time; hnsw finds most, "
            "much sooner, from about 100,000 vectors on; ivf is built sooner than hnsw."
        ),
    ] = "flat",
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Build the index of a space under a metric, or build it anew."""
    if prior is not None and metric != "nao":
        raise typer.BadParameter(f"--prior belongs to --metric nao, got --metric {metric}")
    opened = open_database(db, key=key)
    asked: IndexOptions = {"metric": metric, "kind": kind}
    if prior is not None:
        asked["prior"] = prior
    built = opened.build_index(space, **asked)
    if as_json:
        print_json(built.to_json())
        return
    _print([built])
    note(f"built in {built.seconds:.2f} s")


def indexes(db: Database = None, *, key: Key = None, as_json: AsJson = False) -> None:
    """List the indexes and how far each is behind its table."""
    found = open_database(db, key=key).indexes()
    if as_json:
        print_json([info.to_json() for info in found])
        return
    _print(found)


_COLUMNS = (
    "space", "metric", "prior", "kind", "vectors", "recall@10", "newer rows", "removed rows", "MB",
)  # fmt: skip


def _print(found: list[IndexInfo]) -> None:
    print_table(
        [
            "space",
            "metric",
            "prior",
            "kind",
            "vectors",
            "recall@10",
            "newer rows",
            "removed rows",
            "MB",
        ],
        [
            [
                info.space,
                info.metric,
                info.prior,
                info.kind,
                info.count,
                info.recall_at_10,
                info.newer_rows,
                info.removed_rows,
                info.index_bytes / 1e6,
            ]
            for info in found
        ],
        empty="no index yet; searches are exact. Build one: latentdb index DB --space S --metric M",
    )
