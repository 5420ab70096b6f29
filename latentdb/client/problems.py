"""What a server refused, as the error that the library would have raised."""

from __future__ import annotations

import json
from typing import Final

from indexers.errors import LatentDBError
from latentdb.error_codes import error_of
from latentdb.errors import AccessError, QueryError, RemoteError, ServerBusyError

_PREFIX: Final = "urn:latentdb:problem:"
_NEEDS_KEY, _MAY_NOT = 401, 403
_TOO_MANY, _UNAVAILABLE = 429, 503
_REDIRECTS: Final = range(300, 400)


def error_of_answer(
    status: int, body: bytes, *, asked: str, location: str | None = None
) -> LatentDBError:
    """The error of an answer that is not a good one.

    Parameters
    ----------
    status : int
    body : bytes
        problem+json where the server is one of ours; a page of a proxy, or of another server.
    asked : str
        The request in words, such as "POST http://host/v1/search".
    location : str, optional
        Where it redirects to.
    """
    if status in _REDIRECTS:
        return RemoteError(
            f"{asked} is answered with another address, {location}: connect to that one; it is not "
            "followed, because a key would go along",
            status=status,
        )
    code, detail, reason = _problem(body)
    if code is None:
        return _of_status(status, "", f"{asked} is answered with status {status}: {detail}")
    known = QueryError(detail) if code == "invalid-request" else error_of(code, detail, reason)
    return known if known is not None else _of_status(status, code, detail)


def _of_status(status: int, code: str, detail: str) -> RemoteError:
    """What only a server says, by its status."""
    if status == _NEEDS_KEY:
        hint = "a key is given with key=, or to commands with --key or in $LATENTDB_KEY"
        return AccessError(f"{detail}; {hint}", code=code, status=status)
    if status == _MAY_NOT:
        return AccessError(detail, code=code, status=status)
    if status in (_TOO_MANY, _UNAVAILABLE):
        return ServerBusyError(detail, code=code, status=status)
    return RemoteError(detail, code=code, status=status)


def _problem(body: bytes) -> tuple[str | None, str, str | None]:
    """Code, text and reason of a problem; no code, and the first words, of anything else."""
    try:
        said = json.loads(body)
    except ValueError:
        said = None
    kind = said.get("type") if isinstance(said, dict) else None
    if not isinstance(kind, str) or not kind.startswith(_PREFIX):
        words = " ".join(body[:400].decode("utf-8", "replace").split())[:120]
        return None, f"{words or 'nothing'}; is that a latentdb server?", None
    reason = said.get("reason")
    detail = str(said.get("detail", "the server gives no reason"))
    return kind.removeprefix(_PREFIX), detail, reason if isinstance(reason, str) else None
