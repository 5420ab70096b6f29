"""Copies elsewhere, and back: `backup`, `restore`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from api.cli.errors import EXIT_PROBLEMS
from api.cli.options import AsJson, DatabaseFirst
from api.cli.output import note, print_json, print_table
from api.cli.progress import transferred
from api.cli.session import address_and, open_files

if TYPE_CHECKING:
    from collections.abc import Sequence

    from latentdb.backup import BackupInfo

Destination = Annotated[
    str | None, typer.Argument(metavar="DEST", help="Folder of backups; made where it is missing.")
]


def backup(
    db: DatabaseFirst = None,
    destination: Destination = None,
    *,
    snapshot: Annotated[
        str | None,
        typer.Option("--snapshot", metavar="NAME", help="Back a snapshot up, not what is now."),
    ] = None,
    keep: Annotated[
        int | None,
        typer.Option("--keep", metavar="N", min=1, help="Then delete all but the last N backups."),
    ] = None,
    verify: Annotated[
        Path | None,
        typer.Option("--verify", metavar="DEST", help="Instead: read every file of DEST again."),
    ] = None,
    listing: Annotated[
        Path | None,
        typer.Option("--list", metavar="DEST", help="Instead: list the backups in DEST."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Back a database up; the second time costs what is new alone. See `latentdb restore`."""
    instead = [one for one in (verify, listing) if one is not None]
    if instead and (len(instead) > 1 or db or destination or snapshot or keep):
        raise typer.BadParameter("--verify DEST and --list DEST go alone")
    if verify is not None:
        _verify(verify, as_json=as_json)
    elif listing is not None:
        _list(listing, as_json=as_json)
    else:
        where, chosen = address_and(db, destination, "DEST")
        with transferred("backing up") as progress:
            done = open_files(where).upkeep.backup(
                chosen, snapshot=snapshot, keep=keep, progress=progress
            )
        if as_json:
            print_json(done.to_json())
            return
        _print([done.backup])
        note(f"{done.new_files} new files, {done.new_bytes / 1e6:.2f} MB; {done.seconds:.1f} s")
        if done.pruned:
            note(f"deleted {', '.join(done.pruned)}: {done.freed_bytes / 1e6:.1f} MB freed")


def restore(
    source: Annotated[str, typer.Argument(metavar="DEST", help="Folder of backups.")],
    new: Annotated[str, typer.Argument(metavar="NEW", help="Database to make; not there yet.")],
    *,
    backup: Annotated[
        str | None,
        typer.Option("--backup", "--snapshot", metavar="ID", help="Which one; else the last."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Make a database from a backup; every file is checked against its hash."""
    import latentdb

    with transferred("restoring") as progress:
        done = latentdb.restore(source, new, backup=backup, progress=progress)
    if as_json:
        print_json(done.to_json())
        return
    _print([done.backup])
    note(f"restored to {done.uri} in {done.seconds:.1f} s")


def _verify(folder: Path, *, as_json: bool) -> None:
    from latentdb.backup import Repository

    repository = Repository(folder)
    with transferred("verifying") as progress:
        faults = repository.faults(progress)
    if as_json:
        print_json({"faults": faults})
    else:
        print_table(["damaged"], [[fault] for fault in faults], empty="every file is whole")
    if faults:
        note(f"{len(faults)} damaged files; delete them, and the next backup copies them again")
        raise typer.Exit(EXIT_PROBLEMS)


def _list(folder: Path, *, as_json: bool) -> None:
    from latentdb.backup import Repository

    infos = Repository(folder).infos()
    if as_json:
        print_json([one.to_json() for one in infos])
        return
    _print(infos)


def _print(found: Sequence[BackupInfo]) -> None:
    print_table(
        ["backup", "of", "items", "spaces", "files", "MB"],
        [
            [
                one.id,
                one.created_at,
                one.items,
                ", ".join(one.spaces),
                one.files,
                one.total_bytes / 1e6,
            ]
            for one in found
        ],
        empty="no backup yet; make one: latentdb backup DB DEST",
    )
