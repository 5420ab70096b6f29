"""A server with keys, in this process and on a socket, and raw connections to it."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import pytest
import uvicorn
from fastapi import FastAPI
from fastapi.testclient import TestClient

from api.http.app import create_app
from api.http.keys import SCOPES, KeyFile
from api.http.protocol import uvicorn_options
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


@contextmanager
def listening(app: FastAPI, settings: ServerSettings) -> Iterator[int]:
    """The port of a real server over `app`."""
    config = uvicorn.Config(app, host="127.0.0.1", port=0, **uvicorn_options(settings))
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + 20
    while not server.started:
        assert time.monotonic() < deadline, "the server did not start"
        time.sleep(0.02)
    yield cast("int", server.servers[0].sockets[0].getsockname()[1])
    server.should_exit = True
    thread.join(20)
    assert not thread.is_alive()


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


def state_of(db: LatentDB) -> dict[str, Any]:
    """What an attack must leave as it was."""
    root = Path(db.uri)
    return {
        "ids": db.store.item_ids().tolist(),
        "files": sorted(
            (str(path.relative_to(root)), path.stat().st_size)
            for path in root.rglob("*")
            if path.is_file() and path.suffix != ".lock"
        ),
    }
