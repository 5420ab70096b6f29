"""What every kind of job has: arguments that are looked at before it is accepted, and its work."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field

from api.jobs.reporter import Reporter
from latentdb.database import LatentDB

SpaceName = Annotated[str, Field(min_length=1, max_length=63)]
ColumnName = Annotated[str, Field(min_length=1, max_length=63)]
Text = Annotated[str, Field(min_length=1, max_length=2000)]
# As a number or a string: many clients lack 63-bit integers.
ItemId = Annotated[int, Field(ge=0, lt=2**63)]
Seed = Annotated[int, Field(ge=0, lt=2**32)]


class AbstractKind(BaseModel, ABC):
    """Arguments of one kind of job, with what is done with them.

    A job may be done several times over, whole or in part: whoever did it before was killed.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: ClassVar[str]

    @abstractmethod
    def check(self, db: LatentDB) -> None:
        """Raise what would certainly go wrong later, such as an unknown space."""

    @abstractmethod
    def run(self, db: LatentDB, reporter: Reporter) -> Any:
        """Do it; the result, as JSON values."""

    def on_cancelled(self, db: LatentDB, job_id: str) -> None:
        """Take away what a cancelled job leaves behind."""


def require_spaces(db: LatentDB, *names: str) -> None:
    """Raise UnknownSpaceError of names that the database has no space of."""
    for name in names:
        db.store.space(name)
