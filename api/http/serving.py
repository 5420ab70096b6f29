"""One server in several processes: how each is told what to serve, and what it may take."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from api.settings import ServerSettings

if TYPE_CHECKING:
    from fastapi import FastAPI

FACTORY = "api.http.serving:make_app"
# An answer that is under way may take so long after the server was told to end.
GRACE_S = 10

_SHARED_FOLDER = "PROMETHEUS_MULTIPROC_DIR"


def make_app() -> FastAPI:
    """The app of a worker process, which its environment describes."""
    from api.http.app import create_app
    from api.http.logs import configure_logs

    settings = ServerSettings()
    configure_logs(settings.log_format)
    return create_app(settings=settings)


def environment_of(settings: ServerSettings) -> dict[str, str]:
    """The variables of the environment from which `ServerSettings` reads the same again."""
    prefix = settings.model_config["env_prefix"]
    return {
        f"{prefix}{name}".upper(): ",".join(value) if isinstance(value, tuple) else str(value)
        for name, value in settings.model_dump().items()
        if value is not None
    }


def share_cores(workers: int) -> None:
    """Have the libraries that compute leave the other workers their share of the cores.

    Before any of them is loaded; what the environment says goes first.
    """
    # A thread that spins while it waits for work takes the core from what reads requests.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    if workers > 1:
        cores = len(os.sched_getaffinity(0))
        os.environ.setdefault("OMP_NUM_THREADS", str(max(1, cores // workers)))


@contextmanager
def shared_by_workers(settings: ServerSettings) -> Iterator[None]:
    """What worker processes are started with in their environment, for the length of the block."""
    with TemporaryDirectory(prefix="latentdb-figures-") as folder:
        given = {_SHARED_FOLDER: folder, **environment_of(settings)}
        before = {name: os.environ.get(name) for name in given}
        os.environ.update(given)
        try:
            yield
        finally:
            for name, value in before.items():
                if value is None:
                    del os.environ[name]
                else:
                    os.environ[name] = value
