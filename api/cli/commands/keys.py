"""API keys of a server: `keys add`, `keys list`, `keys revoke`."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from api.cli.options import AsJson
from api.cli.output import note, print_json, print_table

app = typer.Typer(
    help="Make, list and revoke the keys that a server lets in.", no_args_is_help=True
)

KeysPath = Annotated[
    Path,
    typer.Option("--keys", metavar="FILE", envvar="LATENTDB_SERVE_KEYS", help="File of the keys."),
]
_UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}


@app.command()
def add(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Who gets it, as logs will say.")],
    *,
    keys: KeysPath,
    scope: Annotated[
        str, typer.Option("--scope", metavar="SCOPE", help="read, write or admin.")
    ] = "read",
    expires: Annotated[
        str | None,
        typer.Option("--expires", metavar="TIME", help="Such as 12h, 90d or 52w; never if left."),
    ] = None,
    per_minute: Annotated[
        int | None,
        typer.Option("--per-minute", metavar="N", min=1, help="Requests it may send a minute."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Make a key and print it: once, because the file keeps only its SHA-256."""
    from api.http.keys import SCOPES, KeyFile

    if scope not in SCOPES:
        raise typer.BadParameter(f"--scope is one of {', '.join(SCOPES)}, got {scope!r}")
    whole = KeyFile(keys).add(name, scope, expires_at=_moment(expires), per_minute=per_minute)
    if as_json:
        print_json({"key": whole, "name": name, "scope": scope})
    else:
        typer.echo(whole)
    note(f"scope {scope}; it is kept nowhere, so hand it to {name} now")


@app.command("list")
def list_(*, keys: KeysPath, as_json: AsJson = False) -> None:
    """Show who has keys, without the keys."""
    from api.http.keys import KeyFile

    now = datetime.now(UTC)
    rows = [
        {
            "id": key.id,
            "name": key.name,
            "scope": key.scope,
            "state": key.state(now),
            "created_at": key.created_at,
            "expires_at": key.expires_at,
            "per_minute": key.per_minute,
        }
        for key in KeyFile(keys).read().keys
    ]
    if as_json:
        print_json(rows)
    else:
        columns = ["id", "name", "scope", "state", "created_at", "expires_at", "per_minute"]
        table = [[row[column] for column in columns] for row in rows]
        print_table(columns, table, empty="no keys")


@app.command()
def revoke(
    which: Annotated[str, typer.Argument(metavar="ID", help="Id or name of the key.")],
    *,
    keys: KeysPath,
) -> None:
    """End a key; servers that read the file notice within a second."""
    from api.http.keys import KeyFile

    ended = KeyFile(keys).revoke(which)
    note(f"revoked {ended.id} of {ended.name}")


def _moment(expires: str | None) -> datetime | None:
    """The time that is `expires` from now."""
    if expires is None:
        return None
    found = re.fullmatch(r"([0-9]{1,5})([hdw])", expires)
    if found is None or int(found[1]) == 0:
        raise typer.BadParameter(f"--expires is a time such as 12h, 90d or 52w, got {expires!r}")
    return datetime.now(UTC) + int(found[1]) * _UNITS[found[2]]
