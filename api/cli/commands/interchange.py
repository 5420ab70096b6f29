"""Vectors in and out: `import` and `export`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from api.cli.options import AsJson, At, DatabaseFirst, DatabaseFolder, Where
from api.cli.output import note, print_json, print_table
from api.cli.session import address_and, folder_of, open_files
from latentdb.interchange.request import Format

if TYPE_CHECKING:
    from latentdb.database import LatentDB
    from latentdb.interchange import ExportSummary, ImportOptions, ImportSummary


def import_vectors(  # noqa: PLR0913 - one parameter per option of the contract
    db: DatabaseFirst = None,
    source: Annotated[
        str | None,
        typer.Argument(metavar="FOLDER_OR_FILE", help="Files of vectors, or one of them."),
    ] = None,
    *,
    kind: Annotated[
        Format | None,
        typer.Option("--format", help="Of the files; by their names if left out."),
    ] = None,
    space: Annotated[
        list[str] | None,
        typer.Option(
            "--space",
            metavar="NAME=FILE",
            help="Call the vectors of FILE so; NAME alone takes only that space. Repeatable.",
        ),
    ] = None,
    labels: Annotated[
        Path | None,
        typer.Option(
            "--labels", metavar="FILE", help="Attributes, a row for each: CSV, JSONL, CelebA's, …"
        ),
    ] = None,
    label_rows: Annotated[
        str | None,
        typer.Option("--label-rows", metavar="A:B", help="Of the attributes, only rows A to B."),
    ] = None,
    ids: Annotated[
        str | None,
        typer.Option(
            "--ids", metavar="COLUMN", help="What names the rows: ids, or names such as of files."
        ),
    ] = None,
    images: Annotated[
        Path | None,
        typer.Option("--images", metavar="FOLDER", help="Pictures, found by the rows' names."),
    ] = None,
    name: Annotated[
        str | None, typer.Option("--name", metavar="N", help="Of the data set; the folder's name.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Import vectors made elsewhere, with attributes; run again, it goes on where it was."""
    from latentdb.ingest import RichProgress

    where, folder = address_and(db, source, "FOLDER_OR_FILE")
    options: ImportOptions = {
        "format": kind,
        "spaces": space or (),
        "labels": labels,
        "label_rows": _rows(label_rows),
        "ids": ids,
        "images": images,
        "name": name,
    }
    opened = _opened_or_created(where, folder, options)
    with RichProgress("import", counted="rows", unit="rows") as progress:
        options["progress"] = progress
        summary = opened.import_vectors(folder, **options)
    if as_json:
        print_json(summary.to_json())
        return
    _print_import(summary)


def export(
    db: DatabaseFolder = None,
    *,
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="A new folder.")],
    space: Annotated[
        list[str] | None,
        typer.Option("--space", metavar="S", help="Only these spaces; repeatable."),
    ] = None,
    kind: Annotated[Format, typer.Option("--format", help="Of the files.")] = "noisezoo",
    where: Where = None,
    at: At = None,
    as_json: AsJson = False,
) -> None:
    """Export vectors, labels and small pictures as files that others read."""
    from latentdb.ingest import RichProgress

    opened = open_files(db, at=at)
    with RichProgress("export", counted="rows", unit="rows") as progress:
        summary = opened.export_vectors(
            out, spaces=space, format=kind, where=where, progress=progress
        )
    if as_json:
        print_json(summary.to_json())
        return
    _print_export(summary)


def _opened_or_created(where: str, folder: str, options: ImportOptions) -> LatentDB:
    """The database, made without spaces where there is nothing yet and the import can be done."""
    import latentdb
    from latentdb.interchange.plan import make_plan
    from latentdb.interchange.request import ImportRequest
    from latentdb.store.locate import locate

    if locate(folder_of(where)).exists():
        return open_files(where)
    make_plan(ImportRequest(Path(folder), **options), {})
    created = latentdb.create(where, spaces=())
    note(f"created {created.uri}")
    return created


def _rows(text: str | None) -> tuple[int, int] | None:
    """Two numbers of rows, as A:B."""
    if text is None:
        return None
    first, _, end = text.partition(":")
    if not (first.isdecimal() and end.isdecimal()):
        raise typer.BadParameter(f"--label-rows is A:B, such as 162770:182637; got {text!r}")
    return int(first), int(end)


def _print_import(summary: ImportSummary) -> None:
    print_table(
        ["space", "rows", "added", "there already", "duplicates", "quarantined"],
        [
            [name, one.rows, one.added, one.present, one.duplicates, one.quarantined]
            for name, one in summary.spaces.items()
        ],
        empty="no vectors",
    )
    note(
        f"{summary.dataset}: {summary.items} items, {summary.added} new, {summary.with_picture} of "
        f"those with a picture; {summary.seconds:.1f} s"
    )
    if any(one.quarantined for one in summary.spaces.values()):
        note("latentdb quarantine DB says what was wrong with each row")


def _print_export(summary: ExportSummary) -> None:
    print_table(["space", "rows"], [[*row] for row in summary.spaces.items()], empty="no vectors")
    note(f"{summary.folder}: {', '.join(summary.files)}; {summary.seconds:.1f} s")
    if summary.left_out:
        note(
            f"{summary.left_out} items lack a vector in some space and are left out, since rows "
            "are in one order; --format safetensors or parquet keeps them"
        )
