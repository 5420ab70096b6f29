"""Database: what can be asked of one, whether its files are here or a server has them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeAlias, TypedDict, Unpack

if TYPE_CHECKING:
    from PIL import Image

    from indexers.stage import AbstractIndexConfig
    from indexers.types import IndexKind, MetricName, PriorName
    from latentdb.directions.direction import Direction
    from latentdb.directions.facts import DirectionFacts
    from latentdb.directions.recipe import RecipeParts
    from latentdb.edit import EditOptions
    from latentdb.energy.facts import EnergyFacts
    from latentdb.energy.kept import SpaceEnergy
    from latentdb.energy.run import EnergyOptions
    from latentdb.imagine import ImagineOptions
    from latentdb.indexes import IndexInfo
    from latentdb.intake import IntakeOptions
    from latentdb.listing import ItemPage
    from latentdb.model import Vectors
    from latentdb.paths import Centroid, CentroidOptions, Interpolation, InterpolationOptions
    from latentdb.query import Query, QueryParts
    from latentdb.report.options import ReportOptions
    from latentdb.space import Space
    from latentdb.stitch.fit import MapMethod
    from latentdb.stitch.linear_map import LinearMap
    from latentdb.stitch.map_facts import MapFacts
    from latentdb.types import Answer, IngestSummary, Item, QuarantineRow

    # What was fitted, or of a server's all that is known of it but its arrays.
    SomeMap: TypeAlias = LinearMap | MapFacts
    SomeDirection: TypeAlias = Direction | DirectionFacts
    SomeEnergy: TypeAlias = SpaceEnergy | EnergyFacts


class IndexOptions(TypedDict, total=False):
    """What an index is built with.

    "cosine" where no metric is named. A prior is for `nao` alone, "chi" where not given. `kind`
    names a structure, "flat" where not given, or is one with its arguments, as `HnswConfig(m=32)`.
    """

    metric: MetricName
    prior: PriorName
    kind: AbstractIndexConfig | IndexKind


class RankOptions(TypedDict, total=False):
    """Which items are ranked, how many are told (10), and whether the most come first (true)."""

    where: str | None
    k: int
    descending: bool


class StitchOptions(TypedDict, total=False):
    """What a map is fitted with; see `latentdb.learn.learn_map`."""

    method: MapMethod
    seed: int
    update: bool
    force: bool


class Database(Protocol):
    """A database of pictures: `LatentDB` over its files, or `RemoteDB` over a server.

    Both have these methods, and raise the same errors; `LatentDB` says what each does.
    """

    @property
    def uri(self) -> str:
        """Where it is: a folder, or the address of its server."""

    def __len__(self) -> int: ...

    def spaces(self) -> dict[str, Space]: ...

    def vector_counts(self) -> dict[str, int]: ...

    def ingest(self, source: str | Path, **options: Unpack[IntakeOptions]) -> IngestSummary: ...

    def quarantine(self) -> list[QuarantineRow]: ...

    def items(self, ids: Sequence[int]) -> list[Item]: ...

    def list_items(
        self, *, where: str | None = None, limit: int = 100, after: int | None = None
    ) -> ItemPage: ...

    def label_columns(self) -> dict[str, type]: ...

    def delete(self, ids: Sequence[int]) -> int: ...

    def thumbnail(self, item_id: int) -> bytes: ...

    def picture(self, item_id: int) -> Image.Image: ...

    def build_index(self, space: str, **options: Unpack[IndexOptions]) -> IndexInfo: ...

    def indexes(self) -> list[IndexInfo]: ...

    def search(self, query: Query | None = None, /, **parts: Unpack[QueryParts]) -> Answer: ...

    def search_many(self, queries: Sequence[Query]) -> list[Answer]: ...

    def rank(
        self, direction: str, *, space: str | None = None, **options: Unpack[RankOptions]
    ) -> Answer: ...

    def rank_by_energy(self, space: str, **options: Unpack[RankOptions]) -> Answer: ...

    def energy(self, space: str, **options: Unpack[EnergyOptions]) -> SomeEnergy: ...

    def interpolate(
        self, start_id: int, end_id: int, **options: Unpack[InterpolationOptions]
    ) -> Interpolation: ...

    def centroid(
        self, ids: Sequence[int] | None = None, **options: Unpack[CentroidOptions]
    ) -> Centroid: ...

    def decode(self, vectors: Vectors, *, space: str | None = None) -> list[Image.Image]: ...

    def stitch(self, source: str, target: str, **options: Unpack[StitchOptions]) -> SomeMap: ...

    def maps(self) -> Sequence[SomeMap]: ...

    def map(self, source: str, target: str) -> SomeMap: ...

    def fit_direction(
        self, name: str, *, space: str, **parts: Unpack[RecipeParts]
    ) -> SomeDirection: ...

    def directions(self) -> Sequence[SomeDirection]: ...

    def has_direction(self, name: str, space: str) -> bool: ...

    def direction(self, name: str, space: str | None = None) -> SomeDirection: ...
