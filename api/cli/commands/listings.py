"""What is stored: `items`."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from api.cli.options import AsJson, Database, Where
from api.cli.output import note, print_json, print_table
from api.cli.session import open_database


def items(
    db: Database = None,
    *,
    where: Where = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="How many to list.")] = 20,
    as_json: AsJson = False,
) -> None:
    """List stored items with their ids and labels."""
    from latentdb.filters import filter_ids
    from latentdb.pictures import short_labels

    opened = open_database(db)
    store = opened.store
    ids = store.item_ids() if where is None else filter_ids(store, where, None)
    found = opened.items(ids[:limit].tolist())
    if as_json:
        print_json({"count": len(ids), "items": [asdict(item) for item in found]})
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
            for item in found
        ],
        empty="no item qualifies",
    )
    note(f"{len(found)} of {len(ids)} items")
