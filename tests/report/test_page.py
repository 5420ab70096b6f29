"""The report is one file that loads nothing, and counts what it says it counts."""

from __future__ import annotations

import io
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import latentdb
from latentdb.database import LatentDB
from latentdb.report.page import Asked, Drawn, render_page
from latentdb.space import Space
from latentdb.types import ItemRow, SpaceRows

DIM, COUNT = 6, 40


@pytest.fixture(scope="module")
def db(tmp_path_factory: pytest.TempPathFactory) -> LatentDB:
    """Forty items on a half-circle: `east` for the first twenty, `named` for every fourth."""
    made = latentdb.create(tmp_path_factory.mktemp("report") / "made.ldb")
    made.store.add_space(Space("plain", "embedding", DIM, spec="none"))
    ids = np.arange(1, COUNT + 1, dtype=np.int64)
    angle = np.linspace(0, np.pi, COUNT)
    vectors = np.zeros((COUNT, DIM), dtype=np.float32)
    vectors[:, 0], vectors[:, 1] = np.cos(angle), np.sin(angle)
    file = io.BytesIO()
    Image.new("RGB", (8, 8), (200, 30, 30)).save(file, "PNG")
    items = [
        ItemRow(
            id=int(i),
            source=f"<b>{i}</b>.png",
            width=8,
            height=8,
            thumbnail=file.getvalue(),
            labels={"east": bool(i <= 20), "named": bool(i % 4 == 0)},
        )
        for i in ids
    ]
    rows = {"plain": SpaceRows(ids, vectors)}
    made.store.write_batch(items=items, sources=[], vectors=rows, quarantine=[])
    return made


def _page(db: LatentDB, *asked: Asked) -> str:
    return render_page(db.catalog, asked, title="Made & tested", facts={"pictures": str(len(db))})


def test_the_page_makes_no_request(db: LatentDB) -> None:
    page = _page(db, Asked("By id", "latentdb search", db.search(id=5, k=4)))
    addresses = re.findall(r"(?:src|href)=\"([^\"]*)\"|url\(([^)]*)\)", page)
    assert addresses
    assert all(first.startswith("data:image/") for first, _ in addresses)
    assert "<script" not in page


def test_every_hit_is_shown_beside_the_picture_asked_with(db: LatentDB) -> None:
    page = _page(db, Asked("By id", "latentdb search", db.search(id=5, k=4)))
    assert page.count("data:image/png;base64,") == 5


def test_hits_are_counted_beside_the_share_of_all(db: LatentDB) -> None:
    asked = Asked("East", "c", db.search(id=5, k=4), {"east": True})
    assert "<b>4 of 4</b> hits: east" in _page(db, asked)
    assert "(of all pictures: 50%)" in _page(db, asked)


def test_the_share_is_of_what_the_filter_lets_through(db: LatentDB) -> None:
    answer = db.search(id=5, k=4, where="named or not east")
    page = _page(db, Asked("Named", "c", answer, {"named": True}))
    assert "(of all where named or not east: 40%)" in page


def test_texts_are_escaped(db: LatentDB) -> None:
    page = _page(db, Asked("<i>x</i>", "a < b", db.search(id=5, k=1)))
    assert "Made &amp; tested" in page
    assert "&lt;i&gt;x&lt;/i&gt;" in page
    assert "<i>" not in page


def test_an_image_query_shows_its_picture(db: LatentDB, tmp_path: Path) -> None:
    picture = tmp_path / "asked.png"
    Image.new("RGB", (30, 20), (10, 200, 30)).save(picture)
    answer = db.search(id=5, k=1)
    answer.query.update({"kind": "image", "value": str(picture)})
    assert _page(db, Asked("Image", "c", answer)).count("data:image/png;base64,") == 2


def test_a_question_in_words_is_shown_in_words(db: LatentDB) -> None:
    answer = db.search(id=5, k=1)
    answer.query.update({"kind": "text", "value": "a red square"})
    assert "“a red square”" in _page(db, Asked("Text", "c", answer))


def test_a_drawn_picture_is_shown_whole_with_its_command(db):
    drawn = Drawn("A walk", "latentdb interpolate a < b", Image.new("RGB", (40, 20), "red"))
    page = render_page(db.catalog, [], title="t", facts={}, drawn=[drawn])
    assert "<h2>A walk</h2>" in page
    assert "latentdb interpolate a &lt; b" in page
    assert 'class="figure" src="data:image/png;base64,' in page
