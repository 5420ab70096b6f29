"""Upkeep as jobs: compaction."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, ClassVar, final

from pydantic import Field

from api.jobs.kind import AbstractKind
from api.jobs.reporter import Reporter
from latentdb.database import LatentDB

# Longer than any read takes: nobody has to begin one again.
_KEEP_HOURS = 1 / 60


@final
class CompactJob(AbstractKind):
    """Merge small pieces of the tables and drop their old versions; snapshots stay whole."""

    name: ClassVar[str] = "compact"

    keep_hours: Annotated[float, Field(ge=0, le=8760, allow_inf_nan=False)] = Field(
        default=_KEEP_HOURS, description="Versions younger than this stay."
    )

    def check(self, db: LatentDB) -> None:
        """Raise where nothing may be changed."""
        db.store.location.require_writable()

    def run(self, db: LatentDB, reporter: Reporter) -> Any:
        """Do it; what it did."""
        reporter.message("compacting")
        return db.upkeep.compact(keep=timedelta(hours=self.keep_hours)).to_json()
