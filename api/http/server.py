"""What routes work with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, cast, final

from fastapi import Depends, Request

from api.http.search_desk import SearchDesk
from api.http.work import Workbench
from api.settings import ServerSettings
from latentdb.database import LatentDB


@final
@dataclass(frozen=True)
class Server:
    """One database, served.

    Attributes
    ----------
    db : LatentDB
    settings : ServerSettings
    work : Workbench
        Runs what is not for the event loop.
    search : SearchDesk
        Answers questions.
    """

    db: LatentDB
    settings: ServerSettings
    work: Workbench
    search: SearchDesk

    @staticmethod
    def over(db: LatentDB, settings: ServerSettings) -> Server:
        """The parts of a server, put together."""
        work = Workbench(settings)
        return Server(db, settings, work, SearchDesk(db, work))


def _server_of(request: Request) -> Server:
    return cast("Server", request.app.state.server)


ServerOf = Annotated[Server, Depends(_server_of)]
