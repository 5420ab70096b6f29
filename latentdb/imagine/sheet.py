"""The picture of an answer in pictures: what was asked, then what was imagined."""

from __future__ import annotations

from PIL import Image

from latentdb.catalog import Catalog
from latentdb.imagine.imagined import Imagined
from latentdb.pictures import SheetStyle, Tile, contact_sheet, describe_query
from latentdb.query import Query, read_picture


def imagined_sheet(catalog: Catalog, found: Imagined) -> Image.Image:
    """The question in a frame, and every picture made, with its norm against white noise.

    Parameters
    ----------
    catalog : Catalog
        Where a stored item's picture is.
    found : Imagined

    Returns
    -------
    Image
        RGB.
    """
    asked = {**found.query.to_json(), "from": found.source.name}
    question, _ = describe_query(asked)
    tiles = [
        Tile(f"{at}", f"z {round(z, 1) + 0.0:+.1f}", picture=picture)
        for at, (z, picture) in enumerate(zip(found.norm_z, found.pictures, strict=True), start=1)
    ]
    how = f"from {found.source.name}\n{found.how}"
    query_tile = Tile("Query", caption=how, picture=_picture(catalog, found.query), text=question)
    heading = (
        f"{question}   ·   imagined in {found.space.name}, temperature {found.temperature:g}, "
        f"{found.prior} prior, seed {found.seed}"
    )
    return contact_sheet(heading, query_tile, tiles, style=SheetStyle(tile_size=160))


def _picture(catalog: Catalog, query: Query) -> Image.Image | None:
    """The picture asked with, where there is one."""
    if query.id is not None:
        return catalog.picture(query.id)
    if query.image is None or isinstance(query.image, Image.Image):
        return query.image
    return read_picture(query.image)
