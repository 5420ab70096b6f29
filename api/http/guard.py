"""What stands before every route: whom the server answers, how much it reads, what it says."""

from __future__ import annotations

from typing import final

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.http.problems import BAD_REQUEST, problem
from api.settings import ServerSettings

TOO_LARGE = 413

# Nothing but this origin's own files: no inline script, no other host, no framing.
SECURITY_HEADERS = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}


@final
class Guard:
    """ASGI middleware: checks the host, counts the body, adds the headers.

    Parameters
    ----------
    app : ASGIApp
        What is guarded.
    settings : ServerSettings
    """

    def __init__(self, app: ASGIApp, settings: ServerSettings) -> None:
        self._app = app
        self._settings = settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(SECURITY_HEADERS)
            await send(message)

        host = _host_name(headers.get("host", ""))
        if "*" not in self._settings.hosts and host not in self._settings.hosts:
            refused = problem(BAD_REQUEST, "unknown-host", f"this server is not called {host!r}")
            await refused(scope, receive, send_with_headers)
            return
        limit = self._settings.max_body_bytes
        length = headers.get("content-length", "0")
        if not length.isdecimal() or int(length) > limit:
            refused = problem(TOO_LARGE, "too-large", _too_large(limit))
            await refused(scope, receive, send_with_headers)
            return
        await self._app(scope, _counted(receive, limit), send_with_headers)


def _counted(receive: Receive, limit: int) -> Receive:
    """`receive`, raising once more than `limit` bytes of body have come."""
    total = 0

    async def counted() -> Message:
        nonlocal total
        message = await receive()
        total += len(message.get("body", b""))
        if total > limit:
            raise HTTPException(TOO_LARGE, _too_large(limit))
        return message

    return counted


def _too_large(limit: int) -> str:
    return f"a request may bring at most {limit / 2**20:g} MiB"


def _host_name(header: str) -> str:
    """The Host header without its port; `[::1]:8000` gives `::1`."""
    if header.startswith("["):
        return header[1:].partition("]")[0]
    return header.partition(":")[0].lower()
