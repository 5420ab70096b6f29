"""The picture of an answer in pictures: what was asked, then what was imagined."""

from __future__ import annotations

from PIL import Image

from latentdb.imagine.imagined import Imagined
from latentdb.pictures import SheetStyle, Tile, contact_sheet, describe_query


def imagined_sheet(found: Imagined, picture: Image.Image | None = None) -> Image.Image:
    """The question in a frame, and every picture made, with its norm against white noise.

    Parameters
    ----------
    found : Imagined
    picture : Image or None
        The picture, or that of the stored item, which was asked with.

    Returns
    -------
    Image
        RGB.
    """
    question, _ = describe_query(found.asked)
    tiles = [
        Tile(f"{at}", f"z {round(z, 1) + 0.0:+.1f}", picture=drawn)
        for at, (z, drawn) in enumerate(zip(found.norm_z, found.pictures, strict=True), start=1)
    ]
    how = f"from {found.source.name}\n{found.how}"
    query_tile = Tile("Query", caption=how, picture=picture, text=question)
    heading = (
        f"{question}   ·   imagined in {found.space.name}, temperature {found.temperature:g}, "
        f"{found.prior} prior, seed {found.seed}"
    )
    return contact_sheet(heading, query_tile, tiles, style=SheetStyle(tile_size=160))
