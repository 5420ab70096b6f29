"""HTTP/1.1 on a socket: uvicorn's protocol, with bounds that it lacks.

uvicorn waits for the head of a request as long as it takes and holds as much of it as comes, reads
on for ever what belongs to a request that was answered already, and holds an answer as long as
nobody takes it. Here each of these ends.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any, final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from api.http.problems import problem
from api.settings import ServerSettings

TIMEOUT = 408
_REASONS = {
    TIMEOUT: ("Request Timeout", "timeout", "the head of a request did not come in time"),
    431: (
        "Request Header Fields Too Large",
        "too-large",
        "the address and the headers of a request are larger than this server takes",
    ),
    503: ("Service Unavailable", "overloaded", "too many connections are open"),
}
# After an answer so much more of a body is taken, so that the answer can be read.
_MAX_LEFTOVER = 4 * 2**20
# An answer of which nothing is taken in this time is given up.
_WRITE_TIMEOUT_S = 30.0
# Requests that were sent before the answer to an earlier one. uvicorn takes as many as come in a
# piece of 256 KiB, and another piece after each answer.
_MAX_PIPELINED = 64


@final
class BoundedProtocol(HttpToolsProtocol):
    """One connection, bounded in time and bytes.

    Parameters
    ----------
    *parts
        As uvicorn gives them.
    settings : ServerSettings
    """

    def __init__(self, *parts: Any, settings: ServerSettings, **named: Any) -> None:
        super().__init__(*parts, **named)
        self._settings = settings
        self._max_head_bytes = settings.max_head_kib * 2**10
        self._head_timer: asyncio.TimerHandle | None = None
        self._write_timer: asyncio.TimerHandle | None = None
        self._is_in_head = True
        self._heads = 0
        self._head_bytes = 0
        self._leftover = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Refuse it where too many are open; else wait for a head."""
        super().connection_made(transport)
        if len(self.connections) > self._settings.max_connections:
            self._end(503)
            return
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget its timers."""
        self._cancel_head_timer()
        self.resume_writing()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse what came, unless it makes a head too large."""
        heads = self._heads
        super().data_received(data)
        if self._is_in_head and self._heads == heads:
            # All of it belonged to one head, which goes on.
            self._head_bytes += len(data)
            if self._head_bytes > self._max_head_bytes:
                self._end(431)

    def on_message_begin(self) -> None:
        """A head begins."""
        super().on_message_begin()
        self._is_in_head = True
        self._heads += 1
        self._head_bytes = 0
        self._leftover = 0
        if self._head_timer is None:
            self._await_head()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header; those after a body (trailers) are no headers of the request."""
        if self._is_in_head:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """A head ends."""
        self._is_in_head = False
        self._cancel_head_timer()
        if self.transport.is_closing():
            return
        if len(self.pipeline) >= _MAX_PIPELINED:
            self._end(503)
            return
        size = sum(len(name) + len(value) for name, value in self.headers)
        if size + len(self.url) > self._max_head_bytes:
            self._end(431)
            return
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Take a piece of a body, unless its request was refused or answered long ago."""
        if self.transport.is_closing() or self.cycle is None:
            return
        if self.cycle.response_complete:
            self._leftover += len(body)
            if self._leftover > _MAX_LEFTOVER:
                self.transport.abort()
            return
        super().on_body(body)

    def on_message_complete(self) -> None:
        """A request has come as a whole, unless it was refused at its head."""
        if not self.transport.is_closing() and self.cycle is not None:
            super().on_message_complete()

    def on_response_complete(self) -> None:
        """Answered; where the body is still coming, it has as long as a head."""
        is_still_coming = self.cycle.more_body
        super().on_response_complete()
        if is_still_coming and not self.transport.is_closing() and self._head_timer is None:
            self._await_head()

    def pause_writing(self) -> None:
        """The client does not take the answer: wait, but not for ever."""
        super().pause_writing()
        self._write_timer = self.loop.call_later(_WRITE_TIMEOUT_S, self.transport.abort)

    def resume_writing(self) -> None:
        """The client took some of the answer."""
        if self._write_timer is not None:
            self._write_timer.cancel()
            self._write_timer = None
        super().resume_writing()

    def _await_head(self) -> None:
        wait_s = self._settings.header_timeout_s
        self._head_timer = self.loop.call_later(wait_s, self._end, TIMEOUT)

    def _cancel_head_timer(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _end(self, status: int) -> None:
        """Close the connection, saying why where no answer is under way."""
        self._cancel_head_timer()
        if self.transport.is_closing():
            return
        # A connection on which nothing was asked is closed without a word.
        is_asked = status != TIMEOUT or (self._is_in_head and self._heads > 0)
        if is_asked and (self.cycle is None or self.cycle.response_complete):
            self.transport.write(_last_words(status))
        self.transport.close()


def _last_words(status: int) -> bytes:
    """An answer before which nothing was parsed, and after which nothing comes."""
    phrase, code, detail = _REASONS[status]
    answer = problem(status, code, detail, headers={"connection": "close", "retry-after": "5"})
    lines = [f"HTTP/1.1 {status} {phrase}".encode()]
    lines += [name + b": " + value for name, value in answer.raw_headers]
    return b"\r\n".join([*lines, b"", bytes(answer.body)])


def uvicorn_options(settings: ServerSettings) -> dict[str, Any]:
    """What `uvicorn.Config` is given beside the app, host, port and workers."""
    return {
        "http": partial(BoundedProtocol, settings=settings),
        "ws": "none",
        # Nobody's X-Forwarded-For is believed but that of proxies that were named.
        "proxy_headers": bool(settings.trusted_proxies),
        "forwarded_allow_ips": list(settings.trusted_proxies),
        "server_header": False,
        "log_config": None,
        "access_log": False,
    }
