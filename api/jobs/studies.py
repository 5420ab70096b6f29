"""Studies of what is stored: energies, projections, reports."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Annotated, Any, ClassVar, Final, Literal, final, get_args

from pydantic import Field

from api.jobs.kind import AbstractKind, Seed, SpaceName, require_spaces
from api.jobs.reporter import Reporter
from latentdb.database import LatentDB
from latentdb.errors import NotEnoughDataError
from latentdb.report.options import ReportOptions, SectionName

REPORTS: Final = "reports"
_ALL: Final[tuple[SectionName, ...]] = get_args(SectionName)


@final
class EnergyJob(AbstractKind):
    """Measure how untypical every row of a space is among the others, and keep it."""

    name: ClassVar[str] = "energy"

    space: SpaceName
    schedule: Literal["exploding", "flow"] | None = None
    tolerance: Annotated[float, Field(gt=0, le=100, allow_inf_nan=False)] = 1e-3
    again: bool = Field(default=False, description="Measure although what is kept would do.")

    def check(self, db: LatentDB) -> None:
        """Raise where there are not two rows."""
        require_spaces(db, self.space)
        if len(db.store.vector_ids(self.space)) < 2:
            raise NotEnoughDataError(f"space {self.space!r} holds fewer than two vectors")

    def run(self, db: LatentDB, reporter: Reporter) -> Any:
        """Measure; the facts of the energies."""
        reporter.total(len(db.store.vector_ids(self.space)))
        reporter.message(f"energies of {self.space}")
        return db.energy(
            self.space,
            schedule=self.schedule,
            tolerance=self.tolerance,
            again=self.again,
            progress=lambda more: reporter.advance(files=more),
        ).to_json()


@final
class ProjectionJob(AbstractKind):
    """Lay the rows of a space out in a plane, and keep that."""

    name: ClassVar[str] = "projection"

    space: SpaceName
    method: Literal["pca", "umap"] = "umap"
    seed: Seed = 0
    again: bool = Field(default=False, description="Make it although what is kept would do.")

    def check(self, db: LatentDB) -> None:
        """Raise where there are not two rows."""
        require_spaces(db, self.space)
        if len(db.store.vector_ids(self.space)) < 2:
            raise NotEnoughDataError(f"space {self.space!r} holds fewer than two vectors")

    def run(self, db: LatentDB, reporter: Reporter) -> Any:
        """Make it; its facts."""
        return db.project(
            self.space,
            method=self.method,
            seed=self.seed,
            again=self.again,
            progress=reporter.at,
        ).to_json()


@final
class ReportJob(AbstractKind):
    """The UNE study of every space, as a page and as numbers."""

    name: ClassVar[str] = "report"

    sections: Annotated[tuple[SectionName, ...], Field(min_length=1, max_length=10)] | None = None
    seed: Seed = 0
    limit: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    quick: bool = False

    def check(self, db: LatentDB) -> None:
        """Raise where there is nothing to study."""
        if not len(db):
            raise NotEnoughDataError("the database is empty, so there is nothing to report on")

    def run(self, db: LatentDB, reporter: Reporter) -> Any:
        """Write it below the database, whole or not at all; where it is."""
        out = db.store.path / REPORTS / reporter.job_id
        building = out.with_name(f".{out.name}.new")
        done = 0

        def on_section(name: SectionName) -> None:
            nonlocal done
            reporter.at(done, len(self.sections or _ALL), name.replace("_", " "))
            done += 1

        if building.exists():  # of a runner that was killed
            shutil.rmtree(building)
        options: ReportOptions = {"seed": self.seed, "quick": self.quick, "on_section": on_section}
        if self.sections is not None:
            options["sections"] = self.sections
        if self.limit is not None:
            options["limit"] = self.limit
        if not out.exists():
            building.mkdir(parents=True)
            db.report(building, **options)
            building.replace(out)
        return {"id": reporter.job_id, "files": file_names(out)}

    def on_cancelled(self, db: LatentDB, job_id: str) -> None:
        """Take away what was begun."""
        shutil.rmtree(db.store.path / REPORTS / f".{job_id}.new", ignore_errors=True)


def file_names(report: Path) -> list[str]:
    """Files of a finished report."""
    return sorted(path.name for path in report.iterdir())
