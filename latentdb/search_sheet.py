"""The picture of a search: everything that was asked with, then the hits."""

from __future__ import annotations

from collections.abc import Callable

from PIL import Image

from latentdb.part import Part
from latentdb.pictures import (
    Section,
    SheetStyle,
    Tile,
    answer_sheet,
    describe_answer,
    describe_query,
    hit_tiles,
    sectioned_sheet,
)
from latentdb.query import Query, read_picture
from latentdb.types import Answer

MOST_PARTS_SHOWN = 12


def search_sheet(
    query: Query, answer: Answer, *, picture: Callable[[int], Image.Image]
) -> Image.Image:
    """Contact sheet of an answer to `query`.

    A question of one part is the first tile. Of several, each has a framed tile of its own in a
    row above the hits, with its weight, and the directions have one together.

    Parameters
    ----------
    query : Query
    answer : Answer
        Its answer.
    picture : callable of an item's id
        Where pictures of stored items come from, such as `LatentDB.picture`.

    Returns
    -------
    Image
        RGB.

    Raises
    ------
    QueryError
        A picture that was asked with cannot be read any more.
    """
    if len(query.parts) == 1:
        shown = _picture(query.parts[0], picture)
        return answer_sheet(answer, picture=picture, query_picture=shown)
    asked = [_part_tile(part, picture) for part in query.parts[:MOST_PARTS_SHOWN]]
    if query.directions:
        moves = ", ".join(f"{name} {step:+g}" for name, step in query.directions.items())
        asked.append(Tile("moved", caption="standard deviations", text=moves, is_framed=True))
    left_out = len(query.parts) - MOST_PARTS_SHOWN
    more = f", {left_out} more parts" if left_out > 0 else ""
    _, how = describe_query(answer.query)
    told = [f"{len(query.parts)} parts", how, describe_answer(answer)]
    heading = "   ·   ".join(words for words in told if words)
    found = hit_tiles(answer, picture) or [Tile("", text="no item qualifies")]
    sections = [Section(asked, f"asked with{more}"), Section(found, "found")]
    return sectioned_sheet(heading, sections, style=SheetStyle(tile_size=160))


def _part_tile(part: Part, stored: Callable[[int], Image.Image]) -> Tile:
    """One thing that was asked with, and how much it counts."""
    size = "" if abs(part.weight) == 1.0 else f" × {abs(part.weight):g}"
    title = ("like" if part.weight > 0 else "unlike") + size
    picture = _picture(part, stored)
    caption = "" if picture is None else str(part)
    return Tile(title, caption=caption, picture=picture, text=str(part), is_framed=True)


def _picture(part: Part, stored: Callable[[int], Image.Image]) -> Image.Image | None:
    """The picture of a part that has one."""
    if isinstance(part.value, int):
        return stored(part.value)
    if part.kind != "image" or isinstance(part.value, Image.Image):
        return part.value if isinstance(part.value, Image.Image) else None
    return read_picture(str(part.value))
