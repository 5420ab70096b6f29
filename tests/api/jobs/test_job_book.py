"""Jobs in files: promised once, done in order, given up after too many deaths."""

from __future__ import annotations

from pathlib import Path

import pytest

from api.jobs.book import MAX_DEATHS, JobBook
from api.jobs.errors import KeyReusedError, TooManyJobsError, UnknownJobError
from api.jobs.job import Job, Progress


@pytest.fixture
def book(tmp_path: Path) -> JobBook:
    return JobBook(tmp_path)


def create(book: JobBook, key: str | None = None, **arguments: object) -> Job:
    return book.create("energy", arguments, most=5, key=key)


def test_a_job_is_read_by_another_process_as_it_was_written(book: JobBook, tmp_path: Path) -> None:
    job = create(book, space="clip")
    assert JobBook(tmp_path).get(job.id) == job
    assert (job.state, job.arguments) == ("queued", {"space": "clip"})


def test_jobs_are_done_in_the_order_of_asking_and_listed_newest_first(book: JobBook) -> None:
    ids = [create(book).id for _ in range(3)]
    assert [job.id for job in book.unfinished()] == ids
    assert [job.id for job in book.all()] == ids[::-1]
    taken = book.take("runner")
    assert taken is not None
    assert (taken.id, taken.state, taken.runners) == (ids[0], "running", ("runner",))


def test_uploads_are_done_before_what_was_asked_for_earlier(book: JobBook) -> None:
    earlier = create(book).id
    upload = book.create("ingest", {}, most=5).id
    assert [job.id for job in book.unfinished()] == [upload, earlier]


def test_the_same_key_is_the_same_job(book: JobBook) -> None:
    job = create(book, "key", space="clip")
    settled: list[str] = []
    again = book.create("energy", {"space": "clip"}, most=5, key="key", settle=settled.append)
    assert (again.id, settled) == (job.id, [])
    assert len(book.all()) == 1


def test_a_key_of_another_request_is_refused(book: JobBook) -> None:
    create(book, "key", space="clip")
    with pytest.raises(KeyReusedError, match="another request"):
        create(book, "key", space="dino")


def test_the_key_of_a_forgotten_job_makes_one_of_another_id(
    book: JobBook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.jobs.book.KEPT", 0)
    job = create(book, "key")
    book.finish(job.id, "done")
    assert create(book, "key").id != job.id


def test_more_than_may_wait_are_refused(book: JobBook) -> None:
    for _ in range(5):
        create(book)
    with pytest.raises(TooManyJobsError, match="5 jobs are waiting"):
        create(book)


@pytest.mark.parametrize("job_id", ["0" * 32, "", "..", "../../etc", "x" * 32, "a/b", "A" * 32])
def test_an_unknown_id_names_no_file(book: JobBook, job_id: str) -> None:
    create(book)
    with pytest.raises(UnknownJobError, match="no job"):
        book.get(job_id)


def test_a_waiting_job_is_cancelled_at_once_and_a_running_one_is_told(book: JobBook) -> None:
    running, waiting = create(book), create(book)
    book.take("runner")
    assert book.cancel(waiting.id).state == "cancelled"
    assert book.cancel(running.id).state == "running"
    assert book.is_cancelled(running.id)
    assert not book.is_cancelled(waiting.id)


def test_what_is_over_stays_as_it_is(book: JobBook) -> None:
    job = create(book)
    book.take("runner")
    book.finish(job.id, "done", result={"a": 1})
    assert book.cancel(job.id).state == "done"
    book.put_back(job.id)
    book.blame("runner")
    assert (book.get(job.id).state, book.get(job.id).deaths) == ("done", 0)


def test_a_job_put_back_waits_and_counts_no_death(book: JobBook) -> None:
    job = create(book)
    book.take("runner")
    book.put_back(job.id)
    found = book.get(job.id)
    assert (found.state, found.deaths) == ("queued", 0)


def test_a_job_that_runners_die_over_is_given_up(book: JobBook) -> None:
    bad, good = create(book), create(book)
    for number in range(MAX_DEATHS):
        taken = book.take(f"runner {number}")
        assert taken is not None
        assert taken.id == bad.id
        book.blame(f"runner {number}")
    found = book.get(bad.id)
    assert (found.state, found.error) == (
        "failed",
        {"code": "runner-died", "detail": "its runner died 3 times; the server's log says how"},
    )
    taken = book.take("last")
    assert taken is not None
    assert taken.id == good.id


def test_a_death_told_late_does_not_end_the_next_runners_work(book: JobBook) -> None:
    job = create(book)
    for number in range(MAX_DEATHS):
        book.take(f"runner {number}")
    book.take("alive")
    for number in range(MAX_DEATHS):
        book.blame(f"runner {number}")
    assert book.get(job.id).state == "running"
    assert book.take("next") is None
    assert book.get(job.id).state == "failed"


def test_progress_is_told_and_may_be_lost(book: JobBook) -> None:
    job = create(book)
    assert book.progress(job.id) == Progress()
    book.tell(job.id, Progress(2, 5, "at it"))
    assert book.progress(job.id) == Progress(2, 5, "at it")


def test_old_jobs_are_forgotten_and_waiting_ones_never(
    book: JobBook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.jobs.book.KEPT", 3)
    waiting = create(book)
    for number in range(5):
        book.finish(create(book, n=number).id, "done")
    assert [job.arguments.get("n") for job in book.all() if job.is_over] == [4, 3, 2]
    assert book.get(waiting.id).state == "queued"
    assert book.counts() == {"queued": 1, "done": 3}


def test_a_folder_without_a_job_is_none(book: JobBook, tmp_path: Path) -> None:
    (tmp_path / "jobs" / ("a" * 32)).mkdir(parents=True)
    assert book.all() == []


def test_one_runner_at_a_time(book: JobBook, tmp_path: Path) -> None:
    assert not book.has_runner()
    with book.runner_lock():
        assert JobBook(tmp_path).has_runner()
    assert not book.has_runner()
