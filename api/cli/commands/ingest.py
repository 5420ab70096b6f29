"""Pictures in: `ingest`, and `quarantine` for those that could not be used."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from api.cli.options import Address, AsJson, BatchSize, Database, DatabaseFirst, Device, Engine, Key
from api.cli.output import note, print_json, print_table
from api.cli.session import address_and, is_server, open_database

if TYPE_CHECKING:
    from latentdb.types import IngestSummary


def ingest(  # noqa: PLR0913 - one parameter per option of the contract
    db: DatabaseFirst = None,
    source: Annotated[
        str | None,
        typer.Argument(metavar="SOURCE", help="A picture, folder, glob, zip, tar or Parquet file."),
    ] = None,
    *,
    space: Annotated[
        list[str] | None,
        typer.Option("--space", metavar="S", help="Only these spaces; repeatable."),
    ] = None,
    labels: Annotated[
        Path | None,
        typer.Option("--labels", metavar="FILE", help="CSV or JSONL with a path column."),
    ] = None,
    batch_size: BatchSize = None,
    workers: Annotated[
        int | None,
        typer.Option(
            min=0,
            help="Decoding processes, 0 for this one; with --engine ray, workers of the cluster.",
            show_default="auto",
        ),
    ] = None,
    max_megapixels: Annotated[
        float | None, typer.Option(min=0.0, help="Larger pictures go to quarantine unread.")
    ] = None,
    limit: Annotated[
        int | None, typer.Option(min=1, help="Only the first so many files.", show_default="all")
    ] = None,
    retry_quarantined: Annotated[
        bool, typer.Option("--retry-quarantined", help="Try files in quarantine again.")
    ] = False,
    engine: Engine = "local",
    address: Address = None,
    device: Device = "auto",
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Put pictures into the database; interrupted, run it again and it goes on where it was."""
    from latentdb.ingest import IngestOptions, RichProgress
    from latentdb.ingest.decode import DEFAULT_MAX_MEGAPIXELS

    where, pictures = address_and(db, source, "SOURCE")
    options = IngestOptions(
        batch_size=batch_size,
        workers=workers,
        max_megapixels=max_megapixels or DEFAULT_MAX_MEGAPIXELS,
        limit=limit,
        retry_quarantined=retry_quarantined,
        labels=labels,
    )
    opened = open_database(where, device=device, key=key)
    with RichProgress() as progress:
        summary = opened.ingest(
            pictures,
            spaces=space,
            options=options,
            progress=progress,
            engine=engine,
            address=address,
        )
    if as_json:
        print_json(asdict(summary))
        return
    _print(summary)
    if summary.quarantined and not is_server(where):
        note("latentdb quarantine DB says what was wrong with each file")


def quarantine(db: Database = None, *, key: Key = None, as_json: AsJson = False) -> None:
    """List the files that could not be used, each with its reason."""
    rows = open_database(db, key=key).quarantine()
    if as_json:
        print_json([asdict(row) for row in rows])
        return
    print_table(
        ["reason", "source", "what was found"],
        [[row.reason, row.source, row.message] for row in rows],
        empty="no file is in quarantine",
    )


def _print(summary: IngestSummary) -> None:
    rate = summary.seen / summary.seconds if summary.seconds else 0.0
    rows: list[list[object]] = [
        ["files seen", summary.seen],
        ["new items", summary.added],
        ["items completed", summary.completed],
        ["known already", summary.known],
        ["same pixels as another", summary.duplicates],
        ["quarantined", summary.quarantined],
    ]
    rows += [[f"  {reason}", count] for reason, count in sorted(summary.reasons.items())]
    seldom = [
        ["of no picture type, skipped", summary.skipped],
        ["without a row of labels", summary.unlabelled],
        ["rows of labels without a file", summary.labels_unused],
    ]
    rows += [row for row in seldom if row[1]]
    print_table(["ingest", "count"], rows, empty="")
    note(f"{', '.join(summary.spaces)}; {summary.seconds:.1f} s, {rate:.1f} files/s")
