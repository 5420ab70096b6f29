"""A door before the object store: it counts requests, can be shut, and can lose conditions."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

# The key that the tests come with.
SECRET = "topsecret-4711"

_OF_ONE_HOP = frozenset({"connection", "transfer-encoding", "content-length", "keep-alive"})
_CONDITIONS = frozenset({"if-match", "if-none-match"})


class Gate:
    """What tests see of the door.

    Attributes
    ----------
    is_open : bool
        Shut, it cuts every connection without an answer.
    shuts_after : int or None
        So many more requests are let through, then it shuts.
    loses_conditions : bool
        Leave the headers of conditional writes out, as simple servers ignore them.
    requests : Counter
        By method and what they are for, such as "GET writer.lock" or "LIST items.lance".
    """

    def __init__(self, server: str) -> None:
        self.server = server
        self.address = ""
        self.is_open = True
        self.shuts_after: int | None = None
        self.loses_conditions = False
        self.requests: Counter[str] = Counter()
        self._lock = threading.Lock()

    def lets_through(self, method: str, path: str) -> bool:
        """Count a request; whether it passes."""
        with self._lock:
            if self.shuts_after == 0:
                self.is_open = False
            if not self.is_open:
                return False
            if self.shuts_after is not None:
                self.shuts_after -= 1
            self.requests[_purpose(method, path)] += 1
            return True

    @contextmanager
    def counting(self) -> Iterator[Counter[str]]:
        """Requests of a block alone."""
        before = Counter(self.requests)
        made: Counter[str] = Counter()
        yield made
        made.update(self.requests - before)


def _purpose(method: str, path: str) -> str:
    parts = urlsplit(path)
    asked = parse_qs(parts.query)
    if "prefix" in asked:
        return f"LIST {_part(asked['prefix'][0], at=2)}"
    return f"{method} {_part(parts.path.lstrip('/'), at=3)}"


def _part(key: str, *, at: int) -> str:
    parts = key.split("/")
    return parts[at] if len(parts) > at else ""


@contextmanager
def gate_before(server: str) -> Iterator[Gate]:
    """A door before the server at an address."""
    gate = Gate(server)

    class Handler(_Handler):
        door = gate

    listening = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    listening.daemon_threads = True
    thread = threading.Thread(
        # It looks that often whether it is to end: half a second of every test, if not told.
        target=listening.serve_forever,
        kwargs={"poll_interval": 0.02},
        daemon=True,
    )
    thread.start()
    gate.address = f"http://127.0.0.1:{listening.server_port}"
    try:
        yield gate
    finally:
        listening.shutdown()
        thread.join()
        listening.server_close()


class _Handler(BaseHTTPRequestHandler):
    door: Gate
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def _pass_on(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if not self.door.lets_through(self.command, self.path):
            self.close_connection = True
            self.connection.close()
            return
        left_out = _OF_ONE_HOP | (_CONDITIONS if self.door.loses_conditions else set())
        headers = {
            name: value for name, value in self.headers.items() if name.lower() not in left_out
        }
        upstream = HTTPConnection(self.door.server.removeprefix("http://"), timeout=30)
        try:
            upstream.request(self.command, self.path, body, headers)
            answer = upstream.getresponse()
            content = answer.read()
            self.send_response_only(answer.status, answer.reason)
            for name, value in answer.getheaders():
                if name.lower() not in _OF_ONE_HOP:
                    self.send_header(name, value)
            is_head = self.command == "HEAD"
            length = answer.getheader("Content-Length") if is_head else str(len(content))
            self.send_header("Content-Length", length or "0")
            self.end_headers()
            self.wfile.write(content)
        finally:
            upstream.close()

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = _pass_on  # noqa: N815 - http.server's names

    def log_message(self, *args: object) -> None:
        """Nothing."""
