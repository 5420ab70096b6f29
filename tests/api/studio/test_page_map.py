"""The map of a space: moved, coloured, selected from by mouse, touch and keyboard."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from browser import Visit
from playwright.sync_api import Page, expect

from latentdb.database import LatentDB

Begin = Callable[..., Visit]
COUNT = 60
PLANE = "document.querySelector('canvas')?.plane"


def opened(tab: Visit, **params: str) -> Page:
    """The map, drawn."""
    link = "&".join(["#view=map", *(f"{name}={value}" for name, value in params.items())])
    page = tab.open(link)
    until(page, f"{PLANE}?.frames.length > 0")
    return page


def until(page: Page, told: str) -> None:
    """Wait until an expression is true; the page's own policy forbids Playwright to do so there."""
    for _ in range(400):
        if page.evaluate(told):
            return
        page.wait_for_timeout(50)
    raise AssertionError(f"it never came to {told}")


def view(page: Page) -> dict[str, float]:
    found: dict[str, float] = page.evaluate(f"({{ ...{PLANE}.view, zoom: {PLANE}.zoom }})")
    return found


def selected(page: Page) -> list[str]:
    """Ids of what is selected."""
    found: list[str] = page.evaluate(
        f"[...{PLANE}.ids].filter((_, at) => {PLANE}.selected?.[at]).map(String)"
    )
    return found


def corners(page: Page) -> dict[str, float]:
    box: Any = page.locator("canvas").bounding_box()
    return {"left": box["x"], "top": box["y"], "wide": box["width"], "high": box["height"]}


def drag(page: Page, *points: tuple[float, float]) -> None:
    """With the button held, over shares of the canvas's width and height."""
    box = corners(page)
    places = [(box["left"] + x * box["wide"], box["top"] + y * box["high"]) for x, y in points]
    page.mouse.move(*places[0])
    page.mouse.down()
    for place in places[1:]:
        page.mouse.move(*place, steps=4)
    page.mouse.up()


ALL = ((0.3, 0.005), (0.995, 0.005), (0.995, 0.995), (0.005, 0.995), (0.005, 0.005))


def test_every_item_is_a_point_where_the_library_has_it(visit: Begin, studio_db: LatentDB) -> None:
    page = opened(visit(), space="faces-noise", by="norm")
    expected = studio_db.project("faces-noise")
    assert page.evaluate(f"[...{PLANE}.ids].map(String)") == [str(one) for one in expected.ids]
    shown = page.evaluate(
        f"[...{PLANE}.ids].map((_, at) => {PLANE}.grid.place[at])"
        f".map((place) => [{PLANE}.grid.x[place], {PLANE}.grid.y[place]])"
    )
    middle = (expected.xy.max(axis=0) + expected.xy.min(axis=0)) / 2
    half = (expected.xy.max(axis=0) - expected.xy.min(axis=0)).max() / 2
    assert abs((expected.xy - middle) / half - shown).max() < 1e-5
    expect(page.locator(".legend")).to_contain_text("norm")
    expect(page.get_by_text("of the variance")).to_be_visible()


def test_a_lasso_selects_what_is_in_it_and_shows_the_pictures(visit: Begin) -> None:
    page = opened(visit())
    page.get_by_text("Lasso").click()
    drag(page, *ALL)
    expect(page.get_by_role("heading", name=f"{COUNT} pictures selected")).to_be_visible()
    assert len(selected(page)) == COUNT
    expect(page.locator(".strip .card")).to_have_count(24)
    drag(page, (0.3, 0.3), (0.7, 0.3), (0.7, 0.7), (0.3, 0.7))
    inside = selected(page)
    assert 0 < len(inside) < COUNT
    page.get_by_role("button", name="Clear").click()
    assert selected(page) == []


def test_what_is_selected_can_be_asked_with(visit: Begin) -> None:
    page = opened(visit(), space="faces-clip")
    page.locator("canvas").focus()
    page.keyboard.press("b")
    page.keyboard.press("Enter")
    ids = selected(page)
    assert 0 < len(ids) <= 12
    expect(page.locator(".strip .card")).to_have_count(len(ids))
    like = page.get_by_role("link", name="Search like these").get_attribute("href") or ""
    assert re.findall(r"like=(\d+)", like) == ids
    condition = page.get_by_role("textbox", name="Condition", include_hidden=True).input_value()
    assert condition == f"id in ({', '.join(ids)})"
    page.get_by_role("link", name="Only these on the map").click()
    until(page, f"{PLANE}.ids.length === {len(ids)}")
    page.go_back()
    until(page, f"{PLANE}.ids.length === {COUNT}")


def test_a_box_is_moved_and_resized_by_arrow_keys(visit: Begin) -> None:
    page = opened(visit())
    page.locator("canvas").focus()
    page.keyboard.press("b")
    before = page.evaluate(f"{PLANE}.outline")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Shift+ArrowRight")
    after = page.evaluate(f"{PLANE}.outline")
    assert after[0][0] < before[0][0]
    assert after[1][0] - after[0][0] > before[1][0] - before[0][0]
    expect(page.get_by_text("Enter selects them")).to_be_attached()
    page.keyboard.press("Escape")
    assert page.evaluate(f"{PLANE}.outline") is None
    assert selected(page) == []


def test_a_value_selects_its_points_and_gives_the_condition(
    visit: Begin, studio_db: LatentDB
) -> None:
    page = opened(visit(), by="label:smiling")
    page.get_by_role("button", name=re.compile("^no")).click()
    ids, values = studio_db.store.labels("smiling")
    assert selected(page) == [str(one) for one in ids[~values]]
    link = page.get_by_role("link", name="Only these on the map").get_attribute("href") or ""
    assert "where=not+smiling" in link
    page.get_by_label("Colour by").select_option("direction:hat")
    expect(page.locator(".legend")).to_contain_text("standard deviations")
    page.get_by_label("Select from").fill("0")
    page.get_by_label("Select up to").fill("99")
    page.get_by_role("button", name="Select", exact=True).click()
    scores = studio_db.point_values("faces-clip", "direction:hat")
    assert selected(page) == [str(one) for one in scores.ids[scores.values >= 0]]


def test_it_is_moved_and_zoomed_by_mouse_and_keys_and_the_link_says_so(visit: Begin) -> None:
    page = opened(visit())
    start = view(page)
    drag(page, (0.5, 0.5), (0.6, 0.6))
    assert view(page)["x"] < start["x"]
    box = corners(page)
    page.mouse.move(box["left"] + 0.5 * box["wide"], box["top"] + 0.5 * box["high"])
    page.mouse.wheel(0, -400)
    until(page, f"{PLANE}.zoom > 1.5")
    page.locator("canvas").focus()
    for key in ("+", "ArrowRight", "-", "+"):
        page.keyboard.press(key)
    expect(page).to_have_url(re.compile("at="))
    there = view(page)
    page.reload()
    until(page, f"{PLANE}?.frames.length > 0")
    assert view(page)["zoom"] == pytest.approx(there["zoom"], rel=0.01)
    assert view(page)["x"] == pytest.approx(there["x"], abs=0.01)
    page.get_by_role("button", name="Show everything").click()
    assert view(page)["zoom"] == pytest.approx(1)
    page.get_by_role("button", name="Zoom in").click()
    assert view(page)["zoom"] == pytest.approx(1.6)


def test_two_fingers_zoom(visit: Begin) -> None:
    page = opened(visit(phone=True))
    page.evaluate(
        """() => {
          const canvas = document.querySelector("canvas");
          canvas.setPointerCapture = () => {};
          const box = canvas.getBoundingClientRect();
          const touch = (type, pointerId, x) => canvas.dispatchEvent(new PointerEvent(type, {
            pointerId, pointerType: "touch", button: 0,
            clientX: box.left + x, clientY: box.top + 100,
          }));
          touch("pointerdown", 1, 100);
          touch("pointerdown", 2, 140);
          touch("pointermove", 2, 220);
          touch("pointerup", 2, 220);
          touch("pointerup", 1, 100);
        }"""
    )
    assert view(page)["zoom"] == pytest.approx(3, rel=0.01)
    assert selected(page) == []


def test_a_finger_draws_a_lasso(visit: Begin) -> None:
    page = opened(visit(phone=True))
    page.get_by_text("Lasso").tap()
    drag(page, *ALL)
    assert len(selected(page)) > 0


def test_thumbnails_appear_when_it_is_zoomed_in(visit: Begin) -> None:
    page = opened(visit(), at="0,0,6")
    until(page, f"{PLANE}.thumbnails.kept.size > 0")


def test_a_point_under_the_pointer_is_shown_and_a_click_selects_it(
    visit: Begin, studio_db: LatentDB
) -> None:
    page = opened(visit(), by="label:hat")
    x, y = page.evaluate(f"{PLANE}.toPixels({PLANE}.grid.x[0], {PLANE}.grid.y[0])")
    box = corners(page)
    page.mouse.move(box["left"] + x, box["top"] + y)
    expect(page.locator(".tip img")).to_be_visible()
    page.mouse.down()
    page.mouse.up()
    expect(page.locator(".strip .card")).to_have_count(1)
    assert page.locator(".strip .card").get_attribute("data-id") == selected(page)[0]


def test_hits_of_a_question_are_ringed(visit: Begin, studio_db: LatentDB) -> None:
    page = opened(visit(), text="a+hat", k="5", space="faces-clip")
    until(page, f"{PLANE}.marked.length > 0")
    found = set(page.evaluate(f"{PLANE}.marked.map((one) => {PLANE}.idAt(one))"))
    assert found == {str(hit.id) for hit in studio_db.search(text="a hat", k=5).hits}


def test_a_condition_that_cannot_be_used_is_told_beside_its_field(visit: Begin) -> None:
    tab = visit()
    tab.expect_refusal(422)
    page = tab.open("#view=map&where=nope")
    expect(page.locator("#map-wrong")).to_contain_text("no column")
    page.get_by_label("Only where").fill("hat")
    page.keyboard.press("Enter")
    until(page, f"{PLANE}.ids.length > 0")
    expect(page.locator("#map-wrong")).to_be_empty()


def test_a_dark_scheme_has_its_own_colours(visit: Begin) -> None:
    light = opened(visit()).evaluate(f"[{PLANE}.ground, {PLANE}.coloured.colours[1]]")
    dark = opened(visit(dark=True)).evaluate(f"[{PLANE}.ground, {PLANE}.coloured.colours[1]]")
    assert sum(light[0]) > 600 > 200 > sum(dark[0])
    assert light[1] != dark[1]


@pytest.mark.slow
def test_umap_is_made_as_a_job_and_shown(visit: Begin, own_site: str) -> None:
    tab = visit(site=own_site)
    tab.expect_refusal(404)
    page = tab.open("#view=map&space=faces-clip&method=umap")
    page.get_by_role("button", name="Make it").click()
    expect(page.get_by_role("heading", name="Making the UMAP")).to_be_visible()
    expect(page.get_by_text("15 neighbours")).to_be_visible(timeout=180_000)
    assert page.evaluate(f"{PLANE}.ids.length") == COUNT
