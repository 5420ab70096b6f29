"""Asking, by mouse and by keyboard; every answer has a link."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from browser import Visit
from playwright.sync_api import Page, expect

from latentdb.database import LatentDB

Begin = Callable[..., Visit]


def cards(page: Page) -> list[str]:
    """Ids of the pictures that are shown."""
    found: list[str] = page.eval_on_selector_all(
        "#main .search .card", "all => all.map(one => one.dataset.id)"
    )
    return found


def wait_for_answer(page: Page) -> None:
    expect(page.locator(".how .badge")).to_be_visible()
    expect(page.locator(".cards.busy")).to_have_count(0)


def params(page: Page) -> dict[str, list[str]]:
    """What the address says."""
    from urllib.parse import parse_qs

    return parse_qs(page.url.partition("#")[2])


def test_a_text_is_searched_as_the_library_does(visit: Begin, zoo_db: LatentDB) -> None:
    page = visit().open()
    page.get_by_label("Describe a picture").fill("a hat")
    page.get_by_role("button", name="Search", exact=True).click()
    wait_for_answer(page)
    assert cards(page) == [str(hit.id) for hit in zoo_db.search(text="a hat", k=24).hits]
    expect(page.get_by_role("heading", name="“a hat”")).to_be_visible()
    expect(page.locator(".how .badge")).to_have_text("exact")


def test_an_answer_has_a_link_that_says_all_of_the_question(visit: Begin) -> None:
    link = (
        "#view=search&text=a+hat&space=faces-noise&from=faces-clip&metric=nao&prior=fitted&k=5"
        "&where=smiling&directions=hat%3D1.5&diverse=0.5&explain=1"
    )
    page = visit().open(link)
    wait_for_answer(page)
    assert len(cards(page)) == 5
    expect(page.get_by_label("Search in")).to_have_value("faces-noise")
    expect(page.get_by_label("Prior of the norm")).to_have_value("fitted")
    expect(page.get_by_label("hat", exact=True)).to_have_value("1.5")
    expect(page.get_by_label("Only where")).to_have_value("smiling")
    expect(page.get_by_label("Explain")).to_be_checked()
    expect(page.locator(".why").first).to_contain_text("hat +1.5")
    expect(page.locator(".how")).to_contain_text("held-out recall@10")
    assert page.locator(".nearness .parts").count() == 5


def test_likes_and_unlikes_make_one_question(visit: Begin, zoo_db: LatentDB) -> None:
    page = visit().open("#view=search&text=a+hat")
    wait_for_answer(page)
    like, unlike = cards(page)[:2]
    page.get_by_label("Like this one").first.click()
    expect(page.locator(f".card[data-id='{like}']")).to_have_count(0)  # asked with, so left out
    page.locator(f".card[data-id='{unlike}'] [data-act=unlike]").click()
    expect(page.locator(".part")).to_have_count(3)
    wait_for_answer(page)
    assert params(page)["like"] == [like]
    assert params(page)["unlike"] == [unlike]
    page.get_by_label("Weight of a picture").first.fill("2")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(rf"like={like}%3A2"))
    wait_for_answer(page)
    asked = zoo_db.search(text="a hat", like={int(like): 2.0}, unlike=[int(unlike)], k=24)
    expect(page.locator(".card").first).to_have_attribute("data-id", str(asked.hits[0].id))
    page.get_by_label("Leave out “a hat”").click()
    expect(page.locator(".part")).to_have_count(2)
    assert "text" not in params(page)


def test_the_prior_is_asked_for_with_nao_alone(visit: Begin) -> None:
    page = visit().open("#view=search&text=a+hat&space=faces-noise")
    wait_for_answer(page)
    expect(page.get_by_label("Prior of the norm")).to_be_hidden()
    page.get_by_text("nao", exact=True).click()
    expect(page.get_by_label("Prior of the norm")).to_be_visible()
    page.get_by_label("Prior of the norm").select_option("none")
    expect(page.locator(".how")).to_contain_text("nao, prior none")
    page.get_by_text("cosine", exact=True).click()
    expect(page.get_by_label("Prior of the norm")).to_be_hidden()
    assert "prior" not in params(page)


def test_a_filter_is_completed_and_what_is_wrong_is_said_beside_it(visit: Begin) -> None:
    tab = visit()
    tab.expect_refusal(422)
    page = tab.open()
    field = page.get_by_label("Only where")
    field.press_sequentially("smi")
    expect(page.get_by_role("option", name="smiling")).to_be_visible()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(field).to_have_value("smiling ")
    expect(page.locator("#where-told")).to_contain_text("of 60 pictures")
    field.press_sequentially("and nonsense")
    page.keyboard.press("Escape")
    page.keyboard.press("Enter")
    expect(page.locator("#where-wrong")).to_contain_text("no column 'nonsense'")
    expect(field).to_have_attribute("aria-invalid", "true")
    field.fill("smiling and not hat")
    page.keyboard.press("Enter")
    expect(page.locator("#where-wrong")).to_be_empty()
    expect(page.locator(".card").first).to_contain_text("smiling")
    assert params(page)["where"] == ["smiling and not hat"]


def test_a_slider_moves_the_answer_and_says_its_auc(visit: Begin, zoo_db: LatentDB) -> None:
    page = visit().open("#view=search&text=a+face&space=faces-clip&k=6")
    wait_for_answer(page)
    scores = next(one.scores for one in zoo_db.directions() if one.name == "hat")
    expect(page.locator("#direction-hat-auc")).to_contain_text(f"AUC {scores.auc.value:.3f}")
    page.get_by_label("hat", exact=True).focus()
    for _ in range(4):
        page.keyboard.press("ArrowRight")
    expect(page).to_have_url(re.compile("directions=hat%3D2"))
    expect(page.locator(".how")).to_contain_text("hat +2")
    asked = zoo_db.search(text="a face", space="faces-clip", directions={"hat": 2.0}, k=6)
    expect(page.locator(".card").first).to_have_attribute("data-id", str(asked.hits[0].id))
    page.get_by_role("button", name="Reset").click()
    expect(page.get_by_label("hat", exact=True)).to_have_value("0")


@pytest.mark.parametrize("way", ["choose", "drop", "paste"])
def test_a_picture_is_searched_with(
    visit: Begin, zoo_db: LatentDB, tmp_path: Path, way: str
) -> None:
    item = int(zoo_db.store.item_ids()[0])
    path = tmp_path / "face.png"
    zoo_db.picture(item).save(path)
    page = visit().open()
    if way == "choose":
        page.get_by_label("Picture…").set_input_files(path)
    else:
        page.evaluate(
            """([bytes, way]) => {
              const carried = new DataTransfer();
              carried.items.add(new File([new Uint8Array(bytes)], "face.png", {type: "image/png"}));
              const given = way === "drop" ? {dataTransfer: carried} : {clipboardData: carried};
              const Kind = way === "drop" ? DragEvent : ClipboardEvent;
              const all = {bubbles: true, cancelable: true, ...given};
              document.body.dispatchEvent(new Kind(way, all));
            }""",
            [list(path.read_bytes()), way],
        )
    expect(page.get_by_role("heading", name="Like a picture")).to_be_visible()
    expect(page.locator(".card").first).to_have_attribute("data-id", str(item))
    page.reload()
    expect(page.get_by_text("A link cannot carry the picture")).to_be_visible()


def test_all_of_it_goes_by_keyboard(visit: Begin) -> None:
    page = visit().open()
    page.keyboard.press("/")
    expect(page.get_by_label("Describe a picture")).to_be_focused()
    page.keyboard.type("a hat")
    page.keyboard.press("Enter")
    wait_for_answer(page)
    page.locator(".card a").first.focus()
    columns = page.locator(".search .cards").evaluate(
        "list => getComputedStyle(list).gridTemplateColumns.split(' ').length"
    )
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    expect(page.locator(".card").nth(1 + columns).locator("a").first).to_be_focused()
    page.keyboard.press("l")
    expect(page.locator(".part")).to_have_count(2)
    page.keyboard.press("u")
    expect(page.locator(".part.unlike")).to_have_count(1)
    wait_for_answer(page)
    focused = page.evaluate("document.activeElement.closest('.card')?.dataset.id")
    assert focused in cards(page)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Like a picture")).to_be_visible()
    assert params(page)["like"] == [focused]
    page.keyboard.press("Escape")
    expect(page.get_by_role("heading", name="All pictures")).to_be_visible()


def test_more_is_shown_by_asking_for_more(visit: Begin) -> None:
    page = visit().open("#view=search&text=a+hat")
    wait_for_answer(page)
    first = cards(page)
    page.get_by_role("button", name="Show more").click()
    expect(page.locator(".card")).to_have_count(48)
    assert cards(page)[:24] == first
    assert params(page)["k"] == ["48"]
    expect(page.locator(".card").nth(24).locator("a").first).to_be_focused()


def test_an_answer_is_saved_with_ids_of_all_their_digits(visit: Begin, zoo_db: LatentDB) -> None:
    page = visit().open("#view=search&text=a+hat&k=3")
    wait_for_answer(page)
    with page.expect_download() as saved:
        page.get_by_role("button", name="Save JSON").click()
    answer = json.loads(saved.value.path().read_text())
    assert [hit["id"] for hit in answer["hits"]] == [
        hit.id for hit in zoo_db.search(text="a hat", k=3).hits
    ]


def test_what_cannot_be_answered_is_said_with_what_to_do(visit: Begin) -> None:
    tab = visit()
    tab.expect_refusal(404, 422)
    page = tab.open("#view=search&text=a+hat&space=nowhere")
    expect(page.locator("#status.bad")).to_contain_text("nowhere")
    expect(page.get_by_role("button", name="Start over")).to_be_visible()
    page.get_by_role("button", name="Start over").click()
    expect(page.locator(".card").first).to_be_visible()
    page = tab.open("#view=search&text=a+hat&where=width+%3E+9000")
    expect(page.get_by_role("heading", name="Nothing qualifies")).to_be_visible()


def test_going_back_shows_the_question_before(visit: Begin) -> None:
    page = visit().open("#view=search&text=a+hat")
    wait_for_answer(page)
    page.get_by_label("Describe a picture").fill("a beard")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="“a beard”")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("heading", name="“a hat”")).to_be_visible()
    expect(page.get_by_label("Describe a picture")).to_have_value("a hat")


def test_a_slider_alone_orders_all_pictures(visit: Begin, zoo_db: LatentDB) -> None:
    page = visit().open("#view=search&directions=hat%3D-1&k=4")
    expect(page.get_by_role("heading", name="All pictures, least hat first")).to_be_visible()
    ranked = zoo_db.rank("hat", space="faces-clip", k=4, descending=False)
    assert cards(page) == [str(hit.id) for hit in ranked.hits]
    expect(page.locator(".nearness").first).to_contain_text("sd")
    page.get_by_role("button", name="Reset").click()
    expect(page.get_by_role("heading", name="All pictures", exact=True)).to_be_visible()


def test_all_pictures_are_ordered_by_how_typical_they_are(visit: Begin, zoo_db: LatentDB) -> None:
    page = visit().open("#view=search&k=4")
    page.get_by_label("Order of all pictures").select_option("untypical")
    expect(page.get_by_role("heading", name="All pictures, least typical first")).to_be_visible()
    ranked = zoo_db.rank_by_energy("faces-clip", k=4)
    assert cards(page) == [str(hit.id) for hit in ranked.hits]
    expect(page.locator(".nearness").first).to_contain_text("nats")


def test_a_number_of_hits_that_cannot_be_is_said_beside_the_field(visit: Begin) -> None:
    page = visit().open("#view=search&text=a+hat&k=3")
    wait_for_answer(page)
    page.get_by_label("Hits").fill("100000")
    page.keyboard.press("Tab")
    expect(page.locator("#k-wrong")).to_have_text("A whole number from 1 to 500")
    expect(page.get_by_label("Hits")).to_have_attribute("aria-invalid", "true")
    assert len(cards(page)) == 3
    page.get_by_label("Hits").fill("5")
    page.keyboard.press("Tab")
    expect(page.locator(".search .card")).to_have_count(5)
    expect(page.locator("#k-wrong")).to_be_empty()


def test_an_answer_leads_to_its_place_on_the_map(visit: Begin) -> None:
    page = visit().open("#view=search&text=a+hat&k=3")
    wait_for_answer(page)
    link = page.get_by_role("link", name="On the map").get_attribute("href") or ""
    assert link.startswith("#view=map&text=a+hat&")
    assert "space=faces-clip" in link
