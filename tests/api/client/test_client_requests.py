"""What the client sends, when it sends it again, and what it says when nothing helps."""

from __future__ import annotations

import json
import logging
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from small_server import GOOD, Reply, problem, small_server

import latentdb
from api.http.problems import STATUS
from latentdb.client.events import Event, read_events
from latentdb.client.retries import Retries, seconds_of
from latentdb.client.server_address import ServerAddress
from latentdb.error_codes import classes_by_code, code_of, error_of
from latentdb.errors import (
    AccessError,
    LatentDBError,
    PictureError,
    QueryError,
    RemoteError,
    ServerBusyError,
    ServerUnreachableError,
    UnknownItemError,
    WireError,
)

KEY = "ldb_s3cret-of-mine"
FULL = problem(503, "overloaded", "too many requests are waiting")


def closed_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


@pytest.mark.parametrize(
    "failing", [FULL, problem(429, "too-many", "slower"), Reply(502), Reply(0)]
)
def test_a_question_is_asked_again_until_it_is_answered(failing: Reply) -> None:
    with small_server([failing, failing, Reply(body=GOOD)]) as asked:
        assert latentdb.connect(asked.address).search(text="a").hits == []
    assert [path for _, path, _ in asked.requests] == ["/v1/search"] * 3


def test_a_server_without_room_is_named_when_it_stays_so() -> None:
    with (
        small_server([FULL]) as asked,
        pytest.raises(ServerBusyError, match="too many requests are waiting") as caught,
    ):
        latentdb.connect(asked.address, retries=2).search(text="a")
    assert (caught.value.code, caught.value.status) == ("overloaded", 503)
    assert len(asked.requests) == 3


def test_as_long_is_waited_as_the_server_asks() -> None:
    later = problem(503, "overloaded", "full", **{"retry-after": "1"})
    started = time.monotonic()
    with small_server([later, Reply(body=GOOD)]) as asked:
        latentdb.connect(asked.address).search(text="a")
    assert time.monotonic() - started >= 1.0


def test_a_server_that_is_away_for_long_is_not_waited_for() -> None:
    away = problem(503, "overloaded", "back tomorrow", **{"retry-after": "86400"})
    with small_server([away]) as asked, pytest.raises(ServerBusyError, match="back tomorrow"):
        latentdb.connect(asked.address).search(text="a")
    assert len(asked.requests) == 1


@pytest.mark.parametrize("failing", [Reply(0), FULL])
def test_what_may_not_be_done_twice_is_sent_once(failing: Reply) -> None:
    with small_server([failing]) as asked, pytest.raises(RemoteError, match=r"DELETE|waiting"):
        latentdb.connect(asked.address).delete([5])
    assert [method for method, _, _ in asked.requests] == ["DELETE"]


def test_a_job_is_sent_again_under_one_idempotency_key() -> None:
    done = {"id": "j", "kind": "map", "state": "failed", "progress": None, "result": None}
    done["error"] = {"code": "worthless-map", "detail": "it is no better than its null"}  # type: ignore[assignment]
    with (
        small_server([FULL, Reply(0), Reply(202, done)]) as asked,
        pytest.raises(LatentDBError, match="no better than its null") as caught,
    ):
        latentdb.connect(asked.address).stitch("a", "b")
    assert caught.type.__name__ == "WorthlessMapError"
    keys = {headers["idempotency-key"] for _, _, headers in asked.requests}
    assert (len(asked.requests), len(keys)) == (3, 1)


def test_an_unreachable_server_says_what_was_tried_and_what_to_do() -> None:
    address = f"http://127.0.0.1:{closed_port()}"
    with pytest.raises(ServerUnreachableError, match="latentdb serve DB") as caught:
        latentdb.connect(address, retries=1).search(text="a")
    text = str(caught.value)
    assert text.startswith(f"POST {address}/v1/search failed: ")
    assert "tried 2 times" in text
    assert isinstance(caught.value, ConnectionError)


def test_an_answer_that_does_not_come_is_not_waited_for_twice() -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        address = f"http://127.0.0.1:{mute.getsockname()[1]}"
        with pytest.raises(ServerUnreachableError, match=r"within 0.2 s.*timeout="):
            latentdb.connect(address, timeout=0.2).search(text="a")


def test_a_redirect_is_not_followed_with_the_key() -> None:
    with (
        small_server([Reply(body=GOOD)]) as elsewhere,
        small_server([Reply(308, headers={"location": f"{elsewhere.address}/v1"})]) as asked,
        pytest.raises(RemoteError, match="connect to that one"),
    ):
        latentdb.connect(asked.address, key=KEY).search(text="a")
    assert elsewhere.requests == []


@pytest.mark.parametrize(
    ("status", "code", "kind", "text"),
    [
        (404, "unknown-item", UnknownItemError, "no item 7"),
        (422, "invalid-request", QueryError, "k: too many"),
        (401, "unknown-key", AccessError, r"no such key.*LATENTDB_KEY"),
        (403, "scope", AccessError, "read is not enough"),
        (413, "too-large", RemoteError, "32 MiB"),
        (418, "of-tomorrow", RemoteError, "something new"),
    ],
)
def test_a_problem_is_the_error_that_it_was(
    status: int, code: str, kind: type[Exception], text: str
) -> None:
    detail = text.split(".*")[0]
    with (
        small_server([problem(status, code, detail)]) as asked,
        pytest.raises(LatentDBError, match=text) as caught,
    ):
        latentdb.connect(asked.address).search(text="a")
    assert caught.type is kind


@pytest.mark.parametrize(
    "reply", [Reply(200, b"<html>hello"), Reply(404, b"<html>hello"), Reply(200, [1])]
)
def test_another_server_is_not_taken_for_ours(reply: Reply) -> None:
    with (
        small_server([reply]) as asked,
        pytest.raises((RemoteError, WireError), match="latentdb server"),
    ):
        latentdb.connect(asked.address).search(text="a")


def test_the_key_is_sent_and_shown_nowhere(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with small_server([problem(401, "unknown-key", "no such key"), Reply(0)]) as asked:
        db = latentdb.connect(asked.address, key=KEY, retries=1)
        shown = [repr(db), repr(db.jobs), repr(vars(db)), str(vars(db._transport))]
        for _ in range(2):
            with pytest.raises(RemoteError, match=r".") as caught:
                db.search(text="a")
            error: BaseException | None = caught.value
            while error is not None:
                shown += [repr(error), str(error), repr(vars(error))]
                error = error.__cause__ or error.__context__
    assert {headers["authorization"] for _, _, headers in asked.requests} == {f"Bearer {KEY}"}
    assert [text for text in [*shown, caplog.text] if KEY in text] == []


@pytest.mark.parametrize("key", ["", "two words", "line\nbreak", "schlüssel"])
def test_what_can_be_no_key_is_refused_without_being_shown(key: str) -> None:
    with pytest.raises(AccessError, match="has spaces or characters") as caught:
        latentdb.connect("http://127.0.0.1:1", key=key)
    assert not key or key not in str(caught.value)


def test_a_key_in_the_clear_over_a_network_is_warned_of(caplog: pytest.LogCaptureFixture) -> None:
    latentdb.connect("http://127.0.0.1:1", key=KEY)
    assert caplog.text == ""
    latentdb.connect("http://db.example:8000", key=KEY)
    assert "unencrypted" in caplog.text
    assert KEY not in caplog.text


@pytest.mark.parametrize(
    "address",
    [
        "faces.ldb",
        "ftp://host",
        "http://",
        "http://host:port",
        "http://me:key@host",
        "http://h?a=1",
    ],
)
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(QueryError, match="address"):
        latentdb.connect(address)


def test_addresses_are_told_apart() -> None:
    parsed = ServerAddress.parse("HTTPS://DB.example/faces/")
    assert (parsed.url, parsed.is_local) == ("https://db.example/faces", False)
    assert ServerAddress.parse("http://[::1]:8000") == ServerAddress("http://[::1]:8000", True)


@pytest.mark.parametrize("options", [{"timeout": 0}, {"retries": -1}, {"certificates": "/no/such"}])
def test_settings_that_cannot_be_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(QueryError, match=r"timeout|retries|certificates"):
        latentdb.connect("http://127.0.0.1:1", **options)


def test_threads_share_one_client_and_its_connections() -> None:
    with (
        small_server([Reply(body=GOOD)]) as asked,
        latentdb.connect(asked.address) as db,
        ThreadPoolExecutor(8) as threads,
    ):
        found = list(threads.map(lambda _: db.search(text="a").space, range(64)))
    assert found == ["s"] * 64


def test_pauses_grow_and_differ() -> None:
    retries = Retries(8, first_s=0.5, most_s=4.0)
    pauses = [[retries.pause_s(at, None) or 0.0 for _ in range(200)] for at in range(6)]
    tops = [max(some) for some in pauses]
    assert all(top <= limit for top, limit in zip(tops, [0.5, 1, 2, 4, 4, 4], strict=True))
    assert all(len(set(some)) > 100 for some in pauses)
    assert retries.pause_s(8, None) is None


def test_retry_after_is_read_in_both_its_forms() -> None:
    then = datetime.now(UTC) + timedelta(seconds=30)
    assert 28 < (seconds_of(format_datetime(then, usegmt=True)) or 0) <= 30
    assert (seconds_of("7"), seconds_of("soon"), seconds_of(None)) == (7.0, None, None)


def test_every_error_of_the_library_comes_back_as_itself() -> None:
    for code, cls in classes_by_code().items():
        made = error_of(code, "its text")
        assert (type(made), str(made)) == (cls, "its text")
    ours = {cls for cls in STATUS if not issubclass(cls, RemoteError)}
    assert {code_of(cls) for cls in ours if cls.__module__.startswith(("latentdb", "ind"))} <= set(
        classes_by_code()
    )


def test_a_picture_error_keeps_its_reason() -> None:
    found = error_of("picture", "too many pixels", "too_large")
    assert isinstance(found, PictureError)
    assert found.reason == "too_large"


def test_events_are_read_as_the_standard_says() -> None:
    lines = [
        ": hello",
        "event: progress",
        "data: {",
        "data: }",
        "",
        "data:x",
        "",
        "event: lost",
        "",
    ]
    assert list(read_events(lines)) == [Event("progress", "{\n}"), Event("message", "x")]


def job(state: str, **more: Any) -> dict[str, Any]:
    return {
        "id": "j1", "kind": "energy", "state": state, "result": None, "error": None,
        "progress": {"done": 0, "total": 4, "message": ""}, **more,
    }  # fmt: skip


def stream(*events: tuple[str, Any]) -> Reply:
    text = "".join(f"event: {kind}\r\ndata: {json.dumps(data)}\r\n\r\n" for kind, data in events)
    return Reply(200, text.encode(), {"content-type": "text/event-stream"})


def test_a_job_is_followed_by_its_events() -> None:
    half = {"done": 2, "total": 4, "message": "on it"}
    events = stream(("progress", half), ("state", job("done", result={"some": "facts"})))
    seen = []
    with small_server([Reply(202, job("queued")), events]) as asked:
        db = latentdb.connect(asked.address)
        found = db.jobs.run("/v1/energy", {}, lambda progress: seen.append(progress.done))
    assert found == {"some": "facts"}
    assert seen[0] == 2
    assert [path for _, path, _ in asked.requests] == ["/v1/energy", "/v1/jobs/j1/events"]


def test_a_job_is_asked_after_where_no_events_come() -> None:
    replies = [
        Reply(202, job("queued")), stream(), Reply(200, job("running")),
        Reply(0), FULL, stream(), Reply(200, job("done", result=7)),
    ]  # fmt: skip
    with small_server(replies) as asked:
        assert latentdb.connect(asked.address).jobs.run("/v1/energy", {}) == 7


@pytest.mark.parametrize(
    ("ended", "text"),
    [
        (job("failed", error={"code": "not-enough-data", "detail": "two rows"}), "two rows"),
        (job("failed", error={"code": "runner-died", "detail": "it died 3 times"}), "died 3"),
        (job("cancelled"), "was cancelled"),
    ],
)
def test_a_job_that_failed_raises_what_it_failed_with(ended: dict[str, Any], text: str) -> None:
    with small_server([Reply(202, ended)]) as asked, pytest.raises(LatentDBError, match=text):
        latentdb.connect(asked.address).energy("clip")


def test_ctrl_c_leaves_a_job_running_and_says_how_to_look_at_it(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def stop(_: object) -> None:
        raise KeyboardInterrupt

    events = stream(("progress", {"done": 1, "total": 4, "message": ""}))
    with small_server([Reply(202, job("running")), events]) as asked:
        db = latentdb.connect(asked.address)
        with pytest.raises(KeyboardInterrupt):
            db.jobs.run("/v1/energy", {}, stop)
    assert f"job j1 goes on: latentdb jobs {asked.address}" in caplog.text
    assert "DELETE" not in [method for method, _, _ in asked.requests]


def test_a_closed_client_refuses() -> None:
    with small_server([Reply(body=GOOD)]) as asked:
        with latentdb.connect(asked.address) as db:
            assert db.search(text="a").hits == []
        with pytest.raises(RuntimeError, match="closed"):
            len(db)
