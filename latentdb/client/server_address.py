"""Where a server is: an address as it is written, checked before anything is sent there."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import final
from urllib.parse import urlsplit

from latentdb.errors import AccessError, QueryError
from latentdb.loopback import is_loopback

SCHEMES = ("http://", "https://")
_log = logging.getLogger("latentdb.client")


def is_address(database: str) -> bool:
    """Whether this names a server, and not a folder."""
    return database.lower().startswith(SCHEMES)


@final
@dataclass(frozen=True)
class ServerAddress:
    """Where a server is, without a slash at the end.

    Parameters
    ----------
    url : str
        Such as "http://127.0.0.1:8000", with a path where a proxy serves it under one.
    is_local : bool
        Whether it is this machine, so that nobody listens on the way.
    """

    url: str
    is_local: bool

    @classmethod
    def parse(cls, written: str) -> ServerAddress:
        """The address in a text.

        Raises
        ------
        QueryError
            It is none, or holds what belongs elsewhere.
        """
        try:
            parts = urlsplit(written.strip())
            port, host = parts.port, parts.hostname
        except ValueError as error:
            raise QueryError(f"{written!r} is no address of a server: {error}") from error
        if not is_address(written.strip()) or not host:
            raise QueryError(
                f"{written!r} is no address of a server: write http:// or https://, a host and a "
                "port, such as http://127.0.0.1:8000"
            )
        if parts.username is not None or parts.query or parts.fragment:
            raise QueryError(
                "the address of a server has no name, password, ? or # in it; a key is given with "
                "key="
            )
        shown = f"[{host}]" if ":" in host else host
        at = "" if port is None else f":{port}"
        return cls(f"{parts.scheme}://{shown}{at}{parts.path.rstrip('/')}", is_loopback(host))

    def __str__(self) -> str:
        return self.url

    def check_key(self, key: str) -> None:
        """Refuse what cannot be a key; warn where others could read it on the way.

        Raises
        ------
        AccessError
            It has characters that no key has. The text does not show it.
        """
        if not key or not key.isascii() or not key.isprintable() or " " in key:
            raise AccessError(
                "the key is empty, or has spaces or characters that no key has: give it as it was "
                "made"
            )
        if self.url.startswith("http:") and not self.is_local:
            _log.warning(
                "the key travels unencrypted to %s, where others on the way can read it: use "
                "https://, or a tunnel to that machine",
                self.url,
            )
