"""What stands before every route: whom the server answers, how much it reads, what it says."""

from __future__ import annotations

import asyncio
import ipaddress
from collections import Counter
from functools import lru_cache
from typing import final
from urllib.parse import urlsplit

from fastapi import HTTPException
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.http.access import ANYONE, Client, Gate, is_open
from api.http.headers import add_security_headers
from api.http.problems import (
    BAD_REQUEST,
    FORBIDDEN,
    TIMEOUT,
    TOO_LARGE,
    TOO_MANY,
    UNAVAILABLE,
    RefusedError,
)
from api.settings import ServerSettings

_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
# A body may take its deadline, and as much longer as it comes at this rate.
_LEAST_BYTES_PER_S = 64 * 2**10
_RETRY = {"retry-after": "5"}


@final
class Guard:
    """ASGI middleware: who asks and from where, how large and how slow; adds the headers.

    Parameters
    ----------
    app : ASGIApp
        What is guarded.
    settings : ServerSettings
    gate : Gate
        Tells who asks.
    """

    def __init__(self, app: ASGIApp, settings: ServerSettings, gate: Gate) -> None:
        self._app = app
        self._settings = settings
        self._gate = gate
        self._streams: Counter[str] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = list(message.get("headers", ()))
                add_security_headers(scope["path"], message["headers"])
            await send(message)

        try:
            client = self._admitted(scope)
            scope.setdefault("state", {})["client"] = client
            stream = self._stream_of(scope, client)
        except RefusedError as refused:
            response = refused.response()
            # What is still to come of the body is not waited for.
            if scope["method"] not in _SAFE_METHODS:
                response.headers["connection"] = "close"
            await response(scope, receive, send_with_headers)
            return
        self._streams[stream] += stream != ""
        try:
            await self._app(scope, self._bounded(receive), send_with_headers)
        finally:
            self._streams[stream] -= stream != ""

    def _admitted(self, scope: Scope) -> Client | None:
        """Who asks; RefusedError where the request is not to reach a route at all."""
        headers = Headers(scope=scope)
        host = self._require_own_name(headers)
        if self._settings.keys is None:
            _require_loopback(scope)
        _require_own_page(scope, headers, host)
        length = headers.get("content-length", "0")
        if not (length.isascii() and length.isdecimal()):
            raise RefusedError(BAD_REQUEST, "bad-request", "Content-Length is no number")
        if len(length) > 15 or int(length) > self._settings.max_body_bytes:
            raise RefusedError(TOO_LARGE, "too-large", _too_large(self._settings.max_body_bytes))
        return self._gate.admit(scope)

    def _require_own_name(self, headers: Headers) -> str:
        """The Host header; RefusedError where it names another server, or several."""
        given = headers.getlist("host")
        host = given[0] if given else ""
        name = _host_name(host)
        if len(given) > 1 or ("*" not in self._settings.hosts and name not in self._settings.hosts):
            raise RefusedError(
                BAD_REQUEST,
                "unknown-host",
                f"this server is not called {name[:100]!r}; --allow-host gives it a name",
            )
        return host

    def _stream_of(self, scope: Scope, client: Client | None) -> str:
        """Whose a stream of events is, counted; empty for every other request."""
        if not scope["path"].endswith("/events"):
            return ""
        name = (client or ANYONE).name
        if self._streams.total() >= self._settings.max_streams:
            raise RefusedError(
                UNAVAILABLE, "overloaded", "too many streams are open", headers=_RETRY
            )
        if self._streams[name] >= self._settings.max_streams // 4:
            raise RefusedError(
                TOO_MANY, "too-many-requests", "this key has too many streams open", headers=_RETRY
            )
        return name

    def _bounded(self, receive: Receive) -> Receive:
        """`receive`, refusing a body that is too large or comes too slowly."""
        limit = self._settings.max_body_bytes
        total, is_whole = 0, False
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._settings.body_timeout_s

        async def bounded() -> Message:
            nonlocal total, is_whole
            if is_whole:  # only the end of the connection is waited for, as long as it takes
                return await receive()
            try:
                async with asyncio.timeout_at(deadline + total / _LEAST_BYTES_PER_S):
                    message = await receive()
            except TimeoutError as error:
                raise HTTPException(
                    TIMEOUT, "the body did not come in time", headers={"connection": "close"}
                ) from error
            total += len(message.get("body", b""))
            is_whole = not message.get("more_body", False)
            if total > limit:
                raise HTTPException(TOO_LARGE, _too_large(limit), headers={"connection": "close"})
            return message

        return bounded


def _require_loopback(scope: Scope) -> None:
    """RefusedError where a server without keys was reached by an address others can reach."""
    server = scope.get("server")
    if server is not None and not _is_loopback(str(server[0])):
        raise RefusedError(
            FORBIDDEN,
            "keys-needed",
            "this server has no keys and answers its own machine alone; start it with --keys",
        )


@lru_cache(maxsize=64)
def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:  # a name, or the file of a socket: not what a network connects to
        return True


def _require_own_page(scope: Scope, headers: Headers, host: str) -> None:
    """RefusedError of what a page of another site sends through somebody's browser.

    Browsers say of every writing request from which origin it comes, and of every request, on
    secure or local ground, how the two sites relate. Other clients say neither.
    """
    origin = headers.get("origin")
    site = headers.get("sec-fetch-site", "none")
    is_read = scope["method"] in _SAFE_METHODS
    # Following a link to here is the one thing that another site may do.
    is_link = is_read and headers.get("sec-fetch-mode") == "navigate"
    is_foreign = site not in ("none", "same-origin") and not is_link and not is_open_file(scope)
    if origin is not None and not is_read:
        is_foreign = is_foreign or not _is_same(origin, host)
    if is_foreign:
        raise RefusedError(FORBIDDEN, "cross-site", "a page of another site may not ask this")


def is_open_file(scope: Scope) -> bool:
    """Whether a request reads what anybody may read."""
    return scope["method"] in _SAFE_METHODS and is_open(scope["path"])


def _is_same(origin: str, host: str) -> bool:
    """Whether an Origin header names the host that was asked, with the port."""
    parts = urlsplit(origin)
    port = {"http": ":80", "https": ":443"}.get(parts.scheme)
    if port is None:
        return False
    return parts.netloc.lower().removesuffix(port) == host.lower().removesuffix(port)


def _too_large(limit: int) -> str:
    return f"a request may bring at most {limit / 2**20:g} MiB"


def _host_name(header: str) -> str:
    """The Host header without its port; `[::1]:8000` gives `::1`."""
    if header.startswith("["):
        return header[1:].partition("]")[0]
    return header.partition(":")[0].lower()
