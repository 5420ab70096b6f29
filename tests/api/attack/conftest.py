"""A server with keys, in this process and on a socket, and raw connections to it."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator

import pytest
from attack_server import listening
from fastapi import FastAPI
from fastapi.testclient import TestClient

from api.http.app import create_app
from api.http.keys import SCOPES, KeyFile
from api.settings import ServerSettings
from latentdb.database import LatentDB


@pytest.fixture(scope="session")
def key_file(tmp_path_factory: pytest.TempPathFactory) -> KeyFile:
    return KeyFile(tmp_path_factory.mktemp("keys") / "keys.json")


@pytest.fixture(scope="session")
def keys(key_file: KeyFile) -> dict[str, str]:
    """A key of each scope."""
    return {scope: key_file.add(f"{scope}er", scope) for scope in SCOPES}


@pytest.fixture(scope="session")
def guarded_app(db: LatentDB, key_file: KeyFile, keys: dict[str, str]) -> FastAPI:
    return create_app(
        db, settings=ServerSettings(keys=key_file.path, runs_jobs=False, max_failures=100_000)
    )


@pytest.fixture(scope="session")
def guarded(guarded_app: FastAPI) -> Iterator[TestClient]:
    """A client without a key of a server with keys."""
    with TestClient(guarded_app, base_url="http://localhost") as client:
        yield client


@pytest.fixture
def headers(keys: dict[str, str]) -> Callable[[str], dict[str, str]]:
    """The header that shows the key of a scope."""
    return lambda scope: {"authorization": f"Bearer {keys[scope]}"}


@pytest.fixture(scope="session")
def live_port(db: LatentDB) -> Iterator[int]:
    """A server on a socket that loses patience soon."""
    settings = ServerSettings(
        header_timeout_s=0.6,
        body_timeout_s=0.6,
        max_connections=40,
        max_head_kib=16,
        max_body_mib=1,
        runs_jobs=False,
    )
    with listening(create_app(db, settings=settings), settings) as port:
        yield port


@pytest.fixture
def connect(live_port: int) -> Iterator[Callable[[], socket.socket]]:
    """Opens raw connections to that server."""
    opened: list[socket.socket] = []

    def one() -> socket.socket:
        made = socket.create_connection(("127.0.0.1", live_port), timeout=10)
        opened.append(made)
        return made

    yield one
    for made in opened:
        made.close()
