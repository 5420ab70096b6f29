"""`imagine`: new pictures of what a question says."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from api.cli.files import (
    PICTURE_SUFFIXES,
    VECTOR_SUFFIXES,
    check_output,
    read_vector,
    write_picture,
    write_vectors,
)
from api.cli.options import AsJson, Database, Device, Key
from api.cli.output import note, print_json, print_table
from api.cli.progress import counted
from api.cli.session import open_database
from indexers.types import PriorName

if TYPE_CHECKING:
    from PIL import Image

    from latentdb.imagine import Imagined
    from latentdb.protocol import Database as AnyDatabase


def imagine(  # noqa: PLR0913 - one parameter per option of the contract
    db: Database = None,
    *,
    text: Annotated[str | None, typer.Option("--text", metavar="T", help="Ask in words.")] = None,
    image: Annotated[
        Path | None, typer.Option("--image", metavar="F", help="Ask with a picture.")
    ] = None,
    item: Annotated[
        int | None, typer.Option("--id", metavar="ID", help="Ask with a stored item.")
    ] = None,
    vector: Annotated[
        Path | None, typer.Option("--vector", metavar="F.npy", help="Ask with a vector of --from.")
    ] = None,
    from_space: Annotated[
        str | None, typer.Option("--from", metavar="S", help="Space the question is born in.")
    ] = None,
    space: Annotated[
        str | None,
        typer.Option("--space", metavar="S", help="Noise space that draws; the only one."),
    ] = None,
    n: Annotated[int, typer.Option("--n", min=1, max=1000, help="Number of pictures.")] = 8,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of the draws.")] = 0,
    temperature: Annotated[
        float,
        typer.Option(min=0.0, help="Of what the question leaves open: 1 as fitted, 0 its mean."),
    ] = 1.0,
    prior: Annotated[
        PriorName | None, typer.Option(help="Whose likeliest norm is restored; chi.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="F.png", help="Draw the pictures as a sheet.")
    ] = None,
    vectors: Annotated[
        Path | None,
        typer.Option("--vectors", metavar="F.npy", help="Keep their noise, for search --vector."),
    ] = None,
    device: Device = "auto",
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Make new pictures of what a text, a picture, a stored item or a vector says.

    A map, or a chain of them, carries the question into noise space; what it leaves open is drawn
    from the law of its residuals.
    """
    check_output(out, "--out", PICTURE_SUFFIXES)
    check_output(vectors, "--vectors", VECTOR_SUFFIXES)
    opened = open_database(db, device=device, key=key)
    with counted("decoding", n) as on_decoded:
        found = opened.imagine(
            text=text,
            image=image,
            id=item,
            vector=None if vector is None else read_vector(vector),
            from_space=from_space,
            space=space,
            n=n,
            seed=seed,
            temperature=temperature,
            prior=prior,
            on_decoded=on_decoded,
        )
    if out is not None:
        from latentdb.imagine.sheet import imagined_sheet

        write_picture(imagined_sheet(found, _asked_with(opened, item, image)), out)
    write_vectors(found.vectors, vectors)
    _print(found, as_json=as_json)


def _asked_with(opened: AnyDatabase, item: int | None, image: Path | None) -> Image.Image | None:
    """The picture of the question, where it has one."""
    from latentdb.query import read_picture

    if item is not None:
        return opened.picture(item)
    return None if image is None else read_picture(image)


def _print(found: Imagined, *, as_json: bool) -> None:
    if as_json:
        print_json(found.to_json())
        return
    print_table(
        ["picture", "norm", "z", "nearest stored", "distance"],
        [
            [
                at + 1,
                float(found.norms[at]),
                f"{found.norm_z[at]:+.2f}",
                int(found.nearest_ids[at]),
                float(found.nearest_distances[at]),
            ]
            for at in range(len(found.vectors))
        ],
        empty="",
    )
    if found.about.get("domain", {}).get("is_outside"):
        note("the question is unlike what the map was fitted on: expect pictures of something else")
    maps = found.chain.maps
    score = f" with held-out R² {maps[0].scores.r2.value:.2f}" if len(maps) == 1 else ""
    note(
        f"space {found.space.name}, {found.prior} prior; carried over from {found.source.name} "
        f"{found.how}{score}; the question decides "
        f"{100 * found.mean_share:.0f} % of the variance, residuals of rank {found.law.rank} the "
        f"rest at temperature {found.temperature:g}"
    )
