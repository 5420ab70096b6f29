"""Database: what can be asked of one, whether its files are here or a server has them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeAlias, TypedDict, Unpack

if TYPE_CHECKING:
    from PIL import Image

    from indexers.types import MetricName, PriorName
    from latentdb.directions.direction import Direction
    from latentdb.directions.facts import DirectionFacts
    from latentdb.directions.recipe import RecipeParts
    from latentdb.edit import Edited, EditOptions
    from latentdb.energy.facts import EnergyFacts
    from latentdb.energy.kept import SpaceEnergy
    from latentdb.energy.run import EnergyOptions
    from latentdb.imagine import Imagined, ImagineOptions
    from latentdb.index import IndexInfo
    from latentdb.index.request import WantedKind
    from latentdb.intake import IntakeOptions
    from latentdb.listing import ItemPage
    from latentdb.model import Vectors
    from latentdb.paths import Centroid, CentroidOptions, Interpolation, InterpolationOptions
    from latentdb.progress import Progress
    from latentdb.projection import PointValues, Projection2D, ProjectOptions
    from latentdb.query import Query, QueryParts
    from latentdb.report.facts import ReportFacts
    from latentdb.report.options import ReportOptions
    from latentdb.report.report import Report
    from latentdb.shared_facts import SharedFacts
    from latentdb.shared_space import SharedSpace
    from latentdb.shared_space_fit import ShareOptions
    from latentdb.space import Space
    from latentdb.stitch.linear_map import LinearMap
    from latentdb.stitch.map_facts import MapFacts
    from latentdb.stitch.options import StitchOptions
    from latentdb.types import Answer, EngineName, IngestSummary, Item, QuarantineRow

    # What was fitted, or of a server's all that is known of it but its arrays.
    SomeMap: TypeAlias = LinearMap | MapFacts
    SomeDirection: TypeAlias = Direction | DirectionFacts
    SomeEnergy: TypeAlias = SpaceEnergy | EnergyFacts
    SomeShared: TypeAlias = SharedSpace | SharedFacts
    SomeReport: TypeAlias = Report | ReportFacts


class IndexOptions(TypedDict, total=False):
    """What an index is built with.

    "cosine" where no metric is named. A prior is for `nao` alone, "chi" where not given. `kind`
    names a structure, "flat" where not given, is one with its arguments, as `HnswConfig(m=32)`, or
    "auto", which chooses. Approximate search is tuned until every kind of question finds
    `target_recall` of its true 10 nearest, .95 where not given; one given with its arguments is
    tuned where a target is given with it. `memory` is how many bytes the index may take, for "auto"
    what is free where not given. `shards` are the parts that it is built in and searched by, one
    piece where not given; `engine` "ray" has them built by the workers of a cluster.
    `progress` is told what is being done.
    """

    metric: MetricName
    prior: PriorName | None
    kind: WantedKind
    target_recall: float | None
    memory: int | None
    shards: int | None
    engine: EngineName
    address: str | None
    progress: Progress


class RankOptions(TypedDict, total=False):
    """Which items are ranked, how many are told (10), and whether the most come first (true)."""

    where: str | None
    k: int
    descending: bool


class Database(Protocol):
    """A database of pictures: `LatentDB` over its files, or `RemoteDB` over a server.

    Both have these methods and raise the same errors; `LatentDB` says what each takes.
    """

    @property
    def uri(self) -> str:
        """Where it is: a folder, or the address of its server."""

    def __len__(self) -> int:
        """Number of items."""

    # Items and spaces

    def spaces(self) -> dict[str, Space]:
        """Spaces by name, as added."""

    def vector_counts(self) -> dict[str, int]:
        """How many items have a vector in each space."""

    def ingest(self, source: str | Path, **options: Unpack[IntakeOptions]) -> IngestSummary:
        """Put the pictures of `source` into the database."""

    def quarantine(self) -> list[QuarantineRow]:
        """Files that could not be used."""

    def items(self, ids: Sequence[int]) -> list[Item]:
        """Stored pictures in the order asked."""

    def list_items(
        self, *, where: str | None = None, limit: int = 100, after: int | None = None
    ) -> ItemPage:
        """One page of the items, by id."""

    def label_columns(self) -> dict[str, type]:
        """Labels of the items, each with bool, int, float or str."""

    def delete(self, ids: Sequence[int]) -> int:
        """Delete items; how many there were."""

    def thumbnail(self, item_id: int) -> bytes:
        """PNG or JPEG of at most 256 pixels a side."""

    def picture(self, item_id: int) -> Image.Image:
        """The picture as RGB."""

    # Search

    def build_index(self, space: str, **options: Unpack[IndexOptions]) -> IndexInfo:
        """Build the index of a space."""

    def indexes(self) -> list[IndexInfo]:
        """Indexes there are."""

    def search(self, query: Query | None = None, /, **parts: Unpack[QueryParts]) -> Answer:
        """The items nearest to a question."""

    def search_many(self, queries: Sequence[Query]) -> list[Answer]:
        """Answers to many questions."""

    def rank(
        self, direction: str, *, space: str | None = None, **options: Unpack[RankOptions]
    ) -> Answer:
        """Items by their distance along a direction."""

    def rank_by_energy(self, space: str, **options: Unpack[RankOptions]) -> Answer:
        """Items from the least typical to the most."""

    def energy(self, space: str, **options: Unpack[EnergyOptions]) -> SomeEnergy:
        """Marginal energy of every row of a space, measured where it is not kept."""

    # Between and beyond items

    def interpolate(
        self, start_id: int, end_id: int, **options: Unpack[InterpolationOptions]
    ) -> Interpolation:
        """Points on a curve between two items."""

    def centroid(
        self, ids: Sequence[int] | None = None, **options: Unpack[CentroidOptions]
    ) -> Centroid:
        """The middle of several items and what is near it."""

    def decode(self, vectors: Vectors, *, space: str | None = None) -> list[Image.Image]:
        """Pictures that the model of a noise space makes of vectors."""

    def imagine(self, **options: Unpack[ImagineOptions]) -> Imagined:
        """New pictures of what a question says."""

    def edit(
        self,
        item_id: int | None = None,
        directions: Mapping[str, float] | None = None,
        **options: Unpack[EditOptions],
    ) -> Edited:
        """A stored item, or a picture, changed along directions."""

    # Maps, directions, studies

    def stitch(self, source: str, target: str, **options: Unpack[StitchOptions]) -> SomeMap:
        """Fit the map from one space to another."""

    def share(self, members: Sequence[str], **options: Unpack[ShareOptions]) -> SomeShared:
        """Add the space that several share."""

    def maps(self) -> Sequence[SomeMap]:
        """All fitted maps."""

    def map(self, source: str, target: str) -> SomeMap:
        """The map from one space to another."""

    def fit_direction(
        self, name: str, *, space: str, **parts: Unpack[RecipeParts]
    ) -> SomeDirection:
        """Make a direction of a space."""

    def directions(self) -> Sequence[SomeDirection]:
        """All fitted directions."""

    def has_direction(self, name: str, space: str) -> bool:
        """Whether a direction of that name was fitted in that space."""

    def direction(self, name: str, space: str | None = None) -> SomeDirection:
        """The direction of a name."""

    def project(self, space: str, **options: Unpack[ProjectOptions]) -> Projection2D:
        """The items of a space as points of a plane."""

    def point_values(self, space: str, by: str, *, ids: Sequence[int] | None = None) -> PointValues:
        """A value per item to colour points by."""

    def report(self, out: str | Path, **options: Unpack[ReportOptions]) -> SomeReport:
        """The study of every space, as a page and numbers in a folder."""
