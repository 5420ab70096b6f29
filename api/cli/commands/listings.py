"""What is stored: `items`."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from api.cli.options import AsJson, At, Database, Key, Where
from api.cli.output import note, print_json, print_table
from api.cli.session import open_database


def items(
    db: Database = None,
    *,
    where: Where = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="How many to list.")] = 20,
    key: Key = None,
    at: At = None,
    as_json: AsJson = False,
) -> None:
    """List stored items with their ids and labels."""
    from latentdb.pictures import short_labels

    page = open_database(db, key=key, at=at).list_items(where=where, limit=limit)
    if as_json:
        print_json({"count": page.count, "items": [asdict(item) for item in page.items]})
        return
    print_table(
        ["id", "size", "labels", "source"],
        [
            [
                item.id,
                f"{item.width}x{item.height}" if item.has_picture else None,
                short_labels(item.labels),
                item.source,
            ]
            for item in page.items
        ],
        empty="no item qualifies",
    )
    note(f"{len(page.items)} of {page.count} items")
