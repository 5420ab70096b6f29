"""Real processes that are killed: a server with all it started, and a runner by itself."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from job_pictures import picture

import latentdb
from api.jobs.book import JobBook
from api.jobs.keeper import Keeper
from latentdb.database import LatentDB

pytestmark = pytest.mark.slow

_PATIENCE_SECONDS = 240.0


def wait_until(is_so: Callable[[], bool]) -> None:
    until = time.monotonic() + _PATIENCE_SECONDS
    while not is_so():
        assert time.monotonic() < until, "it did not happen"
        time.sleep(0.02)


@contextmanager
def served(database: Path) -> Iterator[tuple[str, int]]:
    """Address and process group of a server, which is killed in the end if it is still there."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = ["-m", "api.cli", "serve", str(database), "--port", str(port), "--device", "cpu"]
    process = subprocess.Popen([sys.executable, *command], start_new_session=True)
    url = f"http://127.0.0.1:{port}"

    def answers() -> bool:
        assert process.poll() is None
        try:
            return httpx.get(f"{url}/healthz").status_code == 200
        except httpx.TransportError:
            return False

    try:
        wait_until(answers)
        yield url, process.pid
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@pytest.fixture
def database(db: LatentDB, tmp_path: Path) -> Path:
    shutil.copytree(db.uri, tmp_path / "served.ldb")
    return tmp_path / "served.ldb"


def test_a_job_survives_a_server_that_is_killed_in_the_middle_of_it(database: Path) -> None:
    book = JobBook(database)
    with served(database) as (url, group):
        sent = [("files", (f"{number}.png", picture(number))) for number in range(900, 910)]
        body = httpx.post(f"{url}/v1/items", files=sent).json()
        job_id = body["job"]["id"]
        wait_until(lambda: book.get(job_id).state == "running")
        os.killpg(group, signal.SIGKILL)
    assert book.get(job_id).state == "running"
    with served(database) as (url, _):
        wait_until(lambda: httpx.get(f"{url}/v1/jobs/{job_id}").json()["state"] == "done")
        ids = [item["id"] for item in body["items"]]
        assert all(httpx.get(f"{url}/v1/items/{item_id}").status_code == 200 for item_id in ids)
    opened = latentdb.open(database, device="cpu")
    assert all(len(opened.store.vectors(space, ids)) == 10 for space in ("clip", "dino"))
    assert book.get(job_id).deaths == 0
    assert opened.check() == []


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="processes are looked up in /proc")
def test_a_runner_that_dies_is_replaced_and_leaves_with_its_server(database: Path) -> None:
    book = JobBook(database)
    shared = {"members": ["clip", "dino"], "name": "une", "dim": 4, "force": True}
    job = book.create("shared-space", shared, most=9)
    keepers = [Keeper(JobBook(database), device="cpu") for _ in range(2)]  # as of two workers
    for keeper in keepers:
        keeper.start()
    try:
        # The job waits for this to end, and so is under way when its runner dies.
        with latentdb.open(database).store.writer():
            wait_until(lambda: "another process" in book.progress(job.id).message)
            for process in _runners_of(database):
                os.kill(process, signal.SIGKILL)
            wait_until(lambda: book.get(job.id).deaths == 1)
        wait_until(lambda: book.get(job.id).is_over)
        wait_until(lambda: len(_runners_of(database)) == 1)
    finally:
        for keeper in keepers:
            keeper.stop()
    assert book.get(job.id).state == "done", book.get(job.id).error
    assert len(book.get(job.id).runners) == 2
    assert _runners_of(database) == []
    assert not book.has_runner()


def _runners_of(database: Path) -> list[int]:
    """Processes of runners of a database."""
    found = []
    for status in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = status.read_bytes().split(b"\0")
        except OSError:  # gone meanwhile
            continue
        if b"api.jobs.runner" in words and str(database).encode() in words:
            found.append(int(status.parent.name))
    return found
