"""A server with keys: the page asks for one, and offers what its scope allows; an empty one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from browser import Visit, serving
from playwright.sync_api import Page, expect

import latentdb
from api.http.keys import KeyFile
from latentdb.database import LatentDB

Begin = Callable[..., Visit]


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> KeyFile:
    return KeyFile(tmp_path_factory.mktemp("keys") / "keys.json")


@pytest.fixture(scope="module")
def reader(keys: KeyFile) -> str:
    return keys.add("reader", "read")


@pytest.fixture(scope="module")
def guarded(zoo_db: LatentDB, keys: KeyFile, reader: str) -> Iterator[str]:
    assert reader
    with serving(zoo_db, keys=keys.path, runs_jobs=False) as address:
        yield address


def log_in(page: Page, key: str) -> None:
    page.get_by_label("Key", exact=True).fill(key)
    page.keyboard.press("Enter")


def test_a_key_is_asked_for_and_a_link_leads_on_behind_it(
    visit: Begin, guarded: str, reader: str
) -> None:
    tab = visit(site=guarded)
    tab.expect_refusal(401)
    page = tab.page
    page.goto(f"{guarded}/#view=search&text=a+hat&k=3")
    expect(page.get_by_role("dialog", name="This database asks for a key")).to_be_visible()
    assert tab.axe() == []
    page.keyboard.press("Escape")
    log_in(page, "ldb_nonsense")
    expect(page.get_by_role("alert").filter(has_text="key")).to_be_visible()
    log_in(page, reader)
    expect(page.locator(".view.search .card")).to_have_count(3)
    page.reload()  # the cookie is enough
    expect(page.locator(".view.search .card")).to_have_count(3)
    assert reader not in page.evaluate("document.cookie + JSON.stringify(localStorage)")
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_role("dialog")).to_be_visible()


def test_a_reader_is_offered_no_writing(visit: Begin, guarded: str, reader: str) -> None:
    tab = visit(site=guarded)
    tab.expect_refusal(401)
    page = tab.page
    page.goto(f"{guarded}/#view=ingest")
    log_in(page, reader)
    expect(page.get_by_role("heading", name="This key may only read")).to_be_visible()
    page.goto(f"{guarded}/#view=search")
    page.get_by_label("Open this picture").first.click()
    expect(page.get_by_role("heading", name="What is near it")).to_be_visible()
    expect(page.get_by_role("button", name="Delete…")).to_have_count(0)
    expect(page.get_by_role("button", name="Save labels")).to_have_count(0)


def test_an_empty_database_says_what_to_do(visit: Begin, tmp_path: Path) -> None:
    db = latentdb.create(tmp_path / "empty.ldb", spaces=["faces-clip"], device="cpu")
    with serving(db) as address:
        tab = visit(site=address)
        page = tab.open()
        expect(page.get_by_role("heading", name="There are no pictures yet")).to_be_visible()
        assert tab.axe() == []
        page.locator(".view.search").get_by_role("link", name="Add pictures").click()
        expect(page.get_by_role("heading", name="Drop pictures or a folder")).to_be_visible()


def test_a_server_that_went_away_is_said(visit: Begin, zoo_db: LatentDB) -> None:
    with serving(zoo_db, runs_jobs=False) as address:
        tab = visit(site=address)
        page = tab.open()
    page.get_by_label("Describe a picture").fill("a hat")
    page.keyboard.press("Enter")
    expect(page.locator("#status.bad")).to_contain_text("The server cannot be reached")
    expect(page.get_by_role("button", name="Try again")).to_be_visible()
    tab.faults.clear()  # the browser's own lines about it
