"""Audits as jobs: what searches find of what they are to find."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, final

from pydantic import Field

from api.jobs.kind import AbstractKind, Seed, SpaceName, require_spaces
from api.jobs.reporter import Reporter
from latentdb.database import LatentDB
from latentdb.index.audit import AUDIT_QUESTIONS


@final
class AuditJob(AbstractKind):
    """Compare what searches find with all rows, by kind of question."""

    name: ClassVar[str] = "audit"

    space: SpaceName | None = Field(default=None, description="Whose indexes; all where not given.")
    questions: Annotated[int, Field(ge=1, le=10_000)] = Field(
        default=AUDIT_QUESTIONS, description="How many of each kind."
    )
    target: Annotated[float, Field(ge=0, le=1)] | None = Field(
        default=None,
        description="Recall@10 that every kind is to reach; what the index was tuned for, and 1 of "
        "exact search, where not given.",
    )
    seed: Seed = 1

    def check(self, db: LatentDB) -> None:
        """Raise where there is no such space."""
        if self.space is not None:
            require_spaces(db, self.space)

    def run(self, db: LatentDB, reporter: Reporter) -> Any:
        """Do it; what was found of every index."""
        reporter.message("asking questions of every kind")
        found = db.upkeep.audit(
            self.space, questions=self.questions, target=self.target, seed=self.seed
        )
        return [one.to_json() for one in found]
