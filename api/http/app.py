"""The FastAPI app: routes, the page, the guard before both."""

from __future__ import annotations

from pathlib import Path

from fastapi import FastAPI
from starlette.responses import FileResponse
from starlette.staticfiles import StaticFiles

import latentdb
from api.http.guard import Guard, Limits
from api.http.problems import add_handlers
from api.http.routes import Routes
from latentdb.database import LatentDB

_PAGE = Path(__file__).parent.parent / "web"


def create_app(db: LatentDB | str | Path, *, limits: Limits | None = None) -> FastAPI:
    """The server's app over one database.

    It knows no keys yet, so it is to be bound to loopback; `latentdb serve` binds nowhere else.

    Parameters
    ----------
    db : LatentDB, or its address
        Opened where an address is given.
    limits : Limits
        How much one request may ask, and under which names the server answers.

    Raises
    ------
    StoreNotFoundError, StoreFormatError
        The database cannot be opened.
    """
    opened = db if isinstance(db, LatentDB) else latentdb.open(db)
    chosen = limits or Limits()
    # Their pages load scripts from another host; the OpenAPI document itself is served.
    app = FastAPI(title="latentdb", version=latentdb.__version__, docs_url=None, redoc_url=None)
    add_handlers(app)
    app.include_router(Routes(opened, chosen).router())
    app.add_api_route("/", _page, methods=["GET"], include_in_schema=False)
    app.mount("/web", StaticFiles(directory=_PAGE), name="web")
    app.add_middleware(Guard, limits=chosen)
    return app


async def _page() -> FileResponse:
    return FileResponse(_PAGE / "index.html", headers={"cache-control": "no-cache"})
