"""One picture: its facts, its labels, its neighbours."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from browser import Visit
from playwright.sync_api import expect

from latentdb.database import LatentDB

Begin = Callable[..., Visit]


@pytest.fixture(scope="module")
def item(zoo_db: LatentDB) -> int:
    return int(zoo_db.store.item_ids()[3])


def test_its_neighbours_in_every_space_stand_side_by_side(
    visit: Begin, zoo_db: LatentDB, item: int
) -> None:
    page = visit().open(f"#view=item&id={item}")
    near = {
        name: [str(hit.id) for hit in zoo_db.search(id=item, space=name, k=12).hits]
        for name in zoo_db.spaces()
    }
    for name, ids in near.items():
        row = page.get_by_role("list", name=f"Nearest in {name}")
        expect(row.locator(".card")).to_have_count(12)
        shown = row.locator(".card").evaluate_all("all => all.map(one => one.dataset.id)")
        assert shown == ids
        marked = row.locator(".card.marked").evaluate_all("all => all.map(one => one.dataset.id)")
        assert set(marked) == set.intersection(*(set(one) for one in near.values()))
    expect(page.locator(".whole .facts").first).to_contain_text("64 × 64 pixels")
    expect(page.locator(".whole")).to_contain_text(str(item))


def test_it_leads_on_to_what_can_be_done_with_it(visit: Begin, item: int) -> None:
    page = visit().open(f"#view=item&id={item}")
    for name, view in (("Edit", "edit"), ("Interpolate", "between"), ("On the map", "map")):
        link = page.locator(".whole").get_by_role("link", name=name, exact=True)
        assert (link.get_attribute("href") or "").startswith(f"#view={view}&")
    page.locator(".whole").get_by_role("link", name="More like it").press("Enter")
    expect(page.get_by_role("heading", name="Like a picture")).to_be_visible()
    page.locator(".view.search .card a").first.focus()
    page.keyboard.press("o")
    expect(page.get_by_role("heading", name="What is near it")).to_be_visible()


def test_labels_are_changed_and_kept(visit: Begin, own_site: str, item: int) -> None:
    tab = visit(site=own_site)
    page = tab.open(f"#view=item&id={item}")
    save = page.get_by_role("button", name="Save labels")
    expect(save).to_be_disabled()
    hat = page.locator(".labels [name=hat]")
    other = "no" if hat.input_value() == "yes" else "yes"
    hat.select_option(other)
    page.locator(".labels [name=caption]").fill("changed by hand")
    save.click()
    expect(page.locator("#status")).to_have_text("The labels are saved")
    page.reload()
    expect(hat).to_have_value(other)
    expect(page.locator(".labels [name=caption]")).to_have_value("changed by hand")


def test_it_is_deleted_once_that_is_confirmed(visit: Begin, own_site: str, item: int) -> None:
    tab = visit(site=own_site)
    tab.expect_refusal(404)
    page = tab.open(f"#view=item&id={item}")
    page.get_by_role("button", name="Delete…").click()
    assert tab.axe() == []
    page.get_by_role("button", name="Keep it").press("Enter")
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.get_by_role("button", name="Delete…").click()
    page.get_by_role("button", name="Delete it").click()
    expect(page.locator("#facts")).to_contain_text("59 pictures")
    page = tab.open(f"#view=item&id={item}")
    expect(page.get_by_role("heading", name="This picture is not there (any more)")).to_be_visible()
