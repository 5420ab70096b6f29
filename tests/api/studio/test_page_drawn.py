"""Views in which pictures are drawn: edit, between and imagine; and reports."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from browser import Visit
from PIL import Image
from playwright.sync_api import Page, expect

from latentdb.database import LatentDB

Begin = Callable[..., Visit]


@pytest.fixture(scope="module")
def ids(studio_db: LatentDB) -> list[str]:
    return [str(one) for one in studio_db.store.item_ids()[:4].tolist()]


def drawn(page: Page) -> list[str]:
    """Texts for pictures that the server made."""
    expect(page.locator(".busy")).to_have_count(0)
    found: list[str] = page.eval_on_selector_all(
        ".view:not([hidden]) img.made", "all => all.map(one => one.alt)"
    )
    return found


def test_an_edit_follows_its_slider(visit: Begin, ids: list[str], studio_db: LatentDB) -> None:
    page = visit().open(f"#view=edit&id={ids[0]}")
    expect(page.get_by_role("heading", name="Move a slider")).to_be_visible()
    slider = page.get_by_role("slider", name="hat", exact=True)
    slider.focus()
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    expect(page.get_by_alt_text("Edited: hat +1.5")).to_be_visible()
    assert drawn(page)[:2] == ["Original", "Round trip"]
    assert len(drawn(page)) == 3 + 5
    expect(page).to_have_url(re.compile("directions=hat%3D1.5"))
    made = studio_db.edit(int(ids[0]), {"hat": 1.5}, space="faces-noise")
    row = page.get_by_role("row", name=re.compile("^hat"))
    after = float(row.locator("td").last.inner_text().split("→")[1].replace("−", "-"))
    assert after == pytest.approx(made.projections["hat"].after[0], abs=0.01)


def test_a_kept_direction_does_not_move(visit: Begin, ids: list[str]) -> None:
    page = visit().open(f"#view=edit&id={ids[0]}&directions=hat%3D2")
    expect(page.get_by_alt_text("Edited: hat +2")).to_be_visible()
    page.get_by_label("Keep smiling").check()
    expect(page.get_by_text("of the step's length")).to_be_visible()
    expect(page.get_by_role("slider", name="smiling", exact=True)).to_be_disabled()
    expect(page).to_have_url(re.compile("keep=smiling"))
    page.get_by_label("Keep smiling").uncheck()
    expect(page).not_to_have_url(re.compile("keep="))
    page.get_by_role("button", name="Keep all others").click()
    expect(page).to_have_url(re.compile("keep=smiling"))


def test_an_edit_that_is_outdated_is_not_waited_for(visit: Begin, ids: list[str]) -> None:
    page = visit().open(f"#view=edit&id={ids[0]}")
    gone: list[str] = []
    page.on("requestfailed", lambda request: gone.append(request.url))
    slider = page.get_by_role("slider", name="hat", exact=True)
    slider.focus()
    page.keyboard.press("ArrowRight")
    with page.expect_request("**/v1/edit"):
        pass
    page.keyboard.press("End")
    expect(page.get_by_alt_text("Edited: hat +4")).to_be_visible()
    assert all(url.endswith("/v1/edit") for url in gone)


def test_a_picture_of_ones_own_is_edited_and_saved(
    visit: Begin, studio_db: LatentDB, tmp_path: Path
) -> None:
    page = visit().open("#view=edit")
    picture = io.BytesIO()
    studio_db.picture(int(studio_db.store.item_ids()[5])).save(picture, "PNG")
    page.locator(".view.edit input[type=file]").set_input_files(
        {"name": "mine.png", "mimeType": "image/png", "buffer": picture.getvalue()}
    )
    slider = page.get_by_role("slider", name="smiling", exact=True)
    slider.focus()
    page.keyboard.press("End")
    expect(page.get_by_alt_text("Edited: smiling +4")).to_be_visible()
    with page.expect_download() as saved:
        page.get_by_role("link", name="Save Edited").click()
    saved.value.save_as(tmp_path / "edited.png")
    assert saved.value.suggested_filename == "edited-smiling4.png"
    with Image.open(tmp_path / "edited.png") as opened:
        assert opened.size == (64, 64)


def test_a_picture_of_the_database_is_chosen_by_a_condition(visit: Begin) -> None:
    page = visit().open("#view=edit")
    page.get_by_text("Choose one from the database").click()
    expect(page.locator(".offer button").first).to_be_visible()
    page.locator("details").get_by_label("Only where").fill("hat and smiling")
    page.get_by_role("button", name="Show", exact=True).click()
    page.locator(".offer button").first.click()
    expect(page).to_have_url(re.compile(r"id=\d+"))
    expect(page.get_by_role("heading", name="Move a slider")).to_be_visible()


def test_four_ways_lie_between_two_pictures(visit: Begin, ids: list[str]) -> None:
    tab = visit()
    page = tab.page
    page.goto(f"{tab.site}/#view=between&ids={ids[0]},{ids[1]}")
    ways = ["nao", "lol", "slerp", "lerp"]
    expect(page.get_by_role("rowheader")).to_have_text(ways, timeout=120_000)  # 28 pictures
    assert len(drawn(page)) == 4 * 7
    expect(page.locator(".curves polyline")).to_have_count(4)
    page.get_by_role("button", name="Swap").click()
    expect(page).to_have_url(re.compile(f"ids={ids[1]}%2C{ids[0]}"))


def test_in_a_space_that_cannot_draw_the_nearest_items_are_shown(
    visit: Begin, ids: list[str]
) -> None:
    page = visit().open(f"#view=between&ids={ids[0]},{ids[1]}&space=faces-clip")
    expect(page.get_by_role("rowheader")).to_have_count(4)
    assert all(name.startswith("Nearest item") for name in drawn(page))


def test_several_pictures_have_a_middle(visit: Begin, ids: list[str], studio_db: LatentDB) -> None:
    page = visit().open(f"#view=between&ids={','.join(ids[:3])}")
    expect(page.get_by_role("heading", name="The middle of 3 pictures")).to_be_visible()
    middle = studio_db.centroid([int(one) for one in ids[:3]], space="faces-noise", k=12)
    shown = page.eval_on_selector_all(".between .card", "all => all.map(one => one.dataset.id)")
    assert shown == [str(hit.id) for hit in middle.nearest.hits]
    assert drawn(page) == ["The middle, drawn"]
    page.get_by_label("Remove picture 3").click()
    expect(page.locator(".members li")).to_have_count(2)


def test_pictures_are_imagined_of_a_text(visit: Begin, studio_db: LatentDB) -> None:
    page = visit().open("#view=imagine")
    page.get_by_label("Of a text").fill("a smiling face")
    page.get_by_label("Pictures", exact=True).fill("3")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Of “a smiling face”")).to_be_visible()
    assert len(drawn(page)) == 3
    made = studio_db.imagine(text="a smiling face", n=3)
    links = page.locator(".near").evaluate_all("all => all.map(one => one.href)")
    assert [link.rpartition("=")[2] for link in links] == [str(one) for one in made.nearest_ids]
    page.get_by_role("button", name="Other draws").click()
    expect(page).to_have_url(re.compile("seed=1"))


def test_a_finished_report_opens_in_a_tab_of_its_own(visit: Begin) -> None:
    page = visit().open("#view=report")
    with page.context.expect_page() as opened:
        page.get_by_role("link", name=re.compile("^Report of")).click()
    expect(opened.value.get_by_role("heading", name="A study")).to_be_visible()


def test_a_report_is_begun_as_a_job(visit: Begin, own_site: str) -> None:
    page = visit(site=own_site).open("#view=report")
    page.get_by_role("button", name="Begin").click()
    expect(page.get_by_label("Progress of the report", exact=True)).to_be_visible()
    (job,) = page.evaluate("fetch('/v1/jobs').then((answer) => answer.json())")
    assert (job["kind"], job["arguments"]["quick"]) == ("report", True)
    page.evaluate(f"fetch('/v1/jobs/{job['id']}', {{ method: 'DELETE' }})")
    expect(page.get_by_text("The job was cancelled")).to_be_visible(timeout=60_000)


VIEWS = {
    "map": "#view=map&text=a+hat",
    "map by a number": "#view=map&by=direction:hat&space=faces-noise",
    "edit": "#view=edit&id={0}&directions=hat%3D2",
    "between": "#view=between&ids={0},{1}&space=faces-clip",
    "middle": "#view=between&ids={0},{1},{2}",
    "imagine": "#view=imagine&text=a+hat&n=2",
    "report": "#view=report",
    "nothing chosen": "#view=between",
}


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_axe_finds_nothing_serious_in_the_studio(visit: Begin, ids: list[str], dark: bool) -> None:
    tab = visit(dark=dark)
    found = {}
    for name, link in VIEWS.items():
        page = tab.open(link.format(*ids))
        expect(page.locator(".busy")).to_have_count(0)
        found[name] = tab.axe()
    assert found == {name: [] for name in VIEWS}


def test_the_studio_fits_a_phone(visit: Begin, ids: list[str]) -> None:
    tab = visit(phone=True)
    for name, link in VIEWS.items():
        page = tab.open(link.format(*ids))
        assert tab.overflow() == 0, name
        small = page.eval_on_selector_all(
            "button:visible, .button:visible, select:visible, .save:visible, summary:visible",
            """all => all.map(one => [one.textContent, one.getBoundingClientRect()])
              .filter(([, box]) => box.height < 44).map(([text, box]) => [text, box.height])""",
        )
        assert small == [], name
