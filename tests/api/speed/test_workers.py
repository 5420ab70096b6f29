"""Several real processes that serve one database, and how they end."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from latentdb.database import LatentDB

pytestmark = pytest.mark.slow

READY_S = 180.0


@pytest.fixture(scope="module")
def served(db: LatentDB) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "api.cli", "serve", db.uri, "--device", "cpu"]
    child = subprocess.Popen(
        [*command, "--port", str(port), "--workers", "2"],
        env={**os.environ, "LATENTDB_SERVE_RUNS_JOBS": "false"},
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    address = f"http://127.0.0.1:{port}"
    try:
        wait_ready(address, child)
        yield address, child
    finally:
        if child.poll() is None:
            os.killpg(child.pid, signal.SIGKILL)
        child.communicate(timeout=30)


def wait_ready(address: str, child: subprocess.Popen[str]) -> None:
    until = time.monotonic() + READY_S
    while time.monotonic() < until:
        assert child.poll() is None
        try:
            if httpx.get(f"{address}/readyz", timeout=10).status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.3)
    raise AssertionError("never ready")


def ask(address: str, text: str) -> httpx.Response:
    return httpx.post(f"{address}/v1/search", json={"text": text, "k": 3}, timeout=60)


def test_processes_answer_alike_and_count_together(
    served: tuple[str, subprocess.Popen[str]], db: LatentDB
) -> None:
    address, _ = served
    known = [hit.id for hit in db.search(text="a hat", k=3).hits]
    for _ in range(12):
        assert [hit["id"] for hit in ask(address, "a hat").json()["hits"]] == known
    lines = httpx.get(f"{address}/metrics", timeout=30).text.splitlines()
    name = 'latentdb_request_seconds_count{method="POST",route="/v1/search",status="200"}'
    counted = [float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith(name)]
    assert counted == [12.0]


def test_answers_under_way_are_given_before_the_end(
    served: tuple[str, subprocess.Popen[str]],
) -> None:
    address, child = served
    answers: list[int] = []

    def keep_asking(at: int) -> None:
        try:
            for again in range(1000):
                answers.append(ask(address, f"hat {at} {again}").status_code)
        except httpx.TransportError:
            # It does not listen any more, and what it had not read yet was never under way.
            return

    asking = [threading.Thread(target=keep_asking, args=(at,)) for at in range(8)]
    for thread in asking:
        thread.start()
    while len(answers) < 20:
        time.sleep(0.05)
    child.send_signal(signal.SIGTERM)
    for thread in asking:
        thread.join(60)
    assert child.wait(60) in (0, -signal.SIGTERM)
    assert set(answers) == {200}


def test_a_folder_that_is_no_database_is_told_before_any_process_starts(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "api.cli", "serve", str(tmp_path), "--workers", "2"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert ended.returncode == 2
    assert "is not a latentdb database" in ended.stderr
