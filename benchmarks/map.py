"""The map of a large space: time until its points are placed, and of drawing them in Chromium.

    python -m benchmarks.map --n 100000 --dim 512 --umap

Vectors of ten groups in a space without pictures. Placing is measured in the library, reading
over HTTP from the same machine, drawing in Chromium without a GPU, a frame at a time, while the
map is moved and zoomed. Needs umap-learn for `--umap`, Chromium and playwright for the rest.
"""

from __future__ import annotations

import json
import resource
import shutil
import socket
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import uvicorn
from playwright.sync_api import Page, sync_playwright

import latentdb
from api.http.app import create_app
from api.settings import ServerSettings
from benchmarks._arguments import make_parser
from benchmarks._record import record, write_section
from latentdb.database import LatentDB
from latentdb.space import Space
from latentdb.types import ItemRow, SpaceRows

SPACE, GROUPS, BATCH = "codes", 10, 5000
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--no-first-run"]
FRAMES = 120
# Each moves the map a little in every frame, and gives the milliseconds between frames and of
# drawing each.
MOVE = """async ([what, frames]) => {
  const plane = document.querySelector("canvas").plane;
  plane.fit();
  if (what === "panned when zoomed in") plane.lookAt(0.1, 0.1, 8);
  await new Promise((done) => setTimeout(done, 300));
  plane.frames.length = 0;
  const between = [];
  let before = performance.now();
  for (let at = 0; at < frames; at++) {
    if (what === "zoomed") plane.zoomBy(at < frames / 2 ? 1.03 : 1 / 1.03);
    else plane.pan(4 * Math.sin(at / 8), 4 * Math.cos(at / 8));
    await new Promise(requestAnimationFrame);
    await new Promise(requestAnimationFrame);
    between.push((performance.now() - before) / 2);
    before = performance.now();
  }
  return { drawing: plane.frames.slice(-frames), between };
}"""
# The same points as discs that the canvas draws: what writing pixels is compared with.
DISCS = """() => {
  const plane = document.querySelector("canvas").plane;
  const { width, height } = plane.canvas;
  const canvas = Object.assign(document.createElement("canvas"), { width, height });
  const context = canvas.getContext("2d", { alpha: false, willReadFrequently: true });
  const took = [];
  for (let round = 0; round < 9; round++) {
    const start = performance.now();
    context.clearRect(0, 0, width, height);
    for (let at = 0; at < plane.grid.count; at++) {
      const [red, green, blue] = plane.coloured.colours[plane.looks[at] % 256];
      const [x, y] = plane.toPixels(plane.grid.x[at], plane.grid.y[at]);
      context.fillStyle = `rgb(${red} ${green} ${blue})`;
      context.beginPath();
      context.arc(x, y, plane.radius, 0, 7);
      context.fill();
    }
    context.getImageData(0, 0, 1, 1);
    took.push(performance.now() - start);
  }
  return took.sort((one, other) => one - other)[4];
}"""


def main() -> None:
    """Fill a database, place its rows, draw them, keep what it took."""
    arguments = make_parser(__doc__)
    arguments.add_argument("--n", type=int, default=100_000)
    arguments.add_argument("--dim", type=int, default=512)
    arguments.add_argument("--umap", action="store_true", help="lay out by UMAP too: minutes")
    arguments.add_argument("--seed", type=int, default=0)
    asked = arguments.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        db = filled(Path(folder) / "map.ldb", asked.n, asked.dim, asked.seed)
        results: dict[str, object] = {"n": asked.n, "dim": asked.dim}
        results |= {"pca_s": seconds(lambda: db.project(SPACE))}
        results |= {"kept_s": seconds(lambda: db.project(SPACE))}
        if asked.umap:
            began = time.process_time()
            results |= {"umap_s": seconds(lambda: db.project(SPACE, method="umap"))}
            results |= {"umap_cpu_s": time.process_time() - began}
        results |= {"memory_gib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20}
        with serving(db) as site:
            results |= {name: fetched(site, path) for name, path in paths().items()}
            results |= {"page": drawn(site)}
    record("map", results, seed=asked.seed)
    write_section("map.md", "map", table(results))


def filled(path: Path, n: int, dim: int, seed: int) -> LatentDB:
    """A database of `n` items in ten groups, without pictures."""
    rng = np.random.default_rng(seed)
    middles = rng.standard_normal((GROUPS, dim))
    ids = np.sort(rng.choice(2**62, n, replace=False))
    db = latentdb.create(path)
    db.store.add_space(Space(SPACE, "embedding", dim, spec="imported:codes", settings={}))
    for start in range(0, n, BATCH):
        some = ids[start : start + BATCH]
        groups = rng.integers(0, GROUPS, len(some))
        rows = (middles[groups] + rng.standard_normal((len(some), dim))).astype(np.float32)
        items = [
            ItemRow(int(one), f"{one}.png", 0, 0, b"", {"grouped": f"group {group}"})
            for one, group in zip(some, groups, strict=True)
        ]
        vectors = {SPACE: SpaceRows(some, rows)}
        db.store.write_batch(items=items, sources=[], vectors=vectors, quarantine=[])
    return db


def paths() -> dict[str, str]:
    """What the page asks for."""
    return {
        "points": f"/v1/spaces/{SPACE}/projection",
        "values": f"/v1/spaces/{SPACE}/values?by=label:grouped",
    }


@contextmanager
def serving(db: LatentDB) -> Iterator[str]:
    """A server in a thread, for as long as the block."""
    app = create_app(db, settings=ServerSettings(runs_jobs=False))
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(app, log_level="error"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.02)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        server.should_exit = True
        thread.join()


def fetched(site: str, path: str) -> dict[str, float]:
    """Seconds and megabytes of an answer, the second time that it is asked for."""
    for _ in range(2):
        start = time.perf_counter()
        with urllib.request.urlopen(site + path) as response:
            body = response.read()
        took = time.perf_counter() - start
    json.loads(body)
    return {"seconds": took, "megabytes": len(body) / 1e6}


def drawn(site: str) -> dict[str, object]:
    """Seconds until the map stands, and milliseconds of its frames."""
    with sync_playwright() as playwright:
        path = shutil.which("chromium")
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        page = browser.new_page(viewport={"width": 1280, "height": 860})
        start = time.perf_counter()
        page.goto(f"{site}/#view=map&by=label:grouped")
        # The page's policy forbids Playwright to wait within it.
        while not page.evaluate("document.querySelector('canvas')?.plane?.frames.length ?? 0"):
            page.wait_for_timeout(10)
        stands = time.perf_counter() - start
        canvas = page.evaluate(
            "(({ width, height }) => [width, height])(document.querySelector('canvas'))"
        )
        moves = ("panned", "zoomed", "panned when zoomed in")
        found = {what: frames(page, what) for what in moves}
        discs = page.evaluate(DISCS)
        browser.close()
    return {"until_drawn_s": stands, "canvas": canvas, "frames": found, "discs_ms": discs}


def frames(page: Page, what: str) -> dict[str, float]:
    """Medians and 95th percentiles, in milliseconds."""
    told = page.evaluate(MOVE, [what, FRAMES])
    return {
        f"{name}_{share}": float(np.percentile(told[name], share))
        for name in ("drawing", "between")
        for share in (50, 95)
    }


def seconds(work: Callable[[], object]) -> float:
    """Wall time of `work`."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def table(results: dict[str, object]) -> str:
    """The figures for docs/map.md."""
    points, values, page = results["points"], results["values"], results["page"]
    lines = [
        f"{results['n']:,} rows of {results['dim']} values; the machine is in",
        "`benchmarks/results/map.json`.",
        "",
        "| | |",
        "|---|---|",
        f"| PCA, first time | {results['pca_s']:.1f} s |",
        f"| PCA, kept | {results['kept_s'] * 1000:.0f} ms |",
    ]
    if "umap_s" in results:
        took = f"{results['umap_s']:.0f} s, of which {results['umap_cpu_s']:.0f} s of one core"
        lines.append(f"| UMAP | {took} |")
    lines += [
        f"| points over HTTP | {points['seconds'] * 1000:.0f} ms, {points['megabytes']:.1f} MB |",
        f"| values over HTTP | {values['seconds'] * 1000:.0f} ms, {values['megabytes']:.1f} MB |",
        f"| page, until it is drawn | {page['until_drawn_s']:.1f} s |",
    ]
    lines += [
        f"| a frame, {what} | {told['drawing_50']:.1f} ms of drawing "
        f"({told['drawing_95']:.1f} at the 95th percentile), "
        f"{1000 / told['between_50']:.0f} frames/s |"
        for what, told in page["frames"].items()
    ]
    lines.append(f"| the same points as discs of a canvas | {page['discs_ms']:.0f} ms |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
