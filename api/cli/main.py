"""The `latentdb` command, assembled. Commands import what is heavy when they run."""

from __future__ import annotations

from typing import Annotated

import typer

from api.cli.commands import (
    answers,
    audit,
    backup,
    between,
    directions,
    edit,
    energy,
    imagine,
    indexes,
    ingest,
    interchange,
    jobs,
    keys,
    listings,
    maps,
    migrate,
    nearest,
    report,
    serve,
    snapshots,
    spaces,
    stitch,
    upkeep,
)
from api.cli.errors import ErrorsAsText
from api.cli.output import speak_for_the_library

app = typer.Typer(
    name="latentdb",
    cls=ErrorsAsText,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="A latent vector database and semantic search engine for images.",
    epilog="Commands that answer take --json. $LATENTDB is the database where none is given.",
)

PICTURES_IN, QUESTIONS, LEARNED, UPKEEP = "Pictures in", "Questions", "Maps, directions", "Upkeep"

app.command("init", rich_help_panel=PICTURES_IN)(spaces.init)
app.command("ingest", rich_help_panel=PICTURES_IN)(ingest.ingest)
app.command("import", rich_help_panel=PICTURES_IN)(interchange.import_vectors)
app.command("export", rich_help_panel=PICTURES_IN)(interchange.export)
app.command("quarantine", rich_help_panel=PICTURES_IN)(ingest.quarantine)
app.command("spaces", rich_help_panel=PICTURES_IN)(spaces.spaces)
app.command("models", rich_help_panel=PICTURES_IN)(spaces.models)
app.command("items", rich_help_panel=QUESTIONS)(listings.items)
app.command("search", rich_help_panel=QUESTIONS)(answers.search)
app.command("nearest", rich_help_panel=QUESTIONS)(nearest.nearest)
app.command("rank", rich_help_panel=QUESTIONS)(answers.rank)
app.command("energy", rich_help_panel=QUESTIONS)(energy.energy)
app.command("interpolate", rich_help_panel=QUESTIONS)(between.interpolate)
app.command("centroid", rich_help_panel=QUESTIONS)(between.centroid)
app.command("imagine", rich_help_panel=QUESTIONS)(imagine.imagine)
app.command("edit", rich_help_panel=QUESTIONS)(edit.edit)
app.command("index", rich_help_panel=QUESTIONS)(indexes.index)
app.command("indexes", rich_help_panel=QUESTIONS)(indexes.indexes)
app.command("stitch", rich_help_panel=LEARNED)(stitch.stitch)
app.command("maps", rich_help_panel=LEARNED)(maps.maps)
app.command("sensitivity", rich_help_panel=LEARNED)(maps.sensitivity)
app.command("direction", rich_help_panel=LEARNED)(directions.direction)
app.command("directions", rich_help_panel=LEARNED)(directions.directions)
app.command("migrate-space", rich_help_panel=UPKEEP)(migrate.migrate_space)
app.command("report", rich_help_panel=LEARNED)(report.report)
app.command("audit", rich_help_panel=UPKEEP)(audit.audit)
app.command("check", rich_help_panel=UPKEEP)(upkeep.check)
app.command("compact", rich_help_panel=UPKEEP)(snapshots.compact)
app.command("snapshot", rich_help_panel=UPKEEP)(snapshots.snapshot)
app.command("snapshots", rich_help_panel=UPKEEP)(snapshots.snapshots)
app.command("backup", rich_help_panel=UPKEEP)(backup.backup)
app.command("restore", rich_help_panel=UPKEEP)(backup.restore)
app.command("doctor", rich_help_panel=UPKEEP)(upkeep.doctor)
app.command("serve", rich_help_panel=UPKEEP)(serve.serve)
app.command("jobs", rich_help_panel=UPKEEP)(jobs.jobs)
app.add_typer(keys.app, name="keys", rich_help_panel=UPKEEP)


def _version(wanted: bool) -> None:
    if wanted:
        from latentdb import __version__

        typer.echo(f"latentdb {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    """A latent vector database and semantic search engine for images."""


def main() -> None:
    """Console script."""
    speak_for_the_library()
    app()
