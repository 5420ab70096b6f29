"""Contact sheets: every shape of answer gives a picture that shows it."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from latentdb.pictures import (
    SheetStyle,
    Tile,
    answer_sheet,
    contact_sheet,
    describe_query,
    short_labels,
)
from latentdb.types import Answer, Hit

RED = (200, 30, 30)


def _answer(count: int) -> Answer:
    hits = [Hit(i, i / 10, None, None, f"faces/{i}.png", {"hat": True}) for i in range(count)]
    return Answer("faces-clip", "cosine", True, {"kind": "text", "value": "a hat"}, hits)


def _red(_id: int) -> Image.Image:
    return Image.new("RGB", (64, 64), RED)


def _share_of_red(sheet: Image.Image) -> float:
    return float((np.asarray(sheet) == RED).all(axis=2).sum())


@pytest.mark.parametrize("count", [1, 2, 7, 50])
def test_sheet_shows_every_hit_at_tile_size(count: int) -> None:
    style = SheetStyle(tile_size=96)
    sheet = answer_sheet(_answer(count), picture=_red, style=style)
    shown = _share_of_red(sheet) / 96**2  # rounded corners take about 0.6 % of each tile
    assert shown == pytest.approx(count, rel=0.02)


@pytest.mark.parametrize("shape", [(1000, 10), (10, 1000), (1, 1), (64, 64)])
def test_picture_keeps_its_aspect(shape: tuple[int, int]) -> None:
    tile = Tile("1", picture=Image.new("RGB", shape, RED))
    sheet = contact_sheet("", Tile("Query", text="x"), [tile], style=SheetStyle(tile_size=200))
    rows, columns = np.nonzero((np.asarray(sheet) == RED).all(axis=2))
    seen = (np.ptp(columns) + 1, np.ptp(rows) + 1)
    assert seen == tuple(max(1, round(200 * side / max(shape))) for side in shape)


@pytest.mark.parametrize("mode", ["L", "LA", "P", "RGBA", "I;16", "1", "CMYK"])
def test_any_picture_mode_is_drawn_and_left_alone(mode: str) -> None:
    picture = Image.new(mode, (30, 20))
    before = picture.tobytes()
    sheet = contact_sheet("", Tile("Query", picture=picture), [])
    assert sheet.mode == "RGB"
    assert (picture.mode, picture.tobytes()) == (mode, before)


def test_answer_without_hits_still_gives_a_sheet() -> None:
    sheet = answer_sheet(_answer(0), picture=_red)
    assert _share_of_red(sheet) == 0
    assert sheet.width > 2 * SheetStyle().tile_size


def test_words_that_the_font_lacks_are_drawn_all_the_same() -> None:
    tile = Tile("日本", "1.0", caption="é – × 日本 " * 20, picture=_red(0))
    assert contact_sheet("naïve → 日本", tile, []).size


def test_query_is_described_with_all_its_parts() -> None:
    query = {
        "kind": "text",
        "value": "a hat",
        "from": "faces-clip",
        "map": {"method": "ridge"},
        "directions": {"smiling": 2.0, "beard": -0.5},
        "where": "hat",
    }
    question, how = describe_query(query)
    assert question == "“a hat”"
    assert how == "mapped from faces-clip · smiling +2 · beard -0.5 · where hat"


def test_a_question_that_stays_in_its_space_does_not_name_it() -> None:
    assert describe_query({"kind": "text", "value": "a hat", "from": "faces-clip"})[1] == ""


def test_rank_and_image_questions_read_as_words() -> None:
    assert describe_query({"kind": "rank", "value": "hat", "descending": False})[0] == "least hat"
    assert describe_query({"kind": "image", "value": "/photos/a.png"})[0] == "a.png"


def test_labels_are_shortened_without_sentences() -> None:
    labels = {"hat": True, "beard": False, "age": 31, "note": None, "caption": "a long " * 9}
    assert short_labels(labels) == "hat · age 31"
