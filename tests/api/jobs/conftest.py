"""A server that takes jobs in, and a runner in this process that does them when a test says so."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient

import latentdb
from api.http.app import create_app
from api.jobs.book import JobBook
from api.jobs.worker import Worker
from api.settings import ServerSettings
from latentdb.database import LatentDB

LOOPBACK = ("127.0.0.1", 50000)


@pytest.fixture(scope="module")
def jobs_db(db: LatentDB, tmp_path_factory: pytest.TempPathFactory) -> LatentDB:
    """A copy of the faces, written to by the tests of one module."""
    path = tmp_path_factory.mktemp("jobs") / "faces.ldb"
    shutil.copytree(db.uri, path)
    return latentdb.open(path, device="cpu")


@pytest.fixture(scope="module")
def book(jobs_db: LatentDB) -> JobBook:
    return JobBook(jobs_db.store.path)


@pytest.fixture(scope="module")
def client(jobs_db: LatentDB) -> Iterator[TestClient]:
    settings = ServerSettings(runs_jobs=False, max_uploads=8, max_megapixels=1)
    app = create_app(jobs_db, settings=settings)
    with TestClient(app, base_url="http://localhost", client=LOOPBACK) as opened:
        yield opened


@pytest.fixture(scope="module")
def work_off(jobs_db: LatentDB, book: JobBook) -> Callable[[], None]:
    """Does every job that waits."""

    def run() -> None:
        Worker(jobs_db, book, "test", threading.Event()).work(idle_seconds=0)

    return run


@pytest.fixture(scope="module")
def done(client: TestClient, work_off: Callable[[], None]) -> Callable[..., dict[str, Any]]:
    """Posts a job, has it done, and tells how it ended."""

    def run(path: str, **body: Any) -> dict[str, Any]:
        response = client.post(path, json=body)
        assert response.status_code == 202, response.text
        assert response.headers["location"] == f"/v1/jobs/{response.json()['id']}"
        work_off()
        job: dict[str, Any] = client.get(response.headers["location"]).json()
        return job

    return run
