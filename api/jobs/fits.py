"""What is fitted on stored vectors: indexes, maps, shared spaces, directions."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal, final

from pydantic import Field, StringConstraints

from api.jobs.kind import AbstractKind, ColumnName, ItemId, Seed, SpaceName, Text, require_spaces
from api.jobs.reporter import Reporter
from indexers.errors import DuplicateIdError, MetricError
from indexers.types import IndexKind, MetricName, PriorName
from latentdb.database import LatentDB
from latentdb.directions.cost import Orthogonality
from latentdb.directions.fit import DirectionMethod
from latentdb.directions.pair import PairMethod
from latentdb.directions.recipe import CarriedAs, Recipe
from latentdb.errors import (
    LabelsError,
    NotEnoughDataError,
    QueryError,
    SpaceExistsError,
    UnknownDirectionError,
)
from latentdb.stitch.fit import MapMethod

# It is part of a file's name.
DirectionName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_. -]{0,62}$")]
NewSpaceName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")]
Ids = Annotated[tuple[ItemId, ...], Field(max_length=1000)]


@final
class IndexJob(AbstractKind):
    """Build the index of a space under a metric, build it anew, or bring it up to its table."""

    name: ClassVar[str] = "index"

    space: SpaceName
    metric: MetricName = "cosine"
    prior: PriorName | None = Field(default=None, description="Of nao alone; chi where not given.")
    kind: Literal[IndexKind, "auto"] | None = Field(
        default=None,
        description="flat where not given; auto chooses by what there is to index, and says why.",
    )
    target_recall: float | None = Field(
        default=None,
        gt=0.0,
        le=1.0,
        description="What every kind of question is to find, .95 where not given.",
    )
    memory: int | None = Field(default=None, ge=1, description="Bytes that it may take.")
    refresh: bool = Field(
        default=False, description="Bring the index there is up to its table; without a kind."
    )

    def check(self, db: LatentDB) -> None:
        """Raise where there is nothing to index, or a prior that the metric has no use for."""
        require_spaces(db, self.space)
        building = (self.kind, self.target_recall, self.memory)
        if self.refresh and any(one is not None for one in building):
            raise QueryError(
                "an index that is refreshed stays what it is: leave out kind, target_recall, memory"
            )
        if self.prior is not None and self.metric != "nao":
            raise MetricError(
                f"a prior belongs to the nao metric, got prior {self.prior!r} with "
                f"{self.metric!r}: leave it out, or ask for nao"
            )
        if not len(db.store.vector_ids(self.space)):
            raise NotEnoughDataError(f"space {self.space!r} holds no vectors yet")

    def run(self, db: LatentDB, reporter: Reporter) -> Any:
        """Build or refresh it; the facts of the index."""

        def tell(done: int, total: int, doing: str) -> None:
            reporter.at(done, total, doing) if total else reporter.message(doing)

        if self.refresh:
            reporter.message(f"refreshing the index of {self.space}")
            return db.upkeep.refresh_index(
                self.space, metric=self.metric, prior=self.prior, progress=tell
            ).to_json()
        reporter.message(f"building the index of {self.space}")
        return db.build_index(
            self.space,
            metric=self.metric,
            prior=self.prior,
            kind=self.kind or "flat",
            target_recall=self.target_recall,
            memory=self.memory,
            progress=tell,
        ).to_json()


@final
class MapJob(AbstractKind):
    """Fit the map from one space to another, with held-out scores."""

    name: ClassVar[str] = "map"

    source: SpaceName
    target: SpaceName
    method: MapMethod = "ridge"
    seed: Seed = 0
    update: bool = Field(default=False, description="Read only rows that came since.")
    force: bool = Field(default=False, description="Keep it though it does not beat its null.")

    def check(self, db: LatentDB) -> None:
        """Raise where it would not lead from one space to another."""
        require_spaces(db, self.source, self.target)
        if self.source == self.target:
            raise QueryError(f"a map leads from one space to another; got {self.source!r} twice")

    def run(self, db: LatentDB, reporter: Reporter) -> Any:
        """Fit it; the facts of the map."""
        reporter.message(f"fitting {self.source} → {self.target}")
        return db.stitch(
            self.source,
            self.target,
            method=self.method,
            seed=self.seed,
            update=self.update,
            force=self.force,
        ).to_json()


@final
class SharedJob(AbstractKind):
    """Add the space that several spaces share."""

    name: ClassVar[str] = "shared-space"

    members: Annotated[tuple[SpaceName, ...], Field(min_length=2, max_length=16)]
    shared: NewSpaceName = Field(default="shared", alias="name", description="What it is called.")
    dim: Annotated[int, Field(ge=1, le=65_536)] | None = None
    seed: Seed = 0
    force: bool = Field(default=False, description="Keep it though a member shares nothing.")

    def check(self, db: LatentDB) -> None:
        """Raise where the members are not several spaces, or the name is taken."""
        require_spaces(db, *self.members)
        if len(set(self.members)) < len(self.members):
            raise DuplicateIdError(f"a space is given twice: {', '.join(self.members)}")
        if self.shared in db.spaces():
            raise SpaceExistsError(f"there is a space {self.shared!r} already: choose another name")

    def run(self, db: LatentDB, reporter: Reporter) -> Any:
        """Fit it, and give every item its vector in it; the facts of the space."""
        reporter.message(f"fitting what {', '.join(self.members)} share")
        begun = db.spaces().get(self.shared)
        fingerprints = [db.store.space(member).fingerprint for member in self.members]
        # Only what this very job has made before its runner was killed.
        if begun is not None and begun.settings.get("members") == ",".join(fingerprints):
            db.store.drop_space(self.shared)
        made = db.share(
            self.members, name=self.shared, dim=self.dim, seed=self.seed, force=self.force
        )
        return made.to_json()


@final
class DirectionJob(AbstractKind):
    """Make a direction of a space: of exactly one of label, like, pair, text and carry_from."""

    name: ClassVar[str] = "direction"

    direction: DirectionName = Field(alias="name", description="What it is called.")
    space: SpaceName
    label: ColumnName | None = None
    like: Ids = ()
    unlike: Ids = ()
    pair: tuple[ItemId, ItemId] | None = Field(default=None, description="From the first on.")
    text: tuple[Text, Text] | None = Field(
        default=None, description="What it leads to, and what it leads away from."
    )
    carry_from: SpaceName | None = None
    method: DirectionMethod | None = None
    pair_method: PairMethod | None = None
    carry_as: CarriedAs | None = None
    orthogonal_to: Annotated[tuple[DirectionName, ...], Field(max_length=32)] = ()
    orthogonality: Orthogonality | None = None
    score_label: ColumnName | None = None
    seed: Seed = 0

    def recipe(self) -> Recipe:
        """The same as the library says it; QueryError where it contradicts itself."""
        parts = self.model_dump(exclude={"direction", "space"})
        return Recipe(**parts)

    def check(self, db: LatentDB) -> None:
        """Raise where the recipe contradicts itself, or names what is not there."""
        recipe = self.recipe()
        require_spaces(db, self.space)
        columns = db.label_columns()
        for column in filter(None, (recipe.label, recipe.score_label)):
            if column not in columns:
                names = ", ".join(sorted(columns)) or "none yet"
                raise LabelsError(f"no label {column!r} in this database; there are: {names}")
        db.items([*recipe.like, *recipe.unlike, *(recipe.pair or ())])
        for other in recipe.orthogonal_to:
            db.direction(other, self.space)
        if recipe.carry_from is not None:
            require_spaces(db, recipe.carry_from)
            if not db.has_direction(self.direction, recipe.carry_from):
                raise UnknownDirectionError(
                    f"there is no direction {self.direction!r} in space {recipe.carry_from!r} to "
                    "carry over"
                )

    def run(self, db: LatentDB, reporter: Reporter) -> Any:
        """Make it; the facts of the direction."""
        reporter.message(f"making {self.direction} of {self.space}")
        parts = self.model_dump(exclude={"direction", "space"})
        return db.fit_direction(self.direction, space=self.space, **parts).to_json()
