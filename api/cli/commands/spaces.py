"""Databases and their spaces: `init`, `spaces`, `models`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from api.cli.options import AsJson, Database, DatabaseFolder, Device, Key
from api.cli.output import note, print_json, print_table
from api.cli.session import folder_of, open_database, open_files

if TYPE_CHECKING:
    from latentdb.space import Space

SPEC_HELP = "A bundled model such as faces-clip, or NAME=LOADER:SOURCE; repeatable."


def init(
    db: DatabaseFolder = None,
    *,
    space: Annotated[
        list[str] | None,
        typer.Option(
            "--space",
            metavar="NAME",
            help=f"{SPEC_HELP} faces-clip, faces-noise and faces-ssl by default.",
        ),
    ] = None,
    device: Device = "auto",
    as_json: AsJson = False,
) -> None:
    """Create a database and give it spaces."""
    import latentdb
    from latentdb.bundled import DEFAULT_SPACES

    created = latentdb.create(folder_of(db), spaces=space or DEFAULT_SPACES, device=device)
    note(f"created {created.uri}")
    _print(list(created.spaces().values()), {}, as_json=as_json)


def spaces(
    db: Database = None,
    *,
    add: Annotated[
        list[str] | None,
        typer.Option("--add", metavar="NAME", help=f"Add a space first. {SPEC_HELP}"),
    ] = None,
    device: Device = "auto",
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """List the spaces; `ingest` brings the vectors of one that was just added."""
    if add:
        files = open_files(db, device=device)
        for spec in add:
            files.add_space(spec)
    opened = open_database(db, device=device, key=key)
    _print(list(opened.spaces().values()), opened.vector_counts(), as_json=as_json)


def models(*, as_json: AsJson = False) -> None:
    """List the models that come with the package, and the loaders for others."""
    from latentdb.spaces import describe_models

    found = describe_models()
    if as_json:
        print_json({"bundled": [model.to_json() for model in found], "loaders": LOADERS})
        return
    print_table(
        ["space", "kind", "dim", "text", "parameters", "MB", "installed", "card"],
        [
            [
                model.name,
                model.kind,
                model.dim,
                model.has_text,
                model.parameters,
                model.megabytes,
                model.is_installed,
                model.card,
            ]
            for model in found
        ],
        empty="no model is bundled",
    )
    note("any other model, by hub id or folder:")
    for example in LOADERS.values():
        note(f"  --space {example}")


LOADERS = {
    "open_clip": "clip=open_clip:SOURCE",
    "timm": "dino=timm:SOURCE",
    "transformers": "dinov2=transformers:SOURCE",
    "diffusers": "sd15=diffusers:SOURCE?inverter=fixed_point&steps=50",
}


def _print(found: list[Space], counts: dict[str, int], *, as_json: bool) -> None:
    if as_json:
        print_json([{**space.to_json(), "vectors": counts.get(space.name, 0)} for space in found])
        return
    from latentdb.wire.spaces import SERVED

    print_table(
        ["space", "kind", "dim", "text", "vectors", "fingerprint", "model"],
        [
            [
                space.name,
                space.kind,
                space.dim,
                space.has_text,
                counts.get(space.name, 0),
                space.fingerprint,
                "at the server" if space.spec == SERVED else space.spec,
            ]
            for space in found
        ],
        empty="no space yet: latentdb spaces DB --add NAME",
    )
