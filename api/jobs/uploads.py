"""Uploaded pictures on their way into the spaces."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Annotated, Any, ClassVar, Final, final

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, TypeAdapter

from api.jobs.kind import AbstractKind, SpaceName, require_spaces
from api.jobs.reporter import Reporter
from api.jobs.tray import LABELS, tidy
from latentdb.database import LatentDB
from latentdb.errors import LabelsError, QueryError, SpaceSpecError
from latentdb.ingest import IngestOptions
from latentdb.ingest.label_columns import LabelColumns
from latentdb.ingest.labels import LabelTable
from latentdb.store.names import UPLOADS
from latentdb.types import IngestSummary, LabelValue

# Fewer are decoded by the runner itself, sooner than a process would have started.
_FEW: Final = 32
# The server that took them has judged their size, by a limit of its own.
_ANY_SIZE: Final = 10_000.0


def _not_whole(value: object) -> object:
    """Keeps an integer that is too large from becoming a float."""
    if isinstance(value, int):
        raise ValueError("a whole number has at most 63 bits")
    return value


_Whole = Annotated[int, Field(ge=-(2**63), lt=2**63)]
_Number = Annotated[float, BeforeValidator(_not_whole), Field(allow_inf_nan=False)]
_Words = Annotated[str, StringConstraints(max_length=4000)]
Label = bool | _Whole | _Number | _Words | None
Labels = Annotated[dict[str, Label], Field(max_length=64)]
LABELS_BY_FILE: Final = TypeAdapter(Annotated[dict[str, Labels], Field(max_length=10_000)])


class _Row(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


@final
class UploadedItem(_Row):
    """A picture that was taken."""

    name: str
    id: int
    image: str
    file: str


@final
class RefusedItem(_Row):
    """A picture that cannot be used, and why."""

    name: str
    reason: str
    message: str


@final
class UploadJob(AbstractKind):
    """Give uploaded pictures their vectors; made by `POST /v1/items`."""

    name: ClassVar[str] = "ingest"

    spaces: Annotated[tuple[SpaceName, ...], Field(max_length=64)] | None = None
    items: tuple[UploadedItem, ...] = ()
    quarantined: tuple[RefusedItem, ...] = ()

    def check(self, db: LatentDB) -> None:
        """Raise where there is no model to make vectors."""
        require_fillable(db, self.spaces)

    def run(self, db: LatentDB, reporter: Reporter) -> Any:
        """Ingest them; the summary of `latentdb.ingest`, with what was refused before."""
        folder = db.store.path / UPLOADS / reporter.job_id
        summary = IngestSummary(spaces=list(self.spaces or ()))
        if self.items and folder.is_dir():
            labels = folder / LABELS
            options = IngestOptions(
                workers=0 if len(self.items) <= _FEW else None,
                source_prefix=f"{UPLOADS}/{reporter.job_id}",
                labels=labels if labels.exists() else None,
                max_megapixels=_ANY_SIZE,
            )
            summary = db.ingest(folder, spaces=self.spaces, options=options, progress=reporter)
        tidy(db, reporter.job_id, self._ids(), is_given_up=False)
        summary.seen += len(self.quarantined)
        summary.quarantined += len(self.quarantined)
        for one in self.quarantined:
            summary.reasons[one.reason] = summary.reasons.get(one.reason, 0) + 1
        return asdict(summary)

    def on_cancelled(self, db: LatentDB, job_id: str) -> None:
        """Take away the pictures that became no items."""
        tidy(db, job_id, self._ids(), is_given_up=True)

    def _ids(self) -> dict[str, int]:
        return {one.file: one.id for one in self.items}


def require_fillable(db: LatentDB, spaces: tuple[str, ...] | None) -> None:
    """Raise unless there are spaces that models make vectors of, and those named are such.

    Raises
    ------
    UnknownSpaceError, SpaceSpecError, QueryError
    """
    require_spaces(db, *(spaces or ()))
    there = db.spaces()
    without = [name for name in spaces or () if not there[name].has_model]
    if without:
        raise SpaceSpecError(f"no model makes vectors of {', '.join(without)}: leave it out")
    if not any(space.has_model for space in there.values()):
        raise QueryError("the database has no space with a model, so pictures get no vectors")


def require_labels(db: LatentDB, labels: Mapping[str, Mapping[str, LabelValue]]) -> None:
    """Raise unless labels, by file, are such as the database can store.

    Raises
    ------
    LabelsError
        A name or a type does not go with the columns there are, or a column has two types.
    """
    types: dict[str, type] = {}
    for values in labels.values():
        for name, value in values.items():
            if value is not None:
                types[name] = _joined(name, types.get(name, type(value)), type(value))
    if "path" in types:
        raise LabelsError("a label cannot be named 'path'")
    columns = LabelColumns(db.store, tell=lambda _: None)
    columns.require(LabelTable("the labels", types, labels))


def _joined(name: str, before: type, kind: type) -> type:
    if {before, kind} == {int, float}:
        return float
    if before is not kind:
        raise LabelsError(f"label {name!r} is {before.__name__} here and {kind.__name__} there")
    return kind
