"""Requests to a server: one pool of connections, repeated where that is safe. Alone knows httpx."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from ssl import SSLContext, create_default_context
from typing import Any, Final, final

import httpx

from indexers.errors import LatentDBError
from latentdb import __version__
from latentdb.client.problems import error_of_answer
from latentdb.client.retries import REFUSED_FOR_NOW, Retries, seconds_of
from latentdb.client.server_address import ServerAddress
from latentdb.errors import QueryError, RemoteError, ServerUnreachableError

_POOL: Final = httpx.Limits(max_connections=32, max_keepalive_connections=16, keepalive_expiry=30)
# Twice the pause between two signs of life of a server that follows a job.
_EVENTS_READ_S: Final = 45.0
# Nothing had been sent when these happened, so that any request may be.
_NEVER_SENT: Final = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)

FilePart = tuple[str, tuple[str, bytes, str]]


@final
@dataclass(frozen=True)
class Call:
    """One request.

    Parameters
    ----------
    method, path : str
    query : mapping of str to str
        What follows the `?`.
    body : JSON value, optional
    files : sequence of (field, (name, bytes, type))
        Makes it a form, with `fields` beside the files.
    fields : mapping of str to str
    headers : mapping of str to str
    may_repeat : bool
        Whether asking twice is the same as asking once.
    """

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    files: Sequence[FilePart] = ()
    fields: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    may_repeat: bool = False


@final
@dataclass(frozen=True)
class Waits:
    """How long to wait, in seconds.

    Parameters
    ----------
    connect_s : float
        For a connection, or for one of the pool to be free.
    answer_s : float
        For the next bytes of an answer, and for room to send.
    """

    connect_s: float = 5.0
    answer_s: float = 60.0

    def __post_init__(self) -> None:
        if not (self.connect_s > 0 and self.answer_s > 0):
            raise QueryError(
                f"a timeout is above 0 seconds, got {self.answer_s} and to connect {self.connect_s}"
            )


@final
@dataclass(frozen=True)
class _Failure:
    """What came in place of an answer."""

    error: LatentDBError
    may_repeat: bool
    asked_s: float | None = None


@final
class Transport:
    """A server, asked over HTTP; safe for several threads.

    Parameters
    ----------
    server : ServerAddress
    key : str, optional
        Sent with every request to that server and to no other; redirects are not followed.
    waits : Waits
    retries : Retries
    certificates : str or Path, optional
        File of the authorities that an https:// server's certificate may be signed by, in place
        of the usual ones.
    """

    def __init__(
        self,
        server: ServerAddress,
        *,
        key: str | None = None,
        waits: Waits | None = None,
        retries: Retries | None = None,
        certificates: str | Path | None = None,
    ) -> None:
        self.server = server
        self._waits = waits or Waits()
        self._retries = retries or Retries()
        headers = {"user-agent": f"latentdb/{__version__}"}
        if key is not None:
            server.check_key(key)
            headers["authorization"] = f"Bearer {key}"
        self._client = httpx.Client(
            base_url=server.url,
            headers=headers,
            timeout=self._timeout(self._waits.answer_s),
            limits=_POOL,
            follow_redirects=False,
            verify=True if certificates is None else _authorities(certificates),
            # The environment is read in the command line alone: no proxy, no .netrc of it here.
            trust_env=False,
        )

    def close(self) -> None:
        """Close the connections; what is asked afterwards is refused."""
        self._client.close()

    def json(self, call: Call) -> Any:
        """The JSON that a request is answered with, None where the answer is empty.

        Raises
        ------
        LatentDBError
            As the server told it: what `LatentDB` would have raised, or a `RemoteError`.
        ServerUnreachableError
            No answer came.
        """
        content = self.content(call)
        try:
            return json.loads(content) if content else None
        except ValueError as error:
            raise RemoteError(
                f"{self._asked(call)} is not answered with JSON; is that a latentdb server?"
            ) from error

    def content(self, call: Call) -> bytes:
        """The bytes that a request is answered with; errors as `json`."""
        started, attempt = time.monotonic(), 0
        while True:
            answer = self._attempt(call)
            if isinstance(answer, bytes):
                return answer
            pause_s = None
            if answer.may_repeat:
                pause_s = self._retries.pause_s(attempt, answer.asked_s)
            if pause_s is None:
                if attempt and isinstance(answer.error, ServerUnreachableError):
                    tried = f"tried {attempt + 1} times in {time.monotonic() - started:.1f} s"
                    raise ServerUnreachableError(f"{answer.error} ({tried})") from answer.error
                raise answer.error
            time.sleep(pause_s)
            attempt += 1

    @contextmanager
    def lines(self, call: Call) -> Iterator[Iterator[str]]:
        """The lines of an answer as they come, for as long as the block lasts; not repeated."""
        headers = {**call.headers, "accept": "text/event-stream"}
        try:
            with self._client.stream(
                call.method,
                call.path,
                params=dict(call.query),
                headers=headers,
                timeout=self._timeout(_EVENTS_READ_S),
            ) as response:
                if not response.is_success:
                    response.read()
                    raise self._refusal(call, response)
                yield response.iter_lines()
        except httpx.TransportError as error:
            raise self._unreachable(call, error) from error

    def _attempt(self, call: Call) -> bytes | _Failure:
        """The answer's bytes, or what came in their place and whether to ask again."""
        try:
            response = self._send(call)
        except httpx.TransportError as error:
            is_late = isinstance(error, httpx.TimeoutException)
            may_repeat = isinstance(error, _NEVER_SENT) or (call.may_repeat and not is_late)
            return _Failure(self._unreachable(call, error), may_repeat)
        if response.is_success:
            return response.content
        may_repeat = call.may_repeat and response.status_code in REFUSED_FOR_NOW
        asked_s = seconds_of(response.headers.get("retry-after"))
        return _Failure(self._refusal(call, response), may_repeat, asked_s)

    def _send(self, call: Call) -> httpx.Response:
        if call.files:
            return self._client.request(
                call.method,
                call.path,
                params=dict(call.query),
                headers=dict(call.headers),
                files=list(call.files),
                data=dict(call.fields),
            )
        return self._client.request(
            call.method,
            call.path,
            params=dict(call.query),
            headers=dict(call.headers),
            **({} if call.body is None else {"json": call.body}),
        )

    def _timeout(self, read_s: float) -> httpx.Timeout:
        connect_s = self._waits.connect_s
        write_s = max(self._waits.answer_s, connect_s)
        return httpx.Timeout(connect=connect_s, read=read_s, write=write_s, pool=connect_s)

    def _asked(self, call: Call) -> str:
        return f"{call.method} {self.server}{call.path}"

    def _refusal(self, call: Call, response: httpx.Response) -> LatentDBError:
        return error_of_answer(
            response.status_code,
            response.content,
            asked=self._asked(call),
            location=response.headers.get("location"),
        )

    def _unreachable(self, call: Call, error: httpx.TransportError) -> ServerUnreachableError:
        """What was tried, what came of it, and what to do."""
        if isinstance(error, httpx.ReadTimeout | httpx.WriteTimeout):
            return ServerUnreachableError(
                f"{self._asked(call)} was not answered within {self._waits.answer_s:g} s: ask for "
                "less, or connect with a longer timeout="
            )
        said = str(error) or type(error).__name__
        if isinstance(error, httpx.ConnectTimeout | httpx.PoolTimeout):
            said = f"no connection within {self._waits.connect_s:g} s"
        return ServerUnreachableError(
            f"{self._asked(call)} failed: {said}; is the server running (latentdb serve DB), and "
            "is its address right?"
        )


def _authorities(path: str | Path) -> SSLContext:
    try:
        return create_default_context(cafile=str(path))
    except OSError as error:
        raise QueryError(f"certificates {path} cannot be read: {error}") from error
