"""The log: one line a request, which says who asked which route, and never what was asked.

Neither queries, bodies, cookies, keys nor the ids in a path are written; the route is its
template. Whatever else is logged passes a formatter that blots out keys and log-ins.
"""

from __future__ import annotations

import json
import logging
import re
import secrets
import sys
import time
from datetime import UTC, datetime
from typing import Any, Literal, final

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

REQUEST_ID = "x-request-id"
_ID_FORM = re.compile(r"[A-Za-z0-9._-]{1,64}")
_SECRETS = re.compile(
    r"(ldb_[0-9a-f]{12})_[0-9a-f]+|([0-9a-f]{12}\.[0-9]{1,12})\.[0-9a-f]{32}\.[0-9a-f]{64}"
)
_INTERNAL = 500

_log = logging.getLogger("latentdb.requests")


@final
class RequestLog:
    """ASGI middleware: gives each request an id, and logs it once it was answered.

    Parameters
    ----------
    app : ASGIApp
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        request_id = _request_id(Headers(scope=scope).get(REQUEST_ID, ""))
        scope.setdefault("state", {})["request_id"] = request_id
        # The status that stands where the program fails before it answers.
        seen = {"status": _INTERNAL, "bytes_in": 0, "bytes_out": 0}

        async def counted_receive() -> Message:
            message = await receive()
            seen["bytes_in"] += len(message.get("body", b""))
            return message

        async def counted_send(message: Message) -> None:
            if message["type"] == "http.response.start":
                seen["status"] = message["status"]
                MutableHeaders(scope=message)[REQUEST_ID] = request_id
            else:
                seen["bytes_out"] += len(message.get("body", b""))
            await send(message)

        try:
            await self._app(scope, counted_receive, counted_send)
        finally:
            if _log.isEnabledFor(logging.INFO):
                ms = round(1e3 * (time.perf_counter() - started), 2)
                _log.info("request", extra={"request": {**_told(scope), **seen, "ms": ms}})


@final
class JsonLines(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """The line of one record."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **getattr(record, "request", {}),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return without_secrets(json.dumps(line, ensure_ascii=True))


@final
class TextLines(logging.Formatter):
    """One line a record for people; a traceback below it."""

    def format(self, record: logging.LogRecord) -> str:
        """The line of one record."""
        moment = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="seconds")
        facts = getattr(record, "request", None)
        said = record.getMessage() if facts is None else _sentence(facts)
        # A line end in what is logged must not look like a line of its own.
        line = f"{moment} {record.levelname.lower()} {said}".replace("\r", "\\r")
        line = line.replace("\n", "\\n")
        if record.exc_info:
            line += "\n" + self.formatException(record.exc_info)
        return without_secrets(line)


def configure_logs(form: Literal["text", "json"]) -> None:
    """Send what the server logs to stderr, in this form; called by a process that serves."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines() if form == "json" else TextLines())
    for name, level in (
        ("latentdb", logging.WARNING),
        ("latentdb.requests", logging.INFO),
        ("uvicorn", logging.WARNING),
    ):
        logger = logging.getLogger(name)
        logger.handlers = [handler] if "." not in name else []
        logger.propagate = "." in name
        logger.setLevel(level)


def without_secrets(text: str) -> str:
    """`text` with the secret part of keys and log-ins blotted out."""
    return _SECRETS.sub(lambda found: f"{found[1] or found[2]}…", text)


def _request_id(given: str) -> str:
    """That of the client or the proxy where it is one, else a new one."""
    return given if _ID_FORM.fullmatch(given) else secrets.token_hex(8)


def _told(scope: Scope) -> dict[str, Any]:
    """What is logged of a request."""
    state, route = scope["state"], scope.get("route")
    client = state.get("client")
    address = scope.get("client")
    return {
        "request_id": state["request_id"],
        "method": scope["method"],
        "route": getattr(route, "path", None),
        "client": None if client is None else client.name,
        "address": address[0] if address else None,
    }


def _sentence(facts: dict[str, Any]) -> str:
    return (
        f"{facts['method']} {facts['route'] or '-'} {facts['status']} {facts['ms']} ms, "
        f"{facts['bytes_in']} B in, {facts['bytes_out']} B out, "
        f"{facts['client'] or '-'} at {facts['address'] or '-'}, {facts['request_id']}"
    )
