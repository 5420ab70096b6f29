"""A real server in a thread of the tests' process."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

import uvicorn
from fastapi import FastAPI

from api.http.protocol import uvicorn_options
from api.settings import ServerSettings


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
