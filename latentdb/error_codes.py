"""Errors by code: what a server calls them, and what a client makes of that again."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache

from indexers.errors import LatentDBError
from latentdb.errors import PictureError, RemoteError


def code_of(error: type[Exception]) -> str:
    """`UnknownSpaceError` as `unknown-space`."""
    name = error.__name__.removesuffix("Error")
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "-", name).lower()


@cache
def classes_by_code() -> Mapping[str, type[LatentDBError]]:
    """Every error that the library raises, made from the classes themselves.

    A `RemoteError` tells of one server: it is none of another's.
    """
    # Its package loads SciPy, which a client can do without until something went wrong.
    import latentdb.geometry.errors  # noqa: F401 - a class counts once it is loaded

    return {
        code_of(cls): cls
        for cls in _below(LatentDBError)
        if not cls.__name__.startswith("_") and not issubclass(cls, RemoteError)
    }


def error_of(code: str, detail: str, reason: str | None = None) -> LatentDBError | None:
    """The error that a server told by its code, None where this version knows none of that code.

    Parameters
    ----------
    code : str
        Such as "unknown-item".
    detail : str
        Its text.
    reason : str, optional
        Of a `PictureError`; what is not told is "unreadable".
    """
    cls = classes_by_code().get(code)
    if cls is PictureError:
        return PictureError(reason or "unreadable", detail)
    return None if cls is None else cls(detail)


def _below(root: type[LatentDBError]) -> Iterator[type[LatentDBError]]:
    """Classes of this package under `root`, those of tests and callers left out."""
    for cls in root.__subclasses__():
        if cls.__module__.partition(".")[0] in ("latentdb", "indexers"):
            yield cls
        yield from _below(cls)
