"""The page in real Chromium, over a real server and sixty faces in two of the zoo's spaces.

A conftest imports the fixtures: `from browser import chromium, site, visit, zoo_db`.
"""

from __future__ import annotations

import os
import shutil
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, final

import pytest
import uvicorn
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright

import latentdb
from api.http.app import create_app
from api.settings import ServerSettings
from latentdb.database import LatentDB
from latentdb.ingest import IngestOptions
from latentdb.zoo.faces import write_folder

COUNT = 60
PHONE = {"width": 360, "height": 740}
DESK = {"width": 1280, "height": 860}
_NAMES = ("chromium", "chromium-browser", "google-chrome")
_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
_PATIENCE_MS = 60_000
_REFUSED = "Failed to load resource: the server responded with a status of "


def chromium_path() -> str:
    """Where Chromium is: `$CHROMIUM`, or on the path. Without it the test is skipped."""
    named = os.environ.get("CHROMIUM")
    found = named or next((path for name in _NAMES if (path := shutil.which(name))), None)
    if found is None:
        pytest.skip("no Chromium here: install it (make chromium), or name it in $CHROMIUM")
    return found


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """A browser; no longer than a module, because its event loop would be in the way of others."""
    path = chromium_path()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=_ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def zoo_db(tmp_path_factory: pytest.TempPathFactory) -> LatentDB:
    """Sixty faces in a space with text and one of noise, with a map and two directions."""
    assert chromium_path()  # before much is done for nothing
    return _zoo(tmp_path_factory.getbasetemp() / "zoo")


@cache  # several conftests have the fixture
def _zoo(folder: Path) -> LatentDB:
    write_folder(folder / "faces", COUNT, seed=5)
    made = latentdb.create(folder / "zoo.ldb", spaces=["faces-clip", "faces-noise"], device="cpu")
    labels = folder / "faces" / "labels.csv"
    made.ingest(folder / "faces", options=IngestOptions(labels=labels, workers=0))
    # Of so few faces it is worth little, which the page is to say.
    made.stitch("faces-clip", "faces-noise", force=True)
    for name in ("hat", "smiling"):
        made.fit_direction(name, space="faces-clip", label=name)
    return made


@contextmanager
def serving(db: LatentDB | Path, **settings: Any) -> Iterator[str]:
    """The address of a server over a database, in a thread of this process."""
    chosen = ServerSettings(**settings)
    app = create_app(db if isinstance(db, LatentDB) else str(db), settings=chosen)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        server = uvicorn.Server(uvicorn.Config(app, log_level="error"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        while not server.started:
            assert thread.is_alive(), "the server did not start"
            time.sleep(0.02)
        yield f"http://127.0.0.1:{port}"
        server.should_exit = True
        thread.join(timeout=20)


@pytest.fixture(scope="session")
def site(zoo_db: LatentDB) -> Iterator[str]:
    """Address of a server over `zoo_db`, for tests that only read."""
    with serving(zoo_db) as address:
        yield address


@final
@dataclass
class Visit:
    """One visitor's tab, and what went wrong in it."""

    page: Page
    site: str
    faults: list[str] = field(default_factory=list)
    refusals: set[int] = field(default_factory=set)

    def open(self, link: str = "", *, site: str | None = None) -> Page:
        """Load the page at `#link`; wait until its view is drawn and nothing is on its way."""
        self.page.goto("about:blank")  # from one `#` to another nothing would be loaded
        self.page.goto(f"{site or self.site}/{link}")
        expect(self.page.locator("#main > section:visible")).not_to_be_empty()
        self.page.wait_for_load_state("networkidle")
        return self.page

    def expect_refusal(self, *statuses: int) -> None:
        """The browser's own line about such an answer is no fault in this test."""
        self.refusals.update(statuses)

    def hear(self, message: ConsoleMessage) -> None:
        """Note an error of the console: of a script, or of the content security policy."""
        is_refusal = any(message.text.startswith(f"{_REFUSED}{one}") for one in self.refusals)
        if message.type == "error" and not is_refusal:
            self.faults.append(f"{message.text} at {message.location}")

    def overflow(self) -> int:
        """By how many pixels the page is wider than its window.

        The window as it was asked for: a phone's `innerWidth` grows with a page that is too wide.
        """
        assert self.page.viewport_size is not None
        wide: int = self.page.evaluate("document.documentElement.scrollWidth")
        return max(0, wide - self.page.viewport_size["width"])

    def axe(self) -> list[str]:
        """Serious and critical faults of accessibility, each in a line."""
        found = Axe().run(self.page, options={"resultTypes": ["violations"]}).response["violations"]
        return [
            f"{one['impact']} {one['id']}: {[node['target'] for node in one['nodes']][:5]}"
            for one in found
            if one["impact"] in ("serious", "critical")
        ]


@final
class Visits:
    """Opens tabs: `visit(dark=…, phone=…, site=…)`."""

    def __init__(self, browser: Browser, site: str) -> None:
        self._browser = browser
        self._site = site
        self._tabs: list[Visit] = []

    def __call__(
        self, *, dark: bool = False, phone: bool = False, site: str | None = None, **more: Any
    ) -> Visit:
        """A new tab, of a browser that keeps nothing."""
        page = self._browser.new_page(
            viewport=PHONE if phone else DESK,
            color_scheme="dark" if dark else "light",
            reduced_motion="reduce",
            has_touch=phone,
            is_mobile=phone,
            **more,
        )
        page.set_default_timeout(_PATIENCE_MS)
        made = Visit(page, site or self._site)
        page.on("console", made.hear)
        page.on("pageerror", lambda error: made.faults.append(str(error)))
        self._tabs.append(made)
        return made

    def close(self) -> None:
        """Close all tabs; where a server is to stop, before it does."""
        for tab in self._tabs:
            tab.page.close()

    @property
    def faults(self) -> list[str]:
        """What went wrong in any of them."""
        return [fault for tab in self._tabs for fault in tab.faults]


@pytest.fixture
def visit(chromium: Browser, site: str) -> Iterator[Visits]:
    """Open tabs; no error may be on their consoles in the end."""
    visits = Visits(chromium, site)
    expect.set_options(timeout=_PATIENCE_MS)
    yield visits
    visits.close()
    assert visits.faults == [], visits.faults


@pytest.fixture
def own_site(zoo_db: LatentDB, tmp_path: Path, visit: Visits) -> Iterator[str]:
    """Address of a server over a copy of `zoo_db`, for a test that writes."""
    shutil.copytree(zoo_db.uri, tmp_path / "own.ldb")
    with serving(latentdb.open(tmp_path / "own.ldb", device="cpu")) as address:
        yield address
        visit.close()
