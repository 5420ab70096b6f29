"""What all views have: both colour schemes, narrow screens, names for screen readers."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from browser import Visit
from playwright.sync_api import expect

from latentdb.database import LatentDB

Begin = Callable[..., Visit]
ANSWER = "#view=search&text=a+hat&space=faces-noise&metric=nao&explain=1"


@pytest.fixture(scope="module")
def links(zoo_db: LatentDB) -> dict[str, str]:
    item = int(zoo_db.store.item_ids()[0])
    return {
        "browse": "",
        "answer": f"{ANSWER}&like={item}",
        "nothing": "#view=search&text=a+hat&where=width+%3E+9000",
        "item": f"#view=item&id={item}",
        "ingest": "#view=ingest",
        "jobs": "#view=jobs",
    }


VIEWS = ["browse", "answer", "nothing", "item", "ingest", "jobs"]


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_axe_finds_nothing_serious(visit: Begin, links: dict[str, str], dark: bool) -> None:
    tab = visit(dark=dark)
    found = {}
    for name in VIEWS:
        tab.open(links[name])
        found[name] = tab.axe()
    assert found == {name: [] for name in VIEWS}


def test_a_phone_scrolls_in_one_direction_and_has_room_for_fingers(
    visit: Begin, links: dict[str, str]
) -> None:
    tab = visit(phone=True)
    for name in VIEWS:
        page = tab.open(links[name])
        assert tab.overflow() == 0, name
        small = page.eval_on_selector_all(
            "button:visible, .button:visible, select:visible, #views a",
            """all => all.map(one => [one.textContent, one.getBoundingClientRect()])
              .filter(([, box]) => box.height < 44).map(([text, box]) => [text, box.height])""",
        )
        assert small == [], name
    assert tab.axe() == []


def test_a_chosen_scheme_is_remembered(visit: Begin) -> None:
    page = visit(dark=True).open()
    ground = "getComputedStyle(document.body).backgroundColor"
    system = page.evaluate(ground)
    button = page.get_by_role("button", name="Colours")
    button.click()
    light = page.evaluate(ground)
    assert light != system
    page.reload()
    expect(page.get_by_role("button", name="Colours: light")).to_be_visible()
    assert page.evaluate(ground) == light
    button.press("Enter")
    assert page.evaluate(ground) == system  # dark was chosen, which the system has too
    button.press("Enter")
    expect(page.get_by_role("button", name="Colours: system")).to_be_visible()


def test_views_are_reached_by_the_navigation_and_said_in_the_title(visit: Begin) -> None:
    page = visit().open()
    expect(page).to_have_title("Search · latentdb")
    page.get_by_role("navigation").get_by_role("link", name="Jobs").press("Enter")
    expect(page).to_have_title("Jobs · latentdb")
    expect(page.locator("#views [aria-current=page]")).to_have_text("Jobs")
    expect(page.get_by_role("heading", level=1)).to_have_text("Jobs")
    expect(page.locator("#main")).to_be_focused()
    page.keyboard.press("Tab")
    page.go_back()
    expect(page).to_have_title("Search · latentdb")


def test_the_skip_link_leads_to_the_content(visit: Begin) -> None:
    page = visit().open("#view=search&text=a+hat")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#main")).to_be_focused()
    assert "text=a+hat" in page.url


def test_a_view_that_is_not_there_says_so(visit: Begin) -> None:
    tab = visit()
    tab.expect_refusal(404)
    page = tab.open("#view=nowhere")
    expect(page.get_by_role("heading", name="There is no such view")).to_be_visible()
    assert tab.axe() == []


def test_motion_is_left_out_where_it_is_not_wanted(visit: Begin) -> None:
    page = visit().open()
    moving = page.evaluate(
        "[...document.querySelectorAll('*')].filter(one => "
        "parseFloat(getComputedStyle(one).transitionDuration) > 0).length"
    )
    assert moving == 0


def test_all_modules_of_the_search_are_asked_for_at_once(visit: Begin) -> None:
    tab = visit()
    asked: list[str] = []
    tab.page.on("request", lambda request: asked.append(request.url.removeprefix(tab.site)))
    page = tab.open()
    preloaded = page.eval_on_selector_all(
        "link[rel=modulepreload]", "all => all.map(one => one.getAttribute('href'))"
    )
    assert set(preloaded) | {"/web/js/main.js", "/web/js/theme.js"} == {
        url for url in asked if url.endswith(".js")
    }
