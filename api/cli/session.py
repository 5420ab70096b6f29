"""From what was typed to an opened database; the only file that reads the environment."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import typer

from api.cli.options import ENVIRONMENT_AT, ENVIRONMENT_DB, ENVIRONMENT_KEY

if TYPE_CHECKING:
    from latentdb.database import LatentDB
    from latentdb.protocol import Database


def wait_policy() -> str | None:
    """How threads of OpenMP were told to wait; None where nothing was said."""
    return os.environ.get("OMP_WAIT_POLICY")


def address(db: str | None) -> str:
    """Where the database lies.

    Raises
    ------
    typer.BadParameter
        Neither the argument nor the environment variable was given.
    """
    found = db or os.environ.get(ENVIRONMENT_DB)
    if not found:
        raise typer.BadParameter(
            f"no database: name its folder, or set {ENVIRONMENT_DB}=faces.ldb for all commands"
        )
    return found


def is_server(where: str) -> bool:
    """Whether an address is that of a server, and not a folder."""
    return where.lower().startswith(("http://", "https://"))


def address_and(db: str | None, other: str | None, name: str) -> tuple[str, str]:
    """Address and second positional of a command whose first one, the database, may be left out.

    Raises
    ------
    typer.BadParameter
        Too little was given.
    """
    if other is not None:
        return address(db), other
    if db is None:
        raise typer.BadParameter(f"{name} is missing")
    if not os.environ.get(ENVIRONMENT_DB):
        raise typer.BadParameter(
            f"got {db!r} alone: name the database and {name}, or set {ENVIRONMENT_DB} and give "
            f"{name} only"
        )
    return address(None), db


def address_and_ids(db: str | None, words: list[str] | None) -> tuple[str, list[int]]:
    """Address and ids of a command whose first word, the database, may be left out.

    A whole number that comes first is an id where the environment names the database; a folder
    of such a name is given as `./123`.

    Raises
    ------
    typer.BadParameter
        There is no database, or a word is not an id.
    """
    given = list(words or ())
    if db is not None and _is_id(db) and os.environ.get(ENVIRONMENT_DB):
        given, db = [db, *given], None
    if strange := [word for word in given if not _is_id(word)]:
        raise typer.BadParameter(f"an id is a whole number, got {strange[0]!r}")
    return address(db), [int(word) for word in given]


def _is_id(word: str) -> bool:
    return word.isascii() and word.isdigit()


def open_database(
    db: str | None, *, device: str = "auto", key: str | None = None, at: str | None = None
) -> Database:
    """The database that a command works on: of a folder, or of a server.

    Raises
    ------
    typer.BadParameter
        An option is for the other of the two.
    """
    import latentdb

    where = address(db)
    if not is_server(where):
        if key is not None:
            raise typer.BadParameter(f"--key is for the server of a database, and {where} is none")
        return latentdb.open(where, device=device, at=_time(at))
    if at is not None:
        raise typer.BadParameter(f"--at is for the files of a database, and {where} is a server")
    if device != "auto":
        raise typer.BadParameter(f"--device is where models run here; {where} has its own")
    return latentdb.connect(
        where,
        key=key or os.environ.get(ENVIRONMENT_KEY) or None,
        certificates=os.environ.get("SSL_CERT_FILE") or None,
    )


def open_files(db: str | None, *, device: str = "auto", at: str | None = None) -> LatentDB:
    """The database of a command that works on its files.

    Raises
    ------
    typer.BadParameter
        A server was named in its place.
    """
    import latentdb

    return latentdb.open(folder_of(db), device=device, at=_time(at))


def _time(at: str | None) -> str | None:
    """As of when a database is opened; now where neither the option nor the environment says."""
    return at or os.environ.get(ENVIRONMENT_AT) or None


def folder_of(db: str | None) -> str:
    """Where the files of the database lie; errors as `address` and `open_files`."""
    where = address(db)
    if is_server(where):
        raise typer.BadParameter(
            f"this works on the files of a database, and {where} is a server: run it on the "
            "machine that has them, with their folder"
        )
    return where
