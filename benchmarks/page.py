"""The page in Chromium on the server's own machine: how long until there is something to work with.

    python -m benchmarks.page --rounds 15 --write

Each view is loaded with an empty cache, and again with what the first load left. Told are the first
paint with content, the moment from which the view is of use (its first picture stands, or its
controls), what was carried, and how long answers take from the key press to the first card.
`--pictures` takes the pictures of docs/page.md, of the database that `--database` names.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

import latentdb
from benchmarks._arguments import make_parser
from benchmarks._record import ROOT, record, write_section
from benchmarks._serving import ServerProcess
from latentdb.ingest import IngestOptions
from latentdb.zoo.faces import write_folder

COUNT = 600
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-sync"]
SIZE = {"width": 1280, "height": 860}
# Notes when the first picture of a view is there, or what else it is of use by.
WATCH = """(() => {
  const isThere = () => [...document.querySelectorAll(".card img")].some((one) => one.naturalWidth)
    || document.querySelector(".view.ingest .choice, .view.jobs h2");
  const look = () => { if (isThere()) globalThis.usefulAt ??= performance.now(); };
  new MutationObserver(look).observe(document, { childList: true, subtree: true });
  document.addEventListener("load", look, true);
})();"""
READ = """() => {
  const loads = performance.getEntriesByType("resource");
  return {
    paint_ms: performance.getEntriesByName("first-contentful-paint")[0].startTime,
    useful_ms: globalThis.usefulAt,
    requests: loads.length + 1,
    kib: loads.reduce((sum, one) => sum + one.transferSize, 0) / 1024,
  };
}"""


def main() -> None:
    """Load every view, over and over, and say how long it takes."""
    parser = make_parser(__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--database", type=Path, help="a copy is served; 600 drawn faces if none")
    parser.add_argument("--pictures", action="store_true", help="take docs/images/page_*.webp")
    parser.add_argument("--write", action="store_true", help="put the figures into docs/page.md")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        database = Path(folder) / "faces.ldb"
        if asked.database is None:
            _make(database)
        else:
            shutil.copytree(asked.database, database)
        item = int(latentdb.open(database).store.item_ids()[0])
        with _served(database) as url, _chromium() as browser:
            if asked.pictures:
                _pictures(browser, url, item)
                return
            results = _measure(browser, url, item, asked.rounds)
    record("page", results, seed=0)
    if asked.write:
        write_section("page.md", "page", _table(results))


def _make(database: Path) -> None:
    faces = database.parent / "faces"
    write_folder(faces, COUNT, seed=0)
    db = latentdb.create(database, spaces=["faces-clip"], device="cpu")
    db.ingest(faces, options=IngestOptions(labels=faces / "labels.csv"))
    db.fit_direction("hat", space="faces-clip", label="hat")


@contextmanager
def _served(database: Path) -> Iterator[str]:
    with (database.parent / "server.log").open("wb") as log:
        server = ServerProcess(database, log)
        server.wait_until_up()
        try:
            yield server.url
        finally:
            server.stop()


@contextmanager
def _chromium() -> Iterator[Browser]:
    path = os.environ.get("CHROMIUM") or shutil.which("chromium")
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=path, args=ARGUMENTS)


def _measure(browser: Browser, url: str, item: int, rounds: int) -> dict[str, Any]:
    links = {
        "all pictures": "",
        "an answer to a text": "#view=search&text=a+hat",
        "a picture": f"#view=item&id={item}",
        "add pictures": "#view=ingest",
        "jobs": "#view=jobs",
    }
    views: dict[str, dict[str, dict[str, float]]] = {}
    for name, link in links.items():
        loads: dict[str, list[dict[str, float]]] = {"cold": [], "warm": []}
        for _ in range(rounds + 1):
            page = browser.new_page(viewport=SIZE, bypass_csp=True)  # waiting needs eval
            page.add_init_script(WATCH)
            for cache in ("cold", "warm"):
                page.goto(f"{url}/{link}" if cache == "cold" else "about:blank")
                if cache == "warm":
                    page.goto(f"{url}/{link}")
                page.wait_for_function("globalThis.usefulAt !== undefined")
                loads[cache].append(page.evaluate(READ))
            page.close()
        # The first load of a view is the server's first too: models are loaded and pages read.
        views[name] = {cache: _medians(some[1:]) for cache, some in loads.items()}
    answers = _answers(browser, url, rounds)
    return {"rounds": rounds, "views": views, "answers_ms": answers, "load": os.getloadavg()[0]}


def _medians(loads: list[dict[str, float]]) -> dict[str, float]:
    return {key: round(median(one[key] for one in loads), 1) for key in loads[0]}


def _answers(browser: Browser, url: str, rounds: int) -> dict[str, float]:
    """Milliseconds from the key press to the first card of the answer."""
    page = browser.new_page(viewport=SIZE, bypass_csp=True)
    page.goto(url)
    page.wait_for_selector(".view.search .card")
    ways: dict[str, Callable[[int], None]] = {
        "a text that was not asked before": lambda at: _ask(page, f"a face with hat number {at}"),
        "a text again": lambda _: _ask(page, "a hat"),
        "like a picture": lambda _: page.locator(".card [data-act=like]").first.click(),
    }
    found = {}
    for name, ask in ways.items():
        times = []
        for at in range(rounds + 1):
            page.evaluate(
                """() => { globalThis.answeredAt = undefined;
                  const list = document.querySelector(".view.search .cards");
                  addEventListener("keydown", () => { globalThis.askedAt = performance.now(); },
                    { once: true, capture: true });
                  addEventListener("click", () => { globalThis.askedAt = performance.now(); },
                    { once: true, capture: true });
                  new MutationObserver((_, watch) => { globalThis.answeredAt = performance.now();
                    watch.disconnect(); }).observe(list, { childList: true }); }"""
            )
            ask(at)
            page.wait_for_function("globalThis.answeredAt !== undefined")
            times.append(page.evaluate("globalThis.answeredAt - globalThis.askedAt"))
            page.wait_for_load_state("networkidle")
        found[name] = round(median(times[1:]), 1)
    page.close()
    return found


def _ask(page: Page, text: str) -> None:
    page.locator("#text").fill(text)
    page.locator("#text").press("Enter")


def _table(results: dict[str, Any]) -> str:
    lines = [
        "| view | first paint | of use | again: first paint | of use | requests | KiB |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, view in results["views"].items():
        cold, warm = view["cold"], view["warm"]
        times = [cold["paint_ms"], cold["useful_ms"], warm["paint_ms"], warm["useful_ms"]]
        carried = f"{cold['requests']:.0f} | {cold['kib']:.0f}"
        lines.append(f"| {name} | {' | '.join(f'{one:.0f} ms' for one in times)} | {carried} |")
    answers = "; ".join(f"{name} {ms:.0f} ms" for name, ms in results["answers_ms"].items())
    load = f"{results['load']:.0f} processes wanted the {os.cpu_count()} cores meanwhile."
    return "\n".join(
        [*lines, "", f"From the key or the click to the first card: {answers}.", "", load]
    )


def _pictures(browser: Browser, url: str, item: int) -> None:
    """The pictures of docs/page.md."""
    asked = "text=a+hat&space=faces-noise&metric=nao&directions=smiling%3D1.5&explain=1"
    for name, link, dark in (
        ("search", f"#view=search&{asked}&like={item}", False),
        ("item", f"#view=item&id={item}", True),
    ):
        page = browser.new_page(viewport=SIZE, color_scheme="dark" if dark else "light")
        _take(page, f"{url}/{link}", name)
    phone = browser.new_page(viewport={"width": 360, "height": 780}, device_scale_factor=2)
    _take(phone, f"{url}/#view=search&text=glasses", "phone")


def _take(page: Page, link: str, name: str) -> None:
    for _ in range(2):  # the first question loads a model
        page.goto("about:blank")
        page.goto(link)
        page.wait_for_selector(".view .card .nearness")
        page.wait_for_load_state("networkidle")
    with tempfile.TemporaryDirectory() as folder:
        page.screenshot(path=f"{folder}/page.png")
        path = ROOT / "docs" / "images" / f"page_{name}.webp"
        Image.open(f"{folder}/page.png").convert("RGB").save(path, quality=86, method=6)
    page.close()


if __name__ == "__main__":
    main()
