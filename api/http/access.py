"""Who asks, and what they may: every route says which scope it needs."""

from __future__ import annotations

import ipaddress
import math
from dataclasses import dataclass
from typing import Annotated, Any, cast, final

from fastapi import Request
from fastapi.openapi.models import APIKey, APIKeyIn, HTTPBearer
from fastapi.params import Depends as Dependency
from fastapi.params import Security
from fastapi.security.base import SecurityBase
from starlette.datastructures import Headers
from starlette.types import Scope as AsgiScope

from api.http.keyring import KeyRing, KeysUnreadableError
from api.http.keys import SCOPES, Key, Scope
from api.http.problems import FORBIDDEN, TOO_MANY, UNAUTHORIZED, UNAVAILABLE, RefusedError
from api.http.rates import Buckets
from api.http.session import PLAIN_COOKIE, Sessions, cookie_name
from api.settings import ServerSettings

# What is answered without a key: the page's files, which hold no data, and how to log in.
OPEN_PATHS = frozenset({"/", "/healthz", "/readyz", "/v1/session"})
OPEN_FOLDER = "/web/"


@final
@dataclass(frozen=True)
class Client:
    """Whoever sent a request.

    Parameters
    ----------
    name : str
        As logs call it; never a secret.
    scope : "read", "write" or "admin"
        The most it may do.
    """

    name: str
    scope: Scope

    def may(self, scope: Scope) -> bool:
        """Whether what needs `scope` is allowed."""
        return SCOPES.index(self.scope) >= SCOPES.index(scope)


# Of a server without keys, which only this machine reaches.
ANYONE = Client("anyone", "admin")


@final
class Gate:
    """Tells who sent a request, by its key or its log-in, and how often they may ask.

    Parameters
    ----------
    settings : ServerSettings
        Without `keys` everybody is `ANYONE`.

    Raises
    ------
    KeysError
        The file of keys cannot be used.
    """

    def __init__(self, settings: ServerSettings) -> None:
        self._ring = None if settings.keys is None else KeyRing(settings.keys)
        self._sessions = (
            None if self._ring is None else Sessions(self._ring, settings.session_hours * 3600)
        )
        self._max_failures = settings.max_failures
        self._workers = settings.workers
        self._asked = Buckets()
        self._failed = Buckets()

    def admit(self, scope: AsgiScope) -> Client | None:
        """Who sent a request; None on open paths, where nobody is asked.

        Raises
        ------
        RefusedError
            401 without a key that lets in, 429 where it was used too often.
        """
        if is_open(scope["path"]):
            return None
        if self._ring is None:
            return ANYONE
        key = self._key_of(scope)
        if key.per_minute is not None:
            # Each worker process counts for itself.
            _require_no_wait(self._asked.take(key.id, key.per_minute / self._workers))
        return Client(key.name, key.scope)

    def log_in(self, presented: str, scope: AsgiScope) -> str | None:
        """The cookie of somebody who presents a key; None where none is needed.

        Raises
        ------
        RefusedError
            401: no such key. 429: too many wrong ones came from that address.
        """
        if self._ring is None or self._sessions is None:
            return None
        _require_no_wait(self._failed.wait_s(_address(scope), self._max_failures))
        key = self._known(presented)
        if key is None:
            raise self._wrong(scope)
        return self._sessions.begin(key)

    def _key_of(self, scope: AsgiScope) -> Key:
        headers = Headers(scope=scope)
        given = headers.getlist("authorization")
        if given:
            kind, _, presented = given[0].partition(" ")
            key = self._known(presented.strip())
            if len(given) > 1 or kind.lower() != "bearer" or key is None:
                raise self._wrong(scope)
            return key
        cookies = _cookies(headers.getlist("cookie"), cookie_name(scope["scheme"]))
        if not cookies:
            raise _unauthorized("a key is needed: Authorization: Bearer ldb_…")
        # Of two of one name a neighbouring site may have planted either.
        key = self._of_cookie(cookies[0]) if len(cookies) == 1 else None
        if key is None:
            raise _unauthorized("the log-in has ended; log in again")
        return key

    def _known(self, presented: str) -> Key | None:
        assert self._ring is not None
        try:
            return self._ring.holder(presented)
        except KeysUnreadableError as error:
            raise _keys_unreadable() from error

    def _of_cookie(self, cookie: str) -> Key | None:
        assert self._sessions is not None
        try:
            return self._sessions.holder(cookie)
        except KeysUnreadableError as error:
            raise _keys_unreadable() from error

    def _wrong(self, scope: AsgiScope) -> RefusedError:
        """401 for a wrong key, counted; 429 once there were too many from that address."""
        _require_no_wait(self._failed.take(_address(scope), self._max_failures))
        return _unauthorized("this key is unknown, revoked or expired")


def is_open(path: str) -> bool:
    """Whether a path is answered without a key."""
    return path in OPEN_PATHS or path.startswith(OPEN_FOLDER)


def client_of(request: Request) -> Client:
    """Who sent a request; on open paths of a server with keys, nobody: 401."""
    client = request.scope.get("state", {}).get("client")
    if client is None:
        raise _unauthorized("a key is needed: Authorization: Bearer ldb_…")
    return cast("Client", client)


@final
class _LoggedIn(SecurityBase):
    """Tells the OpenAPI document of the cookie; `Needs` looks at both."""

    model = APIKey.model_validate(
        {"in": APIKeyIn.cookie, "name": PLAIN_COOKIE, "description": "Made by POST /v1/session."}
    )
    scheme_name = "session"

    async def __call__(self) -> None:
        """Nothing: who asks was settled before."""


@final
class Needs(SecurityBase):
    """What a route depends on to be for clients of a scope or a higher one."""

    model = HTTPBearer(description="A key of `latentdb keys add`.", bearerFormat="ldb_<id>_<hex>")
    scheme_name = "key"

    def __init__(self, scope: Scope) -> None:
        self.scope = scope

    async def __call__(self, request: Request, _: Annotated[None, Security(_LoggedIn())]) -> None:
        """RefusedError, 401 or 403, unless the client has the scope."""
        client = client_of(request)
        if not client.may(self.scope):
            raise RefusedError(
                FORBIDDEN,
                "scope",
                f"this needs a key of scope {self.scope}, this one is of scope {client.scope}",
            )


def needs(scope: Scope) -> Dependency:
    """A dependency of routes that are only for clients of this scope or a higher one."""
    return Security(Needs(scope))


def _cookies(headers: list[str], name: str) -> list[str]:
    """Values of every cookie of a name."""
    pairs = (pair.strip().partition("=") for line in headers for pair in line.split(";"))
    return [value for found, _, value in pairs if found == name]


def _address(scope: AsgiScope) -> str:
    """Where a request came from: an address, or the network of one household."""
    client: Any = scope.get("client")
    host = str(client[0]) if client else ""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    if address.version == 4:
        return host
    return str(ipaddress.ip_network((address, 64), strict=False))


def _require_no_wait(wait_s: float) -> None:
    if wait_s > 0:
        whole = math.ceil(wait_s)
        raise RefusedError(
            TOO_MANY,
            "too-many-requests",
            f"too many requests; try again in {whole} s",
            headers={"retry-after": str(whole)},
        )


def _unauthorized(detail: str) -> RefusedError:
    return RefusedError(
        UNAUTHORIZED,
        "unauthorized",
        detail,
        headers={"www-authenticate": 'Bearer realm="latentdb"'},
    )


def _keys_unreadable() -> RefusedError:
    return RefusedError(
        UNAVAILABLE,
        "keys-unreadable",
        "the server cannot read its keys; its log says why",
        headers={"retry-after": "5"},
    )
