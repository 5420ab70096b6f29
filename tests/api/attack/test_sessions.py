"""Log-ins of the page, and what pages of other sites can do through somebody's browser."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from api.http.app import create_app
from api.http.keys import KeyFile
from api.http.session import PLAIN_COOKIE, SECURE_COOKIE
from api.settings import ServerSettings
from latentdb.database import LatentDB


@pytest.fixture
def file(tmp_path: Path) -> KeyFile:
    return KeyFile(tmp_path / "keys.json")


@pytest.fixture
def whole(file: KeyFile) -> str:
    return file.add("ann", "write", per_minute=30)


@pytest.fixture
def client(db: LatentDB, file: KeyFile, whole: str) -> Iterator[TestClient]:
    settings = ServerSettings(keys=file.path, max_failures=5, runs_jobs=False)
    with TestClient(create_app(db, settings=settings), base_url="http://localhost") as opened:
        yield opened


def test_a_browser_logs_in_and_out(client: TestClient, whole: str) -> None:
    assert client.get("/v1/spaces").status_code == 401
    response = client.post("/v1/session", json={"key": whole})
    said = response.headers["set-cookie"]
    assert response.status_code == 204
    assert "HttpOnly" in said
    assert "SameSite=Strict" in said
    assert whole.rpartition("_")[2] not in said
    assert client.get("/v1/spaces").status_code == 200
    client.delete("/v1/session")
    assert client.get("/v1/spaces").status_code == 401


def test_behind_https_the_cookie_is_bound_to_it_and_to_this_host(
    client: TestClient, whole: str
) -> None:
    client.base_url = "https://localhost"  # type: ignore[assignment]
    said = client.post("/v1/session", json={"key": whole}).headers["set-cookie"]
    assert said.startswith(f"{SECURE_COOKIE}=")
    assert "Secure" in said
    assert "Domain" not in said


def test_a_revoked_key_ends_its_log_ins(client: TestClient, file: KeyFile, whole: str) -> None:
    client.post("/v1/session", json={"key": whole})
    assert client.get("/v1/spaces").status_code == 200
    file.revoke("ann")
    gate = client.app.state.gate  # type: ignore[attr-defined]
    gate._ring._looked_at -= 1.0
    assert client.get("/v1/spaces").status_code == 401


def test_a_cookie_that_the_server_did_not_make_is_nothing(client: TestClient, whole: str) -> None:
    client.post("/v1/session", json={"key": whole})
    good = client.cookies[PLAIN_COOKIE]
    key_id, expires, nonce, signature = good.split(".")
    client.cookies.clear()
    later = str(int(expires) + 10**6)
    for forged in (
        f"{key_id}.{later}.{nonce}.{signature}",
        f"{'0' * 12}.{expires}.{nonce}.{signature}",
        f"{key_id}.{expires}.{'0' * 32}.{signature}",
        f"{key_id}.{expires}.{nonce}.{'0' * 64}",
        f"{key_id}.0.{nonce}.{signature}",
        f"{key_id}.{expires}.{nonce}",
        "",
        "a" * 9000,
    ):
        response = client.get("/v1/spaces", headers={"cookie": f"{PLAIN_COOKIE}={forged}"})
        assert response.status_code == 401, forged
    # One planted beside the own one: neither is believed.
    both = f"{PLAIN_COOKIE}={good}; {PLAIN_COOKIE}={good}"
    assert client.get("/v1/spaces", headers={"cookie": both}).status_code == 401
    assert client.get("/v1/spaces", headers={"cookie": f"{PLAIN_COOKIE}={good}"}).status_code == 200


def test_a_log_in_gets_a_cookie_of_its_own_whatever_came_with_it(
    client: TestClient, whole: str
) -> None:
    fixed = f"{PLAIN_COOKIE}=chosen-by-somebody-else"
    made = [
        client.post("/v1/session", json={"key": whole}, headers={"cookie": fixed}).headers[
            "set-cookie"
        ]
        for _ in range(2)
    ]
    assert made[0] != made[1]
    assert "chosen" not in "".join(made)


def test_wrong_keys_are_counted_by_address(client: TestClient, whole: str) -> None:
    wrong = {"key": f"ldb_{'0' * 12}_{'0' * 64}"}
    statuses = [client.post("/v1/session", json=wrong).status_code for _ in range(7)]
    assert statuses == [401] * 5 + [429] * 2
    blocked = client.post("/v1/session", json={"key": whole})
    assert blocked.status_code == 429
    assert 1 <= int(blocked.headers["retry-after"]) <= 60
    # Whoever shares that address and has a key goes on with it.
    shown = {"authorization": f"Bearer {whole}"}
    assert client.get("/v1/spaces", headers=shown).status_code == 200


def test_a_key_may_ask_so_often_a_minute(client: TestClient, whole: str) -> None:
    shown = {"authorization": f"Bearer {whole}"}
    answers = [client.get("/v1/nope", headers=shown) for _ in range(33)]
    assert [one.status_code for one in answers[:30]] == [404] * 30
    assert answers[-1].status_code == 429
    assert int(answers[-1].headers["retry-after"]) >= 1
    assert answers[-1].json()["type"].endswith("too-many-requests")


def test_an_expired_key_is_refused(client: TestClient, file: KeyFile) -> None:
    old = file.add("bob", "read", expires_at=datetime.now(UTC) - timedelta(minutes=1))
    gate = client.app.state.gate  # type: ignore[attr-defined]
    gate._ring._looked_at -= 1.0
    assert client.get("/v1/spaces", headers={"authorization": f"Bearer {old}"}).status_code == 401
    assert client.post("/v1/session", json={"key": old}).status_code == 401


def test_a_file_of_keys_gone_bad_lets_nobody_in(client: TestClient, file: KeyFile) -> None:
    file.path.write_text("{")
    gate = client.app.state.gate  # type: ignore[attr-defined]
    gate._ring._looked_at -= 1.0
    response = client.get("/v1/spaces", headers={"authorization": "Bearer x"})
    assert response.status_code == 503
    assert str(file.path) not in response.text


FOREIGN = [
    {"origin": "http://evil.example"},
    {"origin": "null"},
    {"origin": "http://localhost:3000"},
    {"origin": "http://localhost.evil.example"},
    {"origin": "http://evil.example:80#localhost"},
    {"origin": "file://"},
    {"sec-fetch-site": "cross-site"},
    {"sec-fetch-site": "same-site"},
    {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"},
]


@pytest.mark.parametrize("foreign", FOREIGN)
@pytest.mark.parametrize("has_keys", [True, False])
def test_a_page_of_another_site_changes_nothing(
    client: TestClient, db: LatentDB, whole: str, foreign: dict[str, str], *, has_keys: bool
) -> None:
    client.post("/v1/session", json={"key": whole})
    with TestClient(create_app(db), base_url="http://localhost") as without_keys:
        asked = client if has_keys else without_keys
        for method, path in (
            ("DELETE", "/v1/items/1"),
            ("POST", "/v1/search"),
            ("POST", "/v1/session"),
        ):
            response = asked.request(method, path, headers=foreign, json={"text": "a"})
            assert (response.status_code, response.json()["title"]) == (403, "cross site")


@pytest.mark.parametrize(
    "own",
    [
        {"origin": "http://localhost"},
        {"origin": "http://localhost:80"},
        {"origin": "http://localhost", "sec-fetch-site": "same-origin"},
        {"sec-fetch-site": "none"},
        {},
    ],
)
def test_the_own_page_is_answered(client: TestClient, whole: str, own: dict[str, str]) -> None:
    client.post("/v1/session", json={"key": whole})
    assert client.post("/v1/search", json={"text": "a"}, headers=own).status_code == 200


def test_another_site_reads_nothing_but_may_link_here(client: TestClient, whole: str) -> None:
    client.post("/v1/session", json={"key": whole})
    embedded = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors"}
    assert client.get("/v1/spaces", headers=embedded).status_code == 403
    link = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}
    assert client.get("/", headers=link).status_code == 200
    assert (
        "access-control-allow-origin"
        not in client.get("/v1/spaces", headers={"origin": "http://evil.example"}).headers
    )
