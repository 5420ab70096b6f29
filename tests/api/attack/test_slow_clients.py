"""Raw connections to a real server: slow, endless, smuggled, many."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable

import pytest
from attack_sockets import read_all, status_of

from api.http import protocol

Connect = Callable[[], socket.socket]
HEAD = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n"
POST = b"POST /v1/search HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"


def is_up(connect: Connect) -> bool:
    asking = connect()
    asking.sendall(HEAD + b"Connection: close\r\n\r\n")
    return read_all(asking).startswith(b"HTTP/1.1 200 ")


def closes_within(connection: socket.socket, seconds: float) -> tuple[float, bytes]:
    started = time.monotonic()
    connection.settimeout(seconds)
    return time.monotonic() - started, read_all(connection)


def trickle(connection: socket.socket, part: bytes, seconds: float) -> bool:
    """Send a part twenty times a second; whether the other side ended that."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            connection.sendall(part)
        except OSError:
            return True
        time.sleep(0.05)
    return False


def test_a_head_that_does_not_come_is_not_waited_for(connect: Connect) -> None:
    silent, slow = connect(), connect()
    slow.sendall(HEAD)
    assert closes_within(silent, 5)[1] == b""
    assert status_of(closes_within(slow, 5)[1]) == 408


def test_a_head_that_comes_a_header_at_a_time_is_cut_off(connect: Connect) -> None:
    slow = connect()
    slow.sendall(HEAD)
    assert trickle(slow, b"X-A: b\r\n", 5)


def test_a_second_head_on_a_connection_is_not_waited_for_either(connect: Connect) -> None:
    slow = connect()
    slow.sendall(HEAD + b"\r\n")
    assert slow.recv(65536).startswith(b"HTTP/1.1 200 ")
    slow.sendall(HEAD)
    assert trickle(slow, b"X-A: b\r\n", 5)


def test_a_body_that_comes_a_byte_at_a_time_is_given_up(connect: Connect) -> None:
    slow = connect()
    slow.sendall(POST + b"Content-Length: 1000\r\n\r\n")
    started = time.monotonic()
    while time.monotonic() - started < 5:
        try:
            slow.sendall(b" ")
            slow.settimeout(0.05)
            answer = slow.recv(65536)
        except TimeoutError:
            continue
        assert status_of(answer) == 408
        assert b"application/problem+json" in answer
        return
    pytest.fail("it was never given up")


def test_chunks_without_end_are_given_up(connect: Connect) -> None:
    endless = connect()
    endless.sendall(POST + b"Transfer-Encoding: chunked\r\n\r\n")
    assert trickle(endless, b"1\r\n \r\n", 5)


def test_a_body_over_the_limit_is_refused_before_it_has_come(connect: Connect) -> None:
    announced, chunked = connect(), connect()
    announced.sendall(POST + b"Content-Length: 99999999\r\n\r\n")
    assert status_of(read_all(announced)) == 413
    chunked.sendall(POST + b"Transfer-Encoding: chunked\r\n\r\n")
    try:
        for _ in range(64):
            chunked.sendall(b"8000\r\n" + b" " * 0x8000 + b"\r\n")
    except OSError:
        pass
    assert status_of(read_all(chunked)) in (413, None)


def test_what_follows_an_answered_request_is_not_read_for_ever(connect: Connect) -> None:
    endless = connect()
    endless.sendall(
        b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    assert endless.recv(65536).startswith(b"HTTP/1.1 200 ")
    assert trickle(endless, b"1\r\n \r\n", 5)


@pytest.mark.parametrize(
    "head",
    [
        HEAD + b"X-Long: " + b"a" * 20_000 + b"\r\n\r\n",
        HEAD + b"".join(b"X-%d: %s\r\n" % (at, b"a" * 50) for at in range(400)) + b"\r\n",
        b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
    ],
)
def test_a_head_over_the_limit_is_refused(connect: Connect, head: bytes) -> None:
    large = connect()
    large.sendall(head)
    assert status_of(read_all(large)) == 431


def test_a_header_without_end_is_cut_off(connect: Connect) -> None:
    endless = connect()
    endless.sendall(HEAD + b"X-Long: ")
    sent = 0
    try:
        while sent < 2**24:
            sent += endless.send(b"a" * 4096)
    except OSError:
        pass
    assert sent < 2**23


SMUGGLED = b"GET /v1/smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n"


@pytest.mark.parametrize(
    "headers",
    [
        b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n",
        b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n",
        b"Content-Length: 4\r\nContent-Length: 60\r\n",
        b"Content-Length: 4, 60\r\n",
        b"Content-Length: +4\r\n",
        b"Content-Length: 0x4\r\n",
        b"Content-Length: -1\r\n",
        b"Content-Length : 4\r\n",
        b"Transfer-Encoding: xchunked\r\n",
        b"Transfer-Encoding: chunked, identity\r\n",
        b"Transfer-Encoding : chunked\r\n",
        b"X: y\nTransfer-Encoding: chunked\r\n",
        b"X: a\r\n b\r\n",
        b"X: a\0b\r\n",
    ],
)
def test_a_request_with_two_ends_is_refused(connect: Connect, headers: bytes) -> None:
    sly = connect()
    sly.sendall(POST + headers + b"\r\n0\r\n\r\n" + SMUGGLED)
    answer = read_all(sly)
    assert status_of(answer) in (400, 408)
    assert b"not-found" not in answer, "what was hidden in the body was answered"


def test_headers_after_a_body_are_no_headers(connect: Connect) -> None:
    sly = connect()
    sly.sendall(
        b"POST /v1/search HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
        b'd\r\n{"text": "a"}\r\n0\r\nContent-Type: application/json\r\n\r\n'
    )
    assert status_of(sly.recv(65536)) == 415


@pytest.mark.parametrize(
    "head",
    [
        b"GET /healthz HTTP/1.1\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: evil.example\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: localhost@evil.example\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: localhost, evil.example\r\n\r\n",
        b"GET http://evil.example/healthz HTTP/1.1\r\nHost: evil.example\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET /healthz\r\n\r\n",
        b"\0" * 100,
    ],
)
def test_a_request_for_somebody_else_is_refused(connect: Connect, head: bytes) -> None:
    lost = connect()
    lost.sendall(head)
    lost.shutdown(socket.SHUT_WR)
    assert status_of(read_all(lost)) in (400, None)


def test_an_answer_that_nobody_takes_is_given_up(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protocol, "_WRITE_TIMEOUT_S", 0.5)
    one = connect()
    one.sendall(b"GET /openapi.json HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    whole = len(read_all(one))
    idle = connect()
    idle.sendall(b"GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n" * 60)
    time.sleep(4)
    assert 0 < len(read_all(idle)) < 60 * whole


def test_requests_that_do_not_wait_for_answers_are_bounded(connect: Connect) -> None:
    hasty = connect()
    hasty.sendall((HEAD + b"\r\n") * 2000)
    assert read_all(hasty).count(b"HTTP/1.1 200 ") < 2000


def test_an_upgrade_is_not_taken(connect: Connect) -> None:
    asking = connect()
    asking.sendall(
        HEAD + b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
    assert status_of(asking.recv(65536)) in (200, 400)


def test_more_connections_than_may_be_open_are_turned_away_and_the_server_goes_on(
    connect: Connect,
) -> None:
    time.sleep(0.7)  # those of other tests are closed by now
    opened = [connect() for _ in range(60)]
    answers = [b""] * len(opened)

    def take(at: int) -> None:
        answers[at] = read_all(opened[at])

    readers = [threading.Thread(target=take, args=(at,)) for at in range(len(opened))]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join(10)
    turned_away = [answer for answer in answers if status_of(answer) == 503]
    assert 15 <= len(turned_away) <= 25
    assert is_up(connect)


def test_the_server_says_neither_its_name_nor_its_version(connect: Connect) -> None:
    asking = connect()
    asking.sendall(HEAD + b"Connection: close\r\n\r\n")
    head = read_all(asking).partition(b"\r\n\r\n")[0].lower()
    assert b"server:" not in head
    assert b"uvicorn" not in head
    assert b"x-powered-by" not in head
