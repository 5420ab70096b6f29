"""Whether the server is ready, what it counts, and what several processes count together."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from prometheus_client.parser import text_string_to_metric_families

from api.http.app import create_app
from api.http.metrics import Metrics
from api.http.quick_json import dumped
from api.http.serving import environment_of, share_cores, shared_by_workers
from api.http.warm import Warming
from api.settings import ServerSettings
from latentdb.database import LatentDB
from latentdb.errors import ModelError


@pytest.fixture
def client(db: LatentDB) -> Iterator[TestClient]:
    app = create_app(db, settings=ServerSettings(runs_jobs=False))
    with TestClient(app, base_url="http://localhost") as opened:
        yield opened


def wait_ready(client: TestClient) -> dict[str, object]:
    for _ in range(2400):
        response = client.get("/readyz")
        if response.status_code == 200:
            body: dict[str, object] = response.json()
            return body
        assert response.headers["retry-after"] == "1"
        time.sleep(0.05)
    raise AssertionError("never ready")


def figures(client: TestClient) -> dict[tuple[str, ...], float]:
    text = client.get("/metrics").text
    return {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_it_is_ready_once_every_space_was_asked(
    db: LatentDB, monkeypatch: pytest.MonkeyPatch
) -> None:
    may_end = threading.Event()
    run = Warming.run
    monkeypatch.setattr(Warming, "run", lambda self: may_end.wait(60) and run(self))
    app = create_app(db, settings=ServerSettings(runs_jobs=False))
    with TestClient(app, base_url="http://localhost") as client:
        assert client.get("/readyz").status_code == 503
        assert client.get("/healthz").status_code == 200
        assert client.post("/v1/search", json={"text": "a", "k": 1}).status_code == 200
        may_end.set()
        assert wait_ready(client) == {"status": "ready", "failed": []}
    assert {index.name for index in db.catalog.indexes.loaded()} >= {
        "clip--cosine",
        "dino--cosine",
    }


def test_a_space_that_cannot_be_made_ready_is_named_and_stops_no_other(
    db: LatentDB, monkeypatch: pytest.MonkeyPatch
) -> None:
    search = LatentDB.search

    def fail(self: LatentDB, query: object) -> object:
        if query.space == "clip":  # type: ignore[attr-defined]
            raise ModelError("no weights")
        return search(self, query)  # type: ignore[arg-type]

    monkeypatch.setattr(LatentDB, "search", fail)
    warming = Warming(db)
    warming.run()
    assert (warming.is_over, warming.failed) == (True, ["clip"])


def test_figures_tell_what_was_asked(client: TestClient) -> None:
    wait_ready(client)
    for question in ({"text": "one hat", "k": 1}, {"text": "one hat", "k": 1}, {"id": 1}):
        client.post("/v1/search", json=question)
    client.get("/nowhere")
    found = figures(client)
    assert found["latentdb_query_seconds_count", "text"] == 1
    assert found["latentdb_request_seconds_count", "/v1/search", "200", "POST"] == 2
    assert found["latentdb_request_seconds_count", "/v1/search", "404", "POST"] == 1
    assert found["latentdb_request_seconds_count", "404", "other", "other"] == 1
    assert found["latentdb_cache_lookups_total", "miss"] == 2
    assert found["latentdb_search_batch_size_count",] >= 2
    assert found["latentdb_queue_length", "search"] == 0
    assert found["latentdb_models_loaded",] >= 1
    assert found["latentdb_index_newer_rows", "clip--cosine"] == 0
    assert found["latentdb_index_age_seconds", "clip--cosine"] > 0


def test_processes_count_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = (
        "from api.http.metrics import Metrics\n"
        "metrics = Metrics()\n"
        "metrics.batch_sizes.observe(3)\n"
        "metrics.look_at_queues({'search': 2})\n"
        "print(metrics.text().decode())\n"
    )
    environment = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}
    said = [
        subprocess.run(
            [sys.executable, "-c", program],
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for _ in range(2)
    ]
    assert "latentdb_search_batch_size_count 1.0" in said[0]
    assert "latentdb_search_batch_size_count 2.0" in said[1]
    assert 'latentdb_queue_length{queue="search"} 4.0' in said[1]


def test_settings_pass_to_workers_by_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = ServerSettings(
        database=str(tmp_path),
        hosts=("a", "b"),
        keys=tmp_path / "keys.json",
        workers=3,
        cache_mib=1.5,
        runs_jobs=False,
    )
    with shared_by_workers(settings):
        assert ServerSettings() == settings
        assert Path(os.environ["PROMETHEUS_MULTIPROC_DIR"]).is_dir()
    assert "LATENTDB_SERVE_DATABASE" not in os.environ
    assert "PROMETHEUS_MULTIPROC_DIR" not in os.environ
    assert "LATENTDB_SERVE_KEYS" not in environment_of(ServerSettings())


def test_workers_share_the_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)))
    for name in ("OMP_NUM_THREADS", "OMP_WAIT_POLICY"):
        monkeypatch.setenv(name, "x")
        monkeypatch.delenv(name)
    share_cores(1)
    assert "OMP_NUM_THREADS" not in os.environ
    share_cores(3)
    assert os.environ["OMP_NUM_THREADS"] == "2"
    monkeypatch.setenv("OMP_NUM_THREADS", "5")
    share_cores(4)
    assert os.environ["OMP_NUM_THREADS"] == "5"


def test_json_is_that_of_the_slow_way() -> None:
    assert dumped({"a": [float("nan"), "ä"]}) == '{"a":[null,"ä"]}'.encode()


def test_a_registry_is_each_servers_own() -> None:
    one, other = Metrics(), Metrics()
    one.batch_sizes.observe(1)
    assert b"latentdb_search_batch_size_count 1.0" in one.text()
    assert b"latentdb_search_batch_size_count 0.0" in other.text()
