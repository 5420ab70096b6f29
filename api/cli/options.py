"""Options that several commands share, so that they read and mean the same everywhere."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from latentdb.types import EngineName

ENVIRONMENT_DB = "LATENTDB"
ENVIRONMENT_KEY = "LATENTDB_KEY"
ENVIRONMENT_AT = "LATENTDB_AT"


def _batch_size(written: str) -> int | None:
    """A number of pictures, or None for `auto`."""
    if written == "auto":
        return None
    if not written.isdecimal() or int(written) < 1:
        raise typer.BadParameter(f"expected auto or a number of at least 1, got {written!r}")
    return int(written)


_DB_HELP = (
    "Folder of the database, s3://BUCKET/NAME, or http:// of its server; "
    f"${ENVIRONMENT_DB} where not given."
)
Database = Annotated[
    str | None,
    typer.Argument(metavar="DB", envvar=ENVIRONMENT_DB, help=_DB_HELP, show_envvar=False),
]
# For commands with a second positional: which of two was left out is only known after parsing.
DatabaseFirst = Annotated[str | None, typer.Argument(metavar="DB", help=_DB_HELP)]
# For commands that work on the files.
DatabaseFolder = Annotated[
    str | None,
    typer.Argument(
        metavar="DB",
        envvar=ENVIRONMENT_DB,
        help=f"Folder of the database, or s3://BUCKET/NAME; ${ENVIRONMENT_DB} where not given.",
        show_envvar=False,
    ),
]
# The environment is read in one place, so that help and errors never show a key.
Key = Annotated[
    str | None,
    typer.Option(
        "--key",
        metavar="K",
        help=f"Key of an http:// database; ${ENVIRONMENT_KEY} where not given, which others on "
        "this machine cannot see.",
        show_default=False,
    ),
]
At = Annotated[
    str | None,
    typer.Option(
        "--at",
        metavar="NAME|TIME",
        help="The database as it was: a snapshot, or a time such as 2026-11-21T20:15 (UTC); "
        f"${ENVIRONMENT_AT} for every command.",
        show_default=False,
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON alone on stdout.")]
Device = Annotated[
    str, typer.Option("--device", help="Where models run: auto, cpu, cuda or cuda:1.")
]
BatchSize = Annotated[
    int | None,
    typer.Option(
        "--batch-size",
        metavar="N",
        parser=_batch_size,
        help="Pictures a model gets at once; auto: as many as memory holds.",
        show_default="auto",
    ),
]
Engine = Annotated[
    EngineName, typer.Option("--engine", help="On this machine, or by workers of a Ray cluster.")
]
Address = Annotated[
    str | None,
    typer.Option(
        "--address",
        metavar="A",
        help="Of a Ray cluster, as 10.0.0.1:6379; auto: the one that this machine is part of. "
        "Without one, --engine ray starts workers on this machine.",
        show_default=False,
    ),
]
Where = Annotated[
    str | None,
    typer.Option("--where", metavar="SQL", help="Condition on labels, quality columns, energy."),
]
Count = Annotated[int, typer.Option("-k", "--k", min=1, help="Number of hits.")]
Grid = Annotated[
    Path | None,
    typer.Option("--grid", metavar="OUT.png", help="Also draw the answer as a contact sheet."),
]
Seed = Annotated[int, typer.Option("--seed", help="Seed of the held-out split.")]
