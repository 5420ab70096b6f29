"""Questions as they come in, and their answers."""

from __future__ import annotations

from typing import final

from api.http.work import Workbench
from latentdb.database import LatentDB
from latentdb.query import Query
from latentdb.types import Answer


@final
class SearchDesk:
    """Answers questions of many clients at once.

    Parameters
    ----------
    db : LatentDB
    work : Workbench
    """

    def __init__(self, db: LatentDB, work: Workbench) -> None:
        self._db = db
        self._work = work

    async def answer(self, query: Query) -> Answer:
        """The answer to one question; errors are those of `LatentDB.search`."""
        return await self._work.run(lambda: self._db.search(query))
