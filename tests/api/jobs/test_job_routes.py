"""Jobs over HTTP: listed, followed, cancelled, and interrupted between two steps."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from typing import Any

import pytest
from fastapi.testclient import TestClient
from job_pictures import files_below, picture

from api.jobs.book import JobBook
from api.jobs.job import Job, Progress
from api.jobs.reporter import CancelledError, Reporter, StoppedError
from api.jobs.worker import Worker
from latentdb.database import LatentDB


def upload(client: TestClient, *numbers: int) -> str:
    sent = [("files", (f"{number}.png", picture(number))) for number in numbers]
    job: dict[str, Any] = client.post("/v1/items", files=sent).json()["job"]
    return str(job["id"])


def events(client: TestClient, job_id: str) -> list[tuple[str, dict[str, Any]]]:
    """Every event of a job, up to the end of the stream."""
    told: list[tuple[str, dict[str, Any]]] = []
    kind = ""
    with client.stream("GET", f"/v1/jobs/{job_id}/events") as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        for line in stream.iter_lines():
            if line.startswith("event: "):
                kind = line.removeprefix("event: ")
            if line.startswith("data: "):
                told.append((kind, json.loads(line.removeprefix("data: "))))
    return told


def test_a_job_is_followed_to_its_end(client: TestClient, work_off: Callable[[], None]) -> None:
    job_id = upload(client, 600, 601)
    worker = threading.Thread(target=work_off)
    worker.start()
    told = events(client, job_id)
    worker.join()
    assert [kind for kind, _ in told] == ["progress"] * (len(told) - 1) + ["state"]
    assert told[-1][1]["state"] == "done"
    assert told[-2][1] == told[-1][1]["progress"] == {"done": 2, "total": 2, "message": ""}


def test_a_job_that_is_over_tells_so_at_once(
    client: TestClient, work_off: Callable[[], None]
) -> None:
    job_id = upload(client, 602)
    work_off()
    assert [kind for kind, _ in events(client, job_id)] == ["progress", "state"]


@pytest.mark.parametrize("job_id", ["0" * 32, "nope", "..%2f..%2flatentdb.json"])
@pytest.mark.parametrize("suffix", ["", "/events"])
def test_an_unknown_job_is_not_found(client: TestClient, job_id: str, suffix: str) -> None:
    response = client.get(f"/v1/jobs/{job_id}{suffix}")
    assert response.status_code == 404
    assert response.headers["content-type"] == "application/problem+json"


def test_jobs_are_listed_newest_first(client: TestClient) -> None:
    first, second = upload(client, 603), upload(client, 604)
    listed = client.get("/v1/jobs", params={"limit": 2}).json()
    assert [job["id"] for job in listed] == [second, first]
    assert set(listed[0]) == {
        *("id", "kind", "state", "arguments", "progress", "result", "error"),
        *("created_at", "started_at", "finished_at"),
    }


def test_jobs_that_are_over_can_be_left_out(
    client: TestClient, work_off: Callable[[], None]
) -> None:
    work_off()
    waiting = upload(client, 690)
    params: dict[str, str | int] = {"limit": 1000, "is_over": "false"}
    still = client.get("/v1/jobs", params=params).json()
    over = client.get("/v1/jobs", params=params | {"is_over": "true"}).json()
    assert [job["id"] for job in still] == [waiting]
    assert over
    assert {job["state"] for job in over} <= {"done", "failed", "cancelled"}
    work_off()


def test_a_waiting_job_is_cancelled_and_its_pictures_go(
    client: TestClient, jobs_db: LatentDB, work_off: Callable[[], None]
) -> None:
    work_off()
    job_id = upload(client, 605)
    assert client.delete(f"/v1/jobs/{job_id}").json()["state"] == "cancelled"
    work_off()
    assert client.get(f"/v1/jobs/{job_id}").json()["result"] is None
    assert client.delete(f"/v1/jobs/{job_id}").json()["state"] == "cancelled"
    assert not (jobs_db.store.path / "uploads" / job_id).exists()


def test_a_running_job_is_cancelled_between_two_steps_and_leaves_nothing(
    client: TestClient, jobs_db: LatentDB, book: JobBook, work_off: Callable[[], None]
) -> None:
    work_off()
    before = jobs_db.store.item_ids().tolist()
    job_id = upload(client, 606, 607)
    taken = book.take("test")
    assert taken is not None
    assert client.delete(f"/v1/jobs/{job_id}").json()["state"] == "running"
    Worker(jobs_db, book, "test", threading.Event()).do(taken)
    assert book.get(job_id).state == "cancelled"
    assert jobs_db.store.item_ids().tolist() == before
    assert files_below(jobs_db.store.path / f"uploads/{job_id}") == []
    assert jobs_db.check() == []


def test_a_runner_that_is_to_end_puts_its_job_back(
    client: TestClient, jobs_db: LatentDB, book: JobBook, work_off: Callable[[], None]
) -> None:
    work_off()
    job_id = upload(client, 608)
    taken = book.take("test")
    assert taken is not None
    stopping = threading.Event()
    stopping.set()
    Worker(jobs_db, book, "test", stopping).do(taken)
    assert book.get(job_id).state == "queued"
    work_off()
    assert book.get(job_id).state == "done"


def test_a_job_waits_while_another_process_writes(
    client: TestClient, jobs_db: LatentDB, book: JobBook, work_off: Callable[[], None]
) -> None:
    import latentdb

    work_off()
    job_id = upload(client, 609)
    with latentdb.open(jobs_db.uri).store.writer():
        worker = threading.Thread(target=work_off)
        worker.start()
        for _ in range(100):
            if "another process" in book.progress(job_id).message:
                break
            worker.join(0.1)
        assert book.get(job_id).state == "running"
    worker.join()
    assert book.get(job_id).state == "done"


def test_a_reporter_tells_and_ends_where_it_is_to(book: JobBook) -> None:
    job: Job = book.create("energy", {"space": "clip"}, most=1000)
    stopping = threading.Event()
    reporter = Reporter(book, job.id, stopping)
    reporter.total(10)
    reporter.advance(files=3)
    reporter.message("at it")
    assert book.progress(job.id) == Progress(3, 10, "at it")
    stopping.set()
    with pytest.raises(StoppedError, match="runner"):
        reporter.require_going_on()
    stopping.clear()
    book.take("someone else")
    book.cancel(job.id)
    with pytest.raises(CancelledError, match="job"):
        reporter.require_going_on()
