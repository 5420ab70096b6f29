"""The file of API keys: what `latentdb keys` writes and a server reads.

A key is `ldb_<id>_<secret>`: 12 hex digits by which the file finds it, and 256 random bits. Only
the SHA-256 of the whole is kept. A slow hash such as scrypt makes guessing dear where people choose
the secret; of 2²⁵⁶ equally likely ones none can be guessed at any speed, and a slow one would be
paid for at every request. No salt either: no two keys are alike, and no table holds any of them.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, TypeAlias, final, get_args

from filelock import FileLock, Timeout

from latentdb.errors import LatentDBError

Scope: TypeAlias = Literal["read", "write", "admin"]
# Each includes those before it.
SCOPES: tuple[Scope, ...] = get_args(Scope)

FORMAT_VERSION = 1
MAX_NAME = 60
KEY_PATTERN = re.compile(r"ldb_([0-9a-f]{12})_[0-9a-f]{64}")
_LOCK_SECONDS = 10.0
_NAME = re.compile(rf"[A-Za-z0-9][A-Za-z0-9 ._@-]{{0,{MAX_NAME - 1}}}")


@final
class KeysError(LatentDBError, ValueError):
    """A file of keys cannot be used, or does not hold the key that is named."""


@final
@dataclass(frozen=True)
class Key:
    """One API key as the file holds it: nothing in it lets anybody in.

    Attributes
    ----------
    id : str
        12 hex digits, also the beginning of the key itself.
    name : str
        Who has it, as logs say.
    scope : "read", "write" or "admin"
    digest : str
        SHA-256 of the whole key, 64 hex digits.
    created_at, expires_at, revoked_at : str or None
        ISO 8601 in UTC.
    per_minute : int or None
        Requests a minute; None for as many as the server answers.
    """

    id: str
    name: str
    scope: Scope
    digest: str
    created_at: str
    expires_at: str | None = None
    revoked_at: str | None = None
    per_minute: int | None = None

    def is_valid(self) -> bool:
        """Whether it lets anybody in now."""
        return self.state(datetime.now(UTC)) == "valid"

    def state(self, now: datetime) -> Literal["valid", "expired", "revoked"]:
        """Whether it lets anybody in at `now`, and if not, why."""
        if self.revoked_at is not None:
            return "revoked"
        if self.expires_at is not None and datetime.fromisoformat(self.expires_at) <= now:
            return "expired"
        return "valid"


@final
@dataclass(frozen=True)
class KeySet:
    """What a file of keys holds.

    Attributes
    ----------
    keys : tuple of Key
    session_secret : str
        What log-ins of the page are signed with, 64 hex digits.
    """

    keys: tuple[Key, ...]
    session_secret: str


@final
class KeyFile:
    """Reads and changes a file of keys: whole, under a lock, and only where nobody else can write.

    Parameters
    ----------
    path : Path
        Made by the first `add`, readable and writable by its owner alone.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = FileLock(path.with_name(path.name + ".lock"), timeout=_LOCK_SECONDS)

    def read(self) -> KeySet:
        """What the file holds.

        Raises
        ------
        KeysError
            There is none, others may write it, or it cannot be understood.
        """
        try:
            with self.path.open("rb") as file:
                _require_private(self.path, os.fstat(file.fileno()))
                data = json.load(file)
        except FileNotFoundError as error:
            raise KeysError(
                f"there is no file of keys at {self.path}; make one with "
                f"`latentdb keys add NAME --scope read --keys {self.path}`"
            ) from error
        except (OSError, ValueError) as error:
            raise KeysError(f"the file of keys {self.path} cannot be read: {error}") from error
        return _understood(self.path, data)

    def add(
        self,
        name: str,
        scope: Scope,
        *,
        expires_at: datetime | None = None,
        per_minute: int | None = None,
    ) -> str:
        """A new key, which is kept nowhere: whoever is to have it is told now or never.

        Raises
        ------
        KeysError
            A valid key of that name is there, or the name is not one.
        """
        if not _NAME.fullmatch(name):
            raise KeysError(
                f"{name!r} is no name for a key: 1 to {MAX_NAME} letters, digits, spaces or ._@-"
            )
        with self._locked():
            there = self.read() if self.path.exists() else KeySet((), secrets.token_hex(32))
            now = datetime.now(UTC)
            if any(key.name == name and key.is_valid() for key in there.keys):
                raise KeysError(f"there is a key called {name!r}; revoke it, or choose a name")
            key_id = secrets.token_hex(6)
            whole = f"ldb_{key_id}_{secrets.token_hex(32)}"
            made = Key(
                id=key_id,
                name=name,
                scope=scope,
                digest=digest_of(whole),
                created_at=_written(now),
                expires_at=None if expires_at is None else _written(expires_at),
                per_minute=per_minute,
            )
            self._write(replace(there, keys=(*there.keys, made)))
        return whole

    def revoke(self, which: str) -> Key:
        """End a key, by its id or name; servers that read the file notice within a second.

        Raises
        ------
        KeysError
            No valid key is called so.
        """
        with self._locked():
            there = self.read()
            now = datetime.now(UTC)
            for at, key in enumerate(there.keys):
                if which in (key.id, key.name) and key.state(now) != "revoked":
                    ended = replace(key, revoked_at=_written(now))
                    self._write(
                        replace(there, keys=(*there.keys[:at], ended, *there.keys[at + 1 :]))
                    )
                    return ended
        raise KeysError(f"{self.path} holds no key {which!r} that is not revoked already")

    @contextmanager
    def _locked(self) -> Iterator[None]:
        if not self.path.parent.is_dir():
            raise KeysError(f"there is no folder {self.path.parent}; make it first")
        try:
            self._lock.acquire()
        except (Timeout, OSError) as error:
            raise KeysError(f"{self.path} cannot be changed now: {error}") from error
        try:
            yield
        finally:
            self._lock.release()

    def _write(self, keys: KeySet) -> None:
        """Replace the file as a whole: a reader sees the old one or the new one."""
        content = {
            "version": FORMAT_VERSION,
            "session_secret": keys.session_secret,
            "keys": [asdict(key) for key in keys.keys],
        }
        beside = self.path.with_name(self.path.name + ".new")
        beside.unlink(missing_ok=True)
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        if self.path.exists():
            _keep_readers(descriptor, self.path.stat())
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(content, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(self.path)


def digest_of(key: str) -> str:
    """SHA-256 of a whole key as hex digits."""
    return hashlib.sha256(key.encode()).hexdigest()


def _keep_readers(descriptor: int, before: os.stat_result) -> None:
    """Let who could read the old file read the new one: a service, by its group."""
    if os.name == "posix":
        os.fchmod(descriptor, before.st_mode & (stat.S_IRUSR | stat.S_IWUSR | stat.S_IRGRP))
        if os.geteuid() == 0:
            os.fchown(descriptor, before.st_uid, before.st_gid)


def _written(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds")


def _require_private(path: Path, status: os.stat_result) -> None:
    """KeysError where someone else could put a key of theirs into the file, or read it."""
    if os.name != "posix":
        return
    if status.st_mode & (stat.S_IWGRP | stat.S_IRWXO):
        raise KeysError(
            f"others may write or read {path} (mode {stat.S_IMODE(status.st_mode):o}): "
            f"chmod 600 {path}"
        )
    if status.st_uid not in (0, os.geteuid()):
        raise KeysError(f"{path} belongs to another user; it has to be this one's, or root's")
    folder = path.parent.stat().st_mode
    if folder & (stat.S_IWGRP | stat.S_IWOTH) and not folder & stat.S_ISVTX:
        raise KeysError(
            f"others may put another file in the place of {path}: chmod go-w {path.parent}"
        )


def _understood(path: Path, data: Any) -> KeySet:
    known = {field.name for field in fields(Key)}
    try:
        if data["version"] != FORMAT_VERSION:
            raise KeysError(f"{path} is of version {data['version']}, this latentdb reads 1")
        keys = tuple(Key(**{name: row[name] for name in known & set(row)}) for row in data["keys"])
        for key in keys:
            _require_sound(key)
        secret = data["session_secret"]
        bytes.fromhex(secret)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        if isinstance(error, KeysError):
            raise
        raise KeysError(f"{path} is not a file of keys: {error!r}") from error
    return KeySet(keys, secret)


def _require_sound(key: Key) -> None:
    """ValueError or TypeError unless the values of a key are what they should be."""
    if key.scope not in SCOPES:
        raise ValueError(f"scope {key.scope!r}")
    if not re.fullmatch(r"[0-9a-f]{12}", key.id) or not re.fullmatch(r"[0-9a-f]{64}", key.digest):
        raise ValueError(f"id or digest of {key.name!r}")
    if key.expires_at is not None and datetime.fromisoformat(key.expires_at).tzinfo is None:
        raise ValueError(f"expires_at of {key.name!r} has no time zone")
    if key.per_minute is not None and key.per_minute < 1:
        raise ValueError(f"per_minute of {key.name!r}")
