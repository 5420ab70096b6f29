"""Log-ins of the page: a cookie that says which key it stands for, signed, for some hours.

The cookie never holds the key. It is `<key id>.<expires>.<nonce>.<signature>`; the signature is
made with a secret of the file of keys and the digest of the key, so a revoked key ends its log-ins
and every worker process can check them. The server keeps no list of them: logging out takes the
cookie from the browser.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import time
from typing import final

from api.http.keyring import KeyRing
from api.http.keys import Key

PLAIN_COOKIE = "latentdb_session"
# Browsers take a cookie of this name only over https and from this host, so that no neighbour
# below the same domain can plant one.
SECURE_COOKIE = "__Host-latentdb_session"
_FORM = re.compile(r"([0-9a-f]{12})\.([0-9]{1,12})\.([0-9a-f]{32})\.([0-9a-f]{64})")


@final
class Sessions:
    """Makes and reads the cookies of one server.

    Parameters
    ----------
    ring : KeyRing
    lifetime_s : float
        After it a log-in ends.
    """

    def __init__(self, ring: KeyRing, lifetime_s: float) -> None:
        self._ring = ring
        self._lifetime_s = lifetime_s

    def begin(self, key: Key) -> str:
        """The value of a cookie that stands for `key`."""
        expires = int(time.time() + self._lifetime_s)
        said = f"{key.id}.{expires}.{secrets.token_hex(16)}"
        return f"{said}.{self._signature(said, key)}"

    def holder(self, cookie: str) -> Key | None:
        """The key that a cookie stands for, or None; KeysUnreadableError as `KeyRing` does."""
        found = _FORM.fullmatch(cookie)
        if found is None or int(found[2]) <= time.time():
            return None
        key = self._ring.by_id(found[1])
        if key is None:
            return None
        signature = self._signature(cookie.rpartition(".")[0], key)
        return key if hmac.compare_digest(signature, found[4]) else None

    def _signature(self, said: str, key: Key) -> str:
        secret = bytes.fromhex(self._ring.current().session_secret)
        own = hmac.digest(secret, key.digest.encode(), hashlib.sha256)
        return hmac.new(own, said.encode(), hashlib.sha256).hexdigest()


def cookie_name(scheme: str) -> str:
    """Of the cookie, over http or https."""
    return SECURE_COOKIE if scheme == "https" else PLAIN_COOKIE


def set_cookie(value: str, scheme: str, *, max_age_s: int) -> str:
    """The Set-Cookie header; 0 seconds take the cookie away."""
    secure = "; Secure" if scheme == "https" else ""
    return (
        f"{cookie_name(scheme)}={value}; Path=/; Max-Age={max_age_s}; HttpOnly; "
        f"SameSite=Strict{secure}"
    )
