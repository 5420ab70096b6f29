"""The FastAPI app: routes, the page, the guard before both."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import cast

import anyio.to_thread
from fastapi import FastAPI
from starlette.responses import FileResponse
from starlette.staticfiles import StaticFiles

import latentdb
from api.http.access import Gate
from api.http.document import describe
from api.http.guard import Guard
from api.http.logs import RequestLog
from api.http.metrics import Measured
from api.http.problems import add_handlers
from api.http.routes import ROUTERS
from api.http.server import Server
from api.settings import ServerSettings
from latentdb.database import LatentDB

_PAGE = Path(__file__).parent.parent / "web"


def create_app(
    db: LatentDB | str | Path | None = None, *, settings: ServerSettings | None = None
) -> FastAPI:
    """The server's app over one database.

    Parameters
    ----------
    db : LatentDB, or its address
        Opened where an address is given, so that names of files come without their folders; that
        of the settings where not given.
    settings : ServerSettings
        Limits, keys, and under which names the server answers; from the environment where not
        given.

    Raises
    ------
    StoreNotFoundError, StoreFormatError
        The database cannot be opened.
    KeysError
        The file of keys cannot be used.
    """
    chosen = settings or ServerSettings()
    address = chosen.database if db is None else db
    opened = address if isinstance(address, LatentDB) else _opened(address, chosen.device)
    # Their pages load scripts from another host; the OpenAPI document itself is served.
    app = FastAPI(
        title="latentdb",
        version=latentdb.__version__,
        docs_url=None,
        redoc_url=None,
        lifespan=_lifespan,
    )
    app.state.gate = gate = Gate(chosen)
    app.state.server = Server.over(opened, chosen)
    add_handlers(app)
    for router in ROUTERS:
        app.include_router(router)
    describe(app, ROUTERS)
    app.add_api_route("/", _page, methods=["GET"], include_in_schema=False)
    app.mount("/web", StaticFiles(directory=_PAGE), name="web")
    app.add_middleware(Guard, settings=chosen, gate=gate)
    app.add_middleware(RequestLog)
    app.add_middleware(Measured, metrics=app.state.server.metrics)
    return app


def _opened(address: str | Path, device: str) -> LatentDB:
    """A database for strangers, who see no folder of this machine."""
    db = latentdb.open(address, device=device)
    db.store.hide_paths()
    return db


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    """What runs beside the requests, for as long as the app does."""
    server = cast("Server", app.state.server)
    server.warming.start()
    if server.settings.runs_jobs:
        server.keeper.start()
    try:
        yield
    finally:
        await anyio.to_thread.run_sync(server.keeper.stop)


async def _page() -> FileResponse:
    return FileResponse(_PAGE / "index.html", headers={"cache-control": "no-cache"})
