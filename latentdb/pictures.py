"""Pictures of answers: what was asked, then the hits, each with its rank and its distance."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, final

from PIL import Image, ImageDraw, ImageFont

from latentdb.types import Answer, Hit, LabelValue

__all__ = [
    "Section",
    "SheetStyle",
    "Tile",
    "answer_sheet",
    "contact_sheet",
    "describe_answer",
    "describe_query",
    "hit_tiles",
    "sectioned_sheet",
    "short_labels",
]

_GROUND = (250, 250, 248)
_INK = (28, 30, 34)
_FAINT = (112, 116, 124)
_RULE = (226, 226, 220)
_ACCENT = (46, 94, 170)
_ACCENT_GROUND = (233, 239, 249)
_LONGEST_LABEL = 24  # a sentence, such as a caption, is no label to print under a picture
_OVERSAMPLE = 4  # corners are drawn larger and reduced, or they would be jagged


@final
@dataclass(frozen=True)
class SheetStyle:
    """Measures of a contact sheet, in pixels.

    Parameters
    ----------
    columns : int or None
        Tiles in a row; None chooses by the number of tiles.
    tile_size : int
        Side of the square that each picture is fitted into.
    gap : int
        Space between tiles.
    caption_lines : int
        Lines of small text under a tile's title.
    """

    columns: int | None = None
    tile_size: int = 176
    gap: int = 22
    caption_lines: int = 2


@final
@dataclass(frozen=True)
class Tile:
    """One cell of a contact sheet.

    Parameters
    ----------
    title : str
        The line in strong ink, such as a rank.
    aside : str
        Set at the right end of the title's line, such as a distance.
    caption : str
        Small text below, wrapped, and cut with an ellipsis where it does not fit; a line break
        begins a new line.
    picture : Image or None
        Any mode and aspect; not modified. None makes a tile of `text`.
    text : str
        Shown in place of a picture, wrapped.
    is_framed : bool
        Whether a frame in colour sets it apart.
    """

    title: str
    aside: str = ""
    caption: str = ""
    picture: Image.Image | None = None
    text: str = ""
    is_framed: bool = False


@final
@dataclass(frozen=True)
class Section:
    """Tiles that belong together, in rows of their own below `title`, which may be empty."""

    tiles: Sequence[Tile]
    title: str = ""


def answer_sheet(
    answer: Answer,
    *,
    picture: Callable[[int], Image.Image],
    query_picture: Image.Image | None = None,
    style: SheetStyle | None = None,
) -> Image.Image:
    """Contact sheet of an answer: the question first, then its hits, nearest first.

    Parameters
    ----------
    answer : Answer
    picture : callable of an item's id
        Where pictures come from, such as `LatentDB.picture`.
    query_picture : Image or None
        The picture that was asked with; without one the question is shown as text.
    style : SheetStyle or None

    Returns
    -------
    Image
        RGB, as large as the hits need.
    """
    question, how = describe_query(answer.query)
    asked = Tile("Query", caption=how, picture=query_picture, text=question)
    tiles = hit_tiles(answer, picture)
    return contact_sheet(f"{question}   ·   {describe_answer(answer)}", asked, tiles, style=style)


def contact_sheet(
    heading: str, asked: Tile, hits: Sequence[Tile], *, style: SheetStyle | None = None
) -> Image.Image:
    """Lay `asked` and `hits` out as one picture with a heading, in rows.

    Parameters
    ----------
    heading : str
        One line; cut with an ellipsis where the sheet is too narrow for it.
    asked : Tile
        The question; the first tile, framed in colour.
    hits : sequence of Tile
        None gives a sheet that says so.
    style : SheetStyle or None

    Returns
    -------
    Image
        RGB.
    """
    style = style or SheetStyle()
    tiles = [replace(asked, is_framed=True), *hits]
    columns = max(2, style.columns or _columns_for(len(tiles)))
    sheet = sectioned_sheet(heading, [Section(tiles)], style=replace(style, columns=columns))
    if not hits:
        margin, top = _margin_and_top(style)
        where = (margin + style.tile_size + style.gap, top + style.tile_size // 2 - 8)
        ImageDraw.Draw(sheet).text(where, "No item qualifies.", _FAINT, _font(15))
    return sheet


def sectioned_sheet(
    heading: str, sections: Sequence[Section], *, style: SheetStyle | None = None
) -> Image.Image:
    """Lay sections out below one another, as one picture with a heading.

    Parameters
    ----------
    heading : str
        One line; cut with an ellipsis where the sheet is too narrow for it.
    sections : sequence of Section
        At least one, each of at least one tile.
    style : SheetStyle or None
        Without `columns`, as many as suit the longest section.

    Returns
    -------
    Image
        RGB.
    """
    style = style or SheetStyle()
    columns = style.columns or _columns_for(max(len(section.tiles) for section in sections))
    cell_width, cell_height = style.tile_size + style.gap, _cell_height(style)
    margin, top = _margin_and_top(style)
    width = 2 * margin + columns * cell_width - style.gap
    heights = [
        _title_height(section, is_first=number == 0)
        + cell_height * math.ceil(len(section.tiles) / columns)
        for number, section in enumerate(sections)
    ]
    sheet = Image.new("RGB", (width, top + sum(heights) + margin - style.gap), _GROUND)
    draw = ImageDraw.Draw(sheet)
    draw.text((margin, margin - 4), _cut(heading, _font(18), width - 2 * margin), _INK, _font(18))
    draw.line((margin, top - 18, width - margin, top - 18), _RULE)
    for number, (section, height) in enumerate(zip(sections, heights, strict=True)):
        first_row = top + _title_height(section, is_first=number == 0)
        title = _cut(section.title, _font(15), width - 2 * margin)
        draw.text((margin, first_row - 32), title, _FAINT, _font(15))
        for position, tile in enumerate(section.tiles):
            row, column = divmod(position, columns)
            corner = (margin + column * cell_width, first_row + row * cell_height)
            _draw_tile(sheet, corner, tile, style)
        top += height
    return sheet


def describe_query(query: Mapping[str, Any]) -> tuple[str, str]:
    """What an answer's query asked, and how, as two short texts.

    Parameters
    ----------
    query : mapping
        `Answer.query`: kind, value, from, map, parts, directions, diverse, where.

    Returns
    -------
    tuple of str
        Such as `("“a man with a hat”", "mapped from faces-clip · smiling +2")`.
    """
    kind, value = str(query.get("kind", "query")), query.get("value")
    question = f"“{value}”" if kind == "text" else kind if value is None else f"{kind} {value}"
    if kind == "rank":
        question = f"{'most' if query.get('descending', True) else 'least'} {value}"
    elif kind == "image":
        question = str(value).rpartition("/")[2]
    elif kind == "composed":
        question = str(value)
    mapped = [one["from"] for one in query.get("parts", [query]) if one.get("map")]
    how = [f"mapped from {name}" for name in dict.fromkeys(mapped)]
    how += [f"{name} {step:+g}" for name, step in (query.get("directions") or {}).items()]
    how += [f"diverse {query['diverse']:g}"] if "diverse" in query else []
    how += [f"where {query['where']}"] if query.get("where") else []
    return question, " · ".join(how)


def short_labels(labels: Mapping[str, LabelValue]) -> str:
    """Labels in a few words: true ones by name, other values after theirs, no long texts.

    Examples
    --------
    >>> short_labels({"hat": True, "beard": False, "age": 31, "note": None})
    'hat · age 31'
    """
    true = [name.replace("_", " ") for name, value in labels.items() if value is True]
    others = [
        f"{name.replace('_', ' ')} {value:g}"
        if isinstance(value, float)
        else f"{name.replace('_', ' ')} {value}"
        for name, value in labels.items()
        if value is not None and not isinstance(value, bool) and len(str(value)) <= _LONGEST_LABEL
    ]
    return " · ".join(true + sorted(others, key=len))


def describe_answer(answer: Answer) -> str:
    """Where and how an answer was found, such as `faces-noise, nao (chi prior), exact`."""
    certainty = "exact" if answer.exact else "approximate"
    prior = f" ({answer.query['prior']} prior)" if "prior" in answer.query else ""
    return f"{answer.space}, {answer.metric}{prior}, {certainty}"


def hit_tiles(answer: Answer, picture: Callable[[int], Image.Image]) -> list[Tile]:
    """A tile for each hit, with its rank, its distance and its labels."""
    return [_hit_tile(rank, hit, picture) for rank, hit in enumerate(answer.hits, start=1)]


def _hit_tile(rank: int, hit: Hit, picture: Callable[[int], Image.Image]) -> Tile:
    caption = short_labels(hit.labels) or hit.source.rpartition("/")[2]
    distance = f"{hit.distance:.3f}" if abs(hit.distance) < 10 else f"{hit.distance:.1f}"
    return Tile(f"{rank}", distance, caption, picture(hit.id))


def _columns_for(count: int) -> int:
    """Columns of a sheet of `count` tiles: as few empty cells as can be."""
    if count <= 6:
        return count
    widest = 6 if count <= 24 else 10
    return min(range(widest, widest - 3, -1), key=lambda columns: (-count % columns, -columns))


def _margin_and_top(style: SheetStyle) -> tuple[int, int]:
    """Width of the margin, and where the first section begins, below the heading."""
    margin = style.gap + 8
    return margin, margin + 44


def _title_height(section: Section, *, is_first: bool) -> int:
    """Room for a section's title, with a gap above it where another section is above."""
    return (24 if is_first else 36) if section.title else 0


def _cell_height(style: SheetStyle) -> int:
    return style.tile_size + 30 + 16 * style.caption_lines + style.gap


def _draw_tile(sheet: Image.Image, corner: tuple[int, int], tile: Tile, style: SheetStyle) -> None:
    """Paint one tile with its upper left corner at `corner`."""
    draw = ImageDraw.Draw(sheet)
    size, (left, top) = style.tile_size, corner
    if tile.is_framed:
        frame = (left - 5, top - 5, left + size + 5, top + size + 5)
        draw.rounded_rectangle(frame, 12, _ACCENT_GROUND, _ACCENT, 2)
    if tile.picture is None:
        _draw_words(draw, corner, tile.text, size)
    else:
        face = _fit(tile.picture, size)
        where = (left + (size - face.width) // 2, top + (size - face.height) // 2)
        sheet.paste(face, where, _rounded(face.size))
    line = top + size + 10
    font, small = _font(15), _font(13)
    draw.text((left, line), _plain(tile.title), _ACCENT if tile.is_framed else _INK, font)
    aside = _plain(tile.aside)
    draw.text((left + size - small.getlength(aside), line + 2), aside, _FAINT, small)
    for number, words in enumerate(_wrap(tile.caption, small, size, style.caption_lines)):
        draw.text((left, line + 21 + 16 * number), words, _FAINT, small)


def _draw_words(draw: ImageDraw.ImageDraw, corner: tuple[int, int], text: str, size: int) -> None:
    """Words in the middle of a tile, in place of a picture."""
    font = _font(18)
    lines = _wrap(text, font, size - 24, max(1, (size - 24) // 24))
    top = corner[1] + (size - 24 * len(lines)) / 2
    for number, line in enumerate(lines):
        left = corner[0] + (size - font.getlength(line)) / 2
        draw.text((left, top + 24 * number), line, _INK, font)


def _fit(picture: Image.Image, size: int) -> Image.Image:
    """The picture as large as fits a square of `size`; transparent parts show the ground."""
    if "A" in picture.getbands() or "transparency" in picture.info:
        layer = picture.convert("RGBA")
        picture = Image.alpha_composite(Image.new("RGBA", layer.size, (255, 255, 255)), layer)
    picture = picture.convert("RGB")
    factor = size / max(picture.size)
    shape = (max(1, round(picture.width * factor)), max(1, round(picture.height * factor)))
    return picture.resize(shape, Image.Resampling.LANCZOS)


@lru_cache(maxsize=64)
def _rounded(shape: tuple[int, int]) -> Image.Image:
    """Mask (mode L) of a rectangle with rounded corners."""
    width, height = shape
    large = Image.new("L", (width * _OVERSAMPLE, height * _OVERSAMPLE), 0)
    radius = min(8, width // 4, height // 4) * _OVERSAMPLE
    box = (0, 0, large.width - 1, large.height - 1)
    ImageDraw.Draw(large).rounded_rectangle(box, radius, 255)
    return large.resize(shape, Image.Resampling.BOX)


@lru_cache(maxsize=8)
def _font(size: int) -> ImageFont.FreeTypeFont:
    """The font that Pillow brings along, so that a sheet looks the same everywhere."""
    font = ImageFont.load_default(size=size)
    if not isinstance(font, ImageFont.FreeTypeFont):
        raise OSError("this Pillow has no FreeType support; install a wheel: pip install pillow")
    return font


@lru_cache(maxsize=2048)
def _has_glyph(character: str) -> bool:
    font = _font(20)
    return bytes(font.getmask(character)) != bytes(font.getmask("\U0010ffff"))


def _plain(text: str) -> str:
    """The text in characters that the font can draw: accents dropped, others as `?`."""
    swapped = text.translate({0x2013: "-", 0x2014: "-", 0x2212: "-", 0xD7: "x", 0x2192: ">"})
    simple = "".join(c for c in unicodedata.normalize("NFKD", swapped) if not _is_mark(c))
    return "".join(c if c.isspace() or _has_glyph(c) else "?" for c in simple)


def _is_mark(character: str) -> bool:
    return unicodedata.combining(character) != 0


def _cut(text: str, font: ImageFont.FreeTypeFont, width: float) -> str:
    """The text, or as much of it as fits `width` with an ellipsis."""
    text = _plain(text)
    if font.getlength(text) <= width:
        return text
    while text and font.getlength(text + "…") > width:
        text = text[:-1]
    return text.rstrip(" ·") + "…"


def _wrap(text: str, font: ImageFont.FreeTypeFont, width: float, most: int) -> list[str]:
    """The text in at most `most` lines of at most `width` pixels; a line break stays one."""
    lines: list[str] = []
    for paragraph in _plain(text).splitlines():
        first = len(lines)
        for word in paragraph.split():
            joined = f"{lines[-1]} {word}" if len(lines) > first else word
            if len(lines) > first and font.getlength(joined) <= width:
                lines[-1] = joined
            else:
                lines.append(word)
    if len(lines) > most:
        lines = [*lines[: most - 1], " ".join(lines[most - 1 :])]
    return [_cut(line.removeprefix("· "), font, width) for line in lines]
