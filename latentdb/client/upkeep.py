"""Upkeep of a database that a server has, as `db.upkeep`: jobs of the server."""

from __future__ import annotations

from datetime import timedelta
from typing import Final, Unpack, final

from latentdb.client.jobs import Jobs
from latentdb.client.questions import given
from latentdb.index.audit import AuditOptions, IndexAudit
from latentdb.store.compaction import Compaction
from latentdb.wire import decode
from latentdb.wire.fields import Fields

# Longer than any read takes, so that nobody who asks the server has to begin one again.
_WHILE_READ: Final = timedelta(minutes=1)


@final
class RemoteUpkeep:
    """What is done to a database beside asking it, with a key of scope admin.

    Parameters
    ----------
    jobs : Jobs
        Of the server.
    """

    def __init__(self, jobs: Jobs) -> None:
        self._jobs = jobs

    def compact(self, *, keep: timedelta = _WHILE_READ) -> Compaction:
        """Merge small pieces of the tables and drop versions older than `keep`."""
        hours = keep / timedelta(hours=1)
        return decode(Compaction, self._jobs.run("/v1/compaction", {"keep_hours": hours}))

    def audit(self, space: str | None = None, **options: Unpack[AuditOptions]) -> list[IndexAudit]:
        """What searches by every index, or those of `space`, find now of what they are to find.

        See `latentdb.index.audit`. Options: questions, target, seed.
        """
        told = self._jobs.run("/v1/audits", given({"space": space, **options}))
        audits = Fields({"audits": told}, "answer").each("audits")
        return [decode(IndexAudit, one.whole()) for one in audits]
