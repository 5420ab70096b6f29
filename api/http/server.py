"""What routes work with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, cast, final

from fastapi import Depends, Request

from api.http.cache import AnswerCache
from api.http.metrics import Metrics
from api.http.search_desk import SearchDesk
from api.http.warm import Warming
from api.http.work import Workbench
from api.jobs.book import JobBook
from api.jobs.caretaker import Caretaker
from api.jobs.keeper import Keeper
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
    cache : AnswerCache
        Answers given already.
    metrics : Metrics
        What is measured.
    warming : Warming
        Loads what the first questions need.
    jobs : JobBook
        What was promised to be done, and how it stands.
    keeper : Keeper
        Has it done, from when the app starts until it ends.
    """

    db: LatentDB
    settings: ServerSettings
    work: Workbench
    search: SearchDesk
    cache: AnswerCache
    metrics: Metrics
    warming: Warming
    jobs: JobBook
    keeper: Keeper

    @staticmethod
    def over(db: LatentDB, settings: ServerSettings) -> Server:
        """The parts of a server, put together."""
        work = Workbench(settings)
        jobs = JobBook(db.store.path, uri=db.uri)
        metrics = Metrics()
        share = settings.refresh_share
        caretaker = Caretaker(db, jobs, share=share, most=settings.max_jobs)
        kept_bytes = int(settings.cache_mib * 2**20)
        return Server(
            db,
            settings,
            work,
            search=SearchDesk(db, settings, metrics),
            cache=AnswerCache(db.store.location.state(), kept_bytes),
            metrics=metrics,
            warming=Warming(db),
            jobs=jobs,
            keeper=Keeper(jobs, device=settings.device, look=caretaker.look),
        )


async def server_of(request: Request) -> Server:
    """What serves a request; asynchronous, because FastAPI calls others in threads."""
    return cast("Server", request.app.state.server)


ServerOf = Annotated[Server, Depends(server_of)]
