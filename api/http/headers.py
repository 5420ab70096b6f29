"""What every answer tells browsers: what the page may load, and who may look at it."""

from __future__ import annotations

from collections.abc import Mapping

REPORTS = "/v1/reports/"
_PAGES = frozenset({"/", "/docs"})

_COMMON = {
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": (
        "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()"
    ),
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}
# Nothing but this origin's own files: no inline script or style, no other host, no framing.
_PAGE = _COMMON | {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
        "connect-src 'self'; frame-src 'self'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    ),
    # Asked for anew by every load, and answered with 304: a page is never of two versions.
    "cache-control": "no-cache",
}
# A report brings its style and pictures within itself and needs nothing else. Sandboxed it is of
# no origin, so that even a script that got into it could not ask this server anything.
_REPORT = _COMMON | {
    "content-security-policy": (
        "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; base-uri 'none'; "
        "form-action 'none'; frame-ancestors 'self'; sandbox allow-popups"
    ),
    "x-frame-options": "SAMEORIGIN",
    "cache-control": "no-store",
}
# Data: should a browser ever show it as a page, nothing in it runs.
_DATA = _COMMON | {
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'; sandbox",
    "cache-control": "no-store",
}


def security_headers(path: str) -> Mapping[str, str]:
    """Headers of the answer at `path`, beside its own."""
    if path in _PAGES or path.startswith("/web/"):
        return _PAGE
    return _REPORT if path.startswith(REPORTS) else _DATA


def add_security_headers(path: str, headers: list[tuple[bytes, bytes]]) -> None:
    """Add to the headers of an answer, as ASGI has them, those that it does not set itself."""
    there = {name for name, _ in headers}
    for name, value in security_headers(path).items():
        pair = name.encode(), value.encode()
        if pair[0] not in there:
            headers.append(pair)
