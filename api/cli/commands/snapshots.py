"""Past states, and what forgets them: `snapshot`, `snapshots`, `compact`."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from api.cli.options import AsJson, DatabaseFirst, DatabaseFolder
from api.cli.output import note, print_json, print_table
from api.cli.session import address_and, open_files

if TYPE_CHECKING:
    from collections.abc import Sequence

    from latentdb.store.snapshots import SnapshotInfo


def snapshot(
    db: DatabaseFirst = None,
    name: Annotated[
        str | None, typer.Argument(metavar="NAME", help="What it is called, as in --at NAME.")
    ] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Keep the database as it is now; it costs the disk what is deleted or compacted later."""
    where, chosen = address_and(db, name, "NAME")
    taken = open_files(where).upkeep.snapshot(chosen)
    if as_json:
        print_json(taken.to_json())
        return
    _print([taken])
    note(f"open it with --at {taken.name}")


def snapshots(
    db: DatabaseFolder = None,
    *,
    drop: Annotated[
        list[str] | None,
        typer.Option("--drop", metavar="NAME", help="Delete a snapshot first; repeatable."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List the snapshots, and what dropping each would free."""
    upkeep = open_files(db).upkeep
    for name in drop or ():
        upkeep.drop_snapshot(name)
    found = upkeep.snapshots()
    if as_json:
        print_json([one.to_json() for one in found])
        return
    _print(found)


def compact(
    db: DatabaseFolder = None,
    *,
    keep_hours: Annotated[
        float,
        typer.Option(
            "--keep-hours",
            metavar="H",
            min=0,
            help="Leave versions younger than this, for --at TIME.",
        ),
    ] = 0.0,
    as_json: AsJson = False,
) -> None:
    """Merge small pieces of the tables and drop their old versions; snapshots stay whole."""
    opened = open_files(db)
    done = opened.upkeep.compact(keep=timedelta(hours=keep_hours))
    if as_json:
        print_json(done.to_json())
        return
    note(
        f"{done.pieces_before} pieces and {done.versions_before} versions before, "
        f"{done.pieces_after} and {done.versions_after} now"
    )


def _print(found: Sequence[SnapshotInfo]) -> None:
    print_table(
        ["snapshot", "taken at", "items", "spaces", "MB", "MB of its own"],
        [
            [
                one.name,
                one.created_at,
                one.items,
                ", ".join(one.spaces),
                one.total_bytes / 1e6,
                one.own_bytes / 1e6,
            ]
            for one in found
        ],
        empty="no snapshot yet; take one: latentdb snapshot DB NAME",
    )
