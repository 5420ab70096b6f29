"""The log: a line a request, with an id, and nothing secret or asked in it."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from api.http.app import create_app
from api.http.logs import JsonLines, TextLines, configure_logs, without_secrets
from api.http.session import PLAIN_COOKIE
from latentdb.database import LatentDB
from latentdb.errors import ModelError


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    """What is logged as JSON meanwhile."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonLines())
    logger = logging.getLogger("latentdb")
    before = logger.level
    requests = logging.getLogger("latentdb.requests")
    logger.addHandler(handler)
    requests.setLevel(logging.INFO)
    yield stream
    logger.removeHandler(handler)
    logger.setLevel(before)
    requests.setLevel(logging.NOTSET)


def rows(stream: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_request_is_one_line_with_its_route_and_not_what_was_asked(
    guarded: TestClient, keys: dict[str, str], db: LatentDB, lines: io.StringIO
) -> None:
    item = int(db.store.item_ids()[0])
    shown = {"authorization": f"Bearer {keys['read']}"}
    guarded.get(f"/v1/items/{item}/image", params={"size": 64}, headers=shown)
    guarded.post("/v1/search", json={"text": "my secret wish"}, headers=shown)
    guarded.get("/v1/items", params={"where": "source = 'private.png'"}, headers=shown)
    first, second, third = rows(lines)
    assert first["route"] == "/v1/items/{item_id}/image"
    assert (first["method"], first["status"], first["client"]) == ("GET", 200, "reader")
    assert isinstance(first["ms"], float)
    assert int(str(first["bytes_out"])) > 100
    assert int(str(second["bytes_in"])) > 10
    assert third["status"] == 200
    text = lines.getvalue()
    for secret in (keys["read"], keys["read"][-64:], "secret wish", "private", str(item)):
        assert secret not in text


def test_cookies_and_keys_in_wrong_places_are_not_logged(
    guarded: TestClient, keys: dict[str, str], lines: io.StringIO
) -> None:
    whole = keys["write"]
    made = guarded.post("/v1/session", json={"key": whole}).headers["set-cookie"]
    cookie = made.partition(";")[0].partition("=")[2]
    guarded.get("/v1/spaces", headers={"cookie": f"{PLAIN_COOKIE}={cookie}"})
    guarded.cookies.clear()
    guarded.get(f"/{whole}", headers={"referer": whole, "user-agent": whole})
    guarded.get("/v1/spaces", params={"key": whole})
    guarded.post("/v1/session", json={"key": [whole]})
    guarded.get("/v1/spaces", headers={"x-request-id": whole})
    text = lines.getvalue()
    assert len(rows(lines)) == 6
    assert whole[-64:] not in text
    assert cookie not in text


@pytest.mark.parametrize("form", [JsonLines(), TextLines()])
def test_whatever_is_logged_is_blotted_out(form: logging.Formatter) -> None:
    whole = f"ldb_{'a' * 12}_{'b' * 64}"
    cookie = f"{'a' * 12}.1700000000.{'c' * 32}.{'d' * 64}"
    try:
        raise ValueError(f"could not use {whole}")
    except ValueError as error:
        made = logging.LogRecord("latentdb", 40, "", 0, "saw %s", (cookie,), None)
        made.exc_info = (type(error), error, error.__traceback__)
    line = form.format(made)
    assert "b" * 20 not in line
    assert "d" * 20 not in line
    assert f"ldb_{'a' * 12}…" in without_secrets(whole)


def test_a_line_end_in_what_is_logged_starts_no_line() -> None:
    made = logging.LogRecord("latentdb", 30, "", 0, "saw %s", ("a\n2026 info fake\r",), None)
    assert len(TextLines().format(made).splitlines()) == 1
    assert len(JsonLines().format(made).splitlines()) == 1


@pytest.mark.parametrize("given", ["abc-1.2_3", "A" * 64])
def test_the_id_of_a_request_is_the_proxys_where_it_is_one(
    guarded: TestClient, given: str, lines: io.StringIO
) -> None:
    answer = guarded.get("/healthz", headers={"x-request-id": given})
    assert answer.headers["x-request-id"] == given
    assert rows(lines)[0]["request_id"] == given


@pytest.mark.parametrize("given", ["", "a b", "a" * 65, '"><script>', "a,b", "é"])
def test_an_id_that_is_none_is_replaced(guarded: TestClient, given: str) -> None:
    answer = guarded.get("/healthz", headers={"x-request-id": given.encode()})
    assert answer.headers["x-request-id"] != given
    assert len(answer.headers["x-request-id"]) == 16


@pytest.mark.parametrize("error", [ModelError("torn: /secret/place"), KeyError("/secret/place")])
def test_a_fault_is_told_by_its_id_and_in_full_only_to_the_log(
    db: LatentDB, monkeypatch: pytest.MonkeyPatch, lines: io.StringIO, error: Exception
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    app = create_app(db)
    with TestClient(app, base_url="http://localhost", raise_server_exceptions=False) as client:
        monkeypatch.setattr(LatentDB, "maps", fail)
        answer = client.get("/v1/maps", headers={"x-request-id": "abc"})
    assert answer.status_code == 500
    assert answer.json()["request_id"] == "abc"
    assert answer.headers["x-request-id"] == "abc"
    assert answer.headers["content-type"] == "application/problem+json"
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "secret" not in answer.text
    assert "Traceback" not in answer.text
    asked = [row for row in rows(lines) if row["message"] == "request"]
    assert [row["status"] for row in asked] == [500]


@pytest.mark.parametrize("form", ["json", "text"])
def test_the_log_goes_to_stderr(form: str, capsys: pytest.CaptureFixture[str]) -> None:
    names = ("latentdb", "latentdb.requests", "uvicorn")
    before = {
        name: (logger.handlers, logger.propagate, logger.level)
        for name in names
        if (logger := logging.getLogger(name))
    }
    try:
        configure_logs(form)  # type: ignore[arg-type]
        logging.getLogger("latentdb.http").warning("something")
        logging.getLogger("uvicorn.error").error("something else")
    finally:
        for name, (handlers, propagate, level) in before.items():
            logger = logging.getLogger(name)
            logger.handlers, logger.propagate = handlers, propagate
            logger.setLevel(level)
    written = capsys.readouterr()
    assert written.out == ""
    assert len(written.err.splitlines()) == 2
    assert written.err.startswith("{") == (form == "json")
