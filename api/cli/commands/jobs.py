"""Long work of servers: `jobs` lists it, and cancels it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from api.cli.options import AsJson, Database, Key
from api.cli.output import note, print_json, print_table
from api.cli.session import open_database

if TYPE_CHECKING:
    from latentdb.protocol import Database as AnyDatabase


def jobs(
    db: Database = None,
    *,
    cancel: Annotated[
        str | None,
        typer.Option("--cancel", metavar="ID", help="End this job; the first characters will do."),
    ] = None,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """List the jobs that servers of this database were given, the newest first.

    A job that waits ends at once, one that runs between two of its steps.
    """
    opened = open_database(db, key=key)
    if cancel is not None:
        _cancel(opened, _one_of([job["id"] for job in _listed(opened)], cancel))
    listed = _listed(opened)
    if as_json:
        print_json(listed)
        return
    print_table(
        ["id", "kind", "state", "done", "of", "what", "created"],
        [_row(job) for job in listed],
        empty="no job yet; a server is given them: latentdb serve DB",
    )
    waiting = sum(job["state"] == "queued" for job in listed)
    running = sum(job["state"] == "running" for job in listed)
    if listed:
        note(f"{running} running, {waiting} waiting, {len(listed) - running - waiting} over")


def _listed(opened: AnyDatabase) -> list[dict[str, Any]]:
    """The jobs, from the server or from the files of the database."""
    from api.jobs.book import JobBook
    from latentdb.client.remote import RemoteDB
    from latentdb.database import LatentDB

    if isinstance(opened, RemoteDB):
        return [job.to_json() for job in opened.jobs.all()]
    assert isinstance(opened, LatentDB)
    book = JobBook(opened.store.path)
    return [job.shown(book.progress(job.id)) for job in book.all()]


def _cancel(opened: AnyDatabase, job_id: str) -> None:
    from api.jobs import kinds
    from api.jobs.book import JobBook
    from latentdb.client.remote import RemoteDB
    from latentdb.database import LatentDB

    if isinstance(opened, RemoteDB):
        opened.jobs.cancel(job_id)
    else:
        assert isinstance(opened, LatentDB)
        kinds.cancel(opened, JobBook(opened.store.path), job_id)


def _row(job: dict[str, Any]) -> list[object]:
    progress, error = job["progress"], job["error"]
    what = progress["message"] if error is None else error["detail"]
    created = str(job["created_at"])[:19].replace("T", " ")
    return [
        job["id"],
        job["kind"],
        job["state"],
        progress["done"],
        progress["total"],
        what,
        created,
    ]


def _one_of(ids: list[str], beginning: str) -> str:
    """The one id that begins so."""
    found = [one for one in ids if one.startswith(beginning)]
    if len(found) != 1:
        count = "no job" if not found else f"{len(found)} jobs"
        raise typer.BadParameter(f"{count} of an id that begins with {beginning!r}")
    return found[0]
