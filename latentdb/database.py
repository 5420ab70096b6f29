"""LatentDB: the one object that commands, the server and scripts call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Unpack, final

from PIL import Image

from indexers.types import RealArray
from latentdb import checkup, interchange, paths, projection
from latentdb.catalog import Catalog
from latentdb.directions.direction import Direction
from latentdb.directions.recipe import RecipeParts
from latentdb.edit import Edited, EditOptions, FolderEdit, FolderOptions, edit, edit_folder
from latentdb.energy.kept import SpaceEnergy
from latentdb.energy.levels import LevelCheck, LevelOptions, check_levels
from latentdb.energy.run import EnergyOptions, measure_energy
from latentdb.imagine import Imagined, ImagineOptions, imagine
from latentdb.index import IndexInfo
from latentdb.indexing import build_index
from latentdb.intake import IntakeOptions, take_in
from latentdb.learn import learn_direction, learn_map, learn_shared
from latentdb.listing import ItemPage, list_items
from latentdb.migrate import BeginOptions, SpaceMigration
from latentdb.migrate.begin import begin
from latentdb.model import AbstractSpaceModel, Vectors
from latentdb.nearest import NearestOptions, Neighbours, find_nearest
from latentdb.protocol import IndexOptions, RankOptions
from latentdb.query import Query, QueryParts
from latentdb.rank import run_rank, run_rank_by_energy
from latentdb.report.options import ReportOptions
from latentdb.search import raise_first, run_search, run_searches
from latentdb.shared_space import SharedSpace
from latentdb.shared_space_fit import ShareOptions
from latentdb.space import Space
from latentdb.stitch.domain import SpaceProfile
from latentdb.stitch.linear_map import LinearMap
from latentdb.stitch.options import StitchOptions
from latentdb.stitch.sensitivity import SensitivityOptions, SizedScores, sensitivity_to_n
from latentdb.store import Problem, Store
from latentdb.types import Answer, IngestSummary, Item, QuarantineRow
from latentdb.upkeep import DatabaseUpkeep

if TYPE_CHECKING:
    from latentdb.report.report import Report


@final
class LatentDB:
    """A database of pictures in several spaces; made by `latentdb.open` or `latentdb.create`.

    Every method is a call of one function, which its docstring names where there is more to say.
    Reading is safe from several threads. One process at a time writes.

    Parameters
    ----------
    store : Store
        The opened store.
    device : str
        Where models run: "auto", "cpu", "cuda" or "cuda:1".

    Attributes
    ----------
    catalog : Catalog
        What the functions below this class are called with.
    """

    def __init__(self, store: Store, *, device: str = "auto") -> None:
        self.catalog = Catalog(store, device=device)

    @property
    def store(self) -> Store:
        """Items and vectors."""
        return self.catalog.store

    @property
    def upkeep(self) -> DatabaseUpkeep:
        """Compaction, audits, snapshots and backups."""
        return DatabaseUpkeep(self.catalog)

    @property
    def device(self) -> str:
        """Where models run, as it was asked for."""
        return self.catalog.models.device

    @property
    def uri(self) -> str:
        """Where the database lies."""
        return self.store.uri

    def __len__(self) -> int:
        return len(self.store.item_ids())

    def __repr__(self) -> str:
        return f"LatentDB({self.uri!r}, {len(self)} items, spaces: {', '.join(self.spaces())})"

    # Spaces and models

    def spaces(self) -> dict[str, Space]:
        """Spaces by name, as added; one that took another's place comes where that was."""
        return self.catalog.spaces()

    def vector_counts(self) -> dict[str, int]:
        """How many items have a vector in each space, in the order of `spaces`."""
        return {name: len(self.store.vector_ids(name)) for name in self.spaces()}

    def add_space(self, spec: str) -> Space:
        """Add the space that `spec` describes; its vectors come with the next `ingest`.

        See `latentdb.spaces.load_model` and `ModelShelf.adopt` for what is refused.
        """
        return self.adopt(self.catalog.models.load(spec))

    def adopt(self, model: AbstractSpaceModel) -> Space:
        """Add the space of a model that is loaded already, and use that model for it."""
        return self.catalog.models.adopt(model)

    def model(self, name: str) -> AbstractSpaceModel:
        """The model of space `name`, loaded at its first use; see `ModelShelf.get`."""
        return self.catalog.models.get(name)

    def migrate_space(self, old: str, new: str, **options: Unpack[BeginOptions]) -> SpaceMigration:
        """Begin to replace a space by another model's; see `latentdb.migrate.begin.begin`."""
        return begin(self.catalog, old, new, **options)

    def migration(self, old: str | None = None) -> SpaceMigration:
        """The migration of space `old`, or the only open one; MigrationError if there is none."""
        return SpaceMigration(self.catalog, self.catalog.migrations.get(old))

    def migrations(self) -> list[SpaceMigration]:
        """Every migration, in the order they were begun."""
        return [SpaceMigration(self.catalog, one) for one in self.catalog.migrations.all()]

    # Pictures in

    def ingest(self, source: str | Path, **options: Unpack[IntakeOptions]) -> IngestSummary:
        """Put the pictures of `source` into the database; see `latentdb.intake.take_in`.

        Interrupted, it is called again and goes on where it was. Options: spaces, options
        (`latentdb.ingest.IngestOptions`), progress.
        """
        return take_in(self.catalog, source, **options)

    def import_vectors(
        self, source: str | Path, **options: Unpack[interchange.ImportOptions]
    ) -> interchange.ImportSummary:
        """Put vectors made elsewhere into the database; see `latentdb.interchange`."""
        return interchange.import_vectors(self.store, source, **options)

    def export_vectors(
        self, out: str | Path, **options: Unpack[interchange.ExportOptions]
    ) -> interchange.ExportSummary:
        """Write vectors, items and labels as files; see `latentdb.interchange.export_vectors`."""
        return interchange.export_vectors(self.store, out, **options)

    def quarantine(self) -> list[QuarantineRow]:
        """Files that could not be used, each with its reason."""
        return self.store.quarantined()

    def items(self, ids: Sequence[int]) -> list[Item]:
        """Stored pictures in the order asked, without vectors; UnknownItemError of others."""
        return self.store.items(ids)

    def list_items(
        self, *, where: str | None = None, limit: int = 100, after: int | None = None
    ) -> ItemPage:
        """One page of the items, by id; see `latentdb.listing.list_items`."""
        return list_items(self.store, where=where, limit=limit, after=after)

    def label_columns(self) -> dict[str, type]:
        """Labels of the items, each with bool, int, float or str."""
        return self.store.label_columns()

    def delete(self, ids: Sequence[int]) -> int:
        """Delete items with their vectors; how many there were. Unknown ids are passed over."""
        return self.store.delete(ids)

    def thumbnail(self, item_id: int) -> bytes:
        """PNG or JPEG of at most 256 pixels a side; of an item without a picture, a tile."""
        return self.catalog.thumbnail(item_id)

    def picture(self, item_id: int) -> Image.Image:
        """The picture as RGB: from its source file while that is there, else its thumbnail."""
        return self.catalog.picture(item_id)

    # Search

    def build_index(self, space: str, **options: Unpack[IndexOptions]) -> IndexInfo:
        """Build the index of `space`, or build it anew; options are those of `IndexOptions`."""
        return build_index(self.catalog, space, **options)

    def indexes(self) -> list[IndexInfo]:
        """Indexes on disk, with how far each is behind its table."""
        return self.catalog.indexes.infos()

    def search(self, query: Query | None = None, /, **parts: Unpack[QueryParts]) -> Answer:
        """The items nearest to a question, a `latentdb.query.Query` or its parts.

        See `latentdb.search.run_search`.
        """
        return run_search(self.catalog, query if query is not None else Query(**parts))

    def search_many(self, queries: Sequence[Query]) -> list[Answer]:
        """Answers to many questions, which cost less together; see `run_searches`."""
        return raise_first(run_searches(self.catalog, queries))

    def nearest(
        self, vectors: RealArray, *, space: str, **options: Unpack[NearestOptions]
    ) -> Neighbours:
        """The rows of `space` nearest to vectors (n, dim) of it, as arrays.

        Options: k, metric, prior, where, max_distance, columns; see `nearest.find_nearest`.
        """
        return find_nearest(self.catalog, vectors, space=space, **options)

    def one_look(self) -> AbstractContextManager[None]:
        """A block in which this thread asks many questions, and looks for new commits once.

        What was written before the block is seen in it, and what this thread writes.
        """
        return self.store.look.block()

    def rank(
        self, direction: str, *, space: str | None = None, **options: Unpack[RankOptions]
    ) -> Answer:
        """Items by their distance along a direction; see `latentdb.rank.run_rank`.

        Options: where, k, descending.
        """
        return run_rank(self.catalog, direction, space=space, **options)

    def rank_by_energy(self, space: str, **options: Unpack[RankOptions]) -> Answer:
        """Items from the least typical to the most; see `latentdb.rank.run_rank_by_energy`."""
        return run_rank_by_energy(self.catalog, space, **options)

    def energy(self, space: str, **options: Unpack[EnergyOptions]) -> SpaceEnergy:
        """Marginal energy of every row of a space, measured where it is not kept.

        See `latentdb.energy.run.measure_energy`. Options: schedule, tolerance, again, progress.
        """
        return measure_energy(self.catalog, space, **options)

    def check_levels(self, space: str, **options: Unpack[LevelOptions]) -> LevelCheck:
        """Whether noise rows lie at the level they claim; see `latentdb.energy.levels`.

        Options: where, seed, progress.
        """
        return check_levels(self.catalog, space, **options)

    # Between items

    def interpolate(
        self, start_id: int, end_id: int, **options: Unpack[paths.InterpolationOptions]
    ) -> paths.Interpolation:
        """Points on a curve between two items; see `latentdb.paths.interpolate_items`.

        Options: space, method ("nao", "lol", "slerp", "lerp"), prior, steps.
        """
        return paths.interpolate_items(self.catalog, start_id, end_id, **options)

    def centroid(
        self, ids: Sequence[int] | None = None, **options: Unpack[paths.CentroidOptions]
    ) -> paths.Centroid:
        """The middle of several items and what is near it; see `latentdb.paths.centroid_of_items`.

        Options: where (in place of ids), space, method ("nao", "lol", "karcher", "mean"), prior,
        weights, correlated, k.
        """
        return paths.centroid_of_items(self.catalog, ids, **options)

    def decode(self, vectors: Vectors, *, space: str | None = None) -> list[Image.Image]:
        """Pictures that the model of a noise space makes of vectors (n, dim) float32.

        QueryError where the space has no decoder, or none is named and several would do.
        """
        home = paths.choose_space(self.catalog, space)
        return paths.decode_pictures(self.catalog.models, home, vectors)

    def imagine(self, **options: Unpack[ImagineOptions]) -> Imagined:
        """New pictures of what a question says; see `latentdb.imagine.imagine`."""
        return imagine(self.catalog, **options)

    def edit(
        self,
        item_id: int | None = None,
        directions: Mapping[str, float] | None = None,
        **options: Unpack[EditOptions],
    ) -> Edited:
        """A stored item, or a picture, changed along directions; see `latentdb.edit.edit`.

        Options: image (in place of an item), space, strengths, pair, keep, norm.
        """
        return edit(self.catalog, item_id, directions, **options)

    def edit_folder(
        self,
        folder: str | Path,
        directions: Mapping[str, float] | None = None,
        *,
        where: str | None = None,
        **options: Unpack[FolderOptions],
    ) -> FolderEdit:
        """Plan to edit many items into a folder; see `latentdb.edit.edit_folder`."""
        return edit_folder(self.catalog, folder, directions, where=where, **options)

    # Maps

    def stitch(self, source: str, target: str, **options: Unpack[StitchOptions]) -> LinearMap:
        """Fit the map from space `source` to space `target` and keep it, with held-out scores.

        See `latentdb.learn.learn_map`. Options: method, seed, update, force, engine, address.
        """
        return learn_map(self.catalog, source, target, **options)

    def share(self, members: Sequence[str], **options: Unpack[ShareOptions]) -> SharedSpace:
        """Add the space that `members` share; see `latentdb.learn.learn_shared`."""
        return learn_shared(self.catalog, members, **options)

    def sensitivity(
        self, source: str, target: str, **options: Unpack[SensitivityOptions]
    ) -> list[SizedScores]:
        """Scores of maps of more and more items; see `latentdb.stitch.sensitivity`.

        Options: method, seed, sizes.
        """
        return sensitivity_to_n(self.store, source, target, **options)

    def maps(self) -> list[LinearMap]:
        """All fitted maps."""
        return self.catalog.maps.all()

    def map(self, source: str, target: str) -> LinearMap:
        """The map from `source` to `target`; UnknownMapError where it was not fitted."""
        return self.catalog.maps.get(source, target)

    def profile(self, space: str, *, text: bool = False) -> SpaceProfile | None:
        """Mean and covariance of a space, None of too few items; see `latentdb.profiles`."""
        return self.catalog.profiles.get(self.store.space(space), text=text)

    # Directions

    def fit_direction(self, name: str, *, space: str, **parts: Unpack[RecipeParts]) -> Direction:
        """Make a direction of `space` and keep it, with what it is worth.

        From exactly one of label, like (and unlike), pair, text and carry_from; see
        `latentdb.directions.recipe.Recipe`.
        """
        return learn_direction(self.catalog, name, space=space, **parts)

    def directions(self) -> list[Direction]:
        """All fitted directions."""
        return self.catalog.directions.all()

    def has_direction(self, name: str, space: str) -> bool:
        """Whether a direction of that name was fitted in that space."""
        return self.catalog.directions.has(name, space)

    def direction(self, name: str, space: str | None = None) -> Direction:
        """The direction `name`, in `space` where it was fitted in several.

        UnknownDirectionError names those there are; QueryError where a space must be named.
        """
        return self.catalog.direction(name, space)

    # Study

    def project(
        self, space: str, **options: Unpack[projection.ProjectOptions]
    ) -> projection.Projection2D:
        """The items of a space as points of a plane; see `latentdb.projection.project`."""
        return projection.project(self.catalog, space, **options)

    def point_values(
        self, space: str, by: str, *, ids: Sequence[int] | None = None
    ) -> projection.PointValues:
        """A value per item to colour points by; see `latentdb.projection.values.point_values`."""
        return projection.point_values(self.catalog, space, by, ids=ids)

    def report(self, out: str | Path, **options: Unpack[ReportOptions]) -> Report:
        """The UNE study of every space, as a page and numbers in the folder `out`.

        See `latentdb.report.run.write_report`. Options: sections, seed, limit, quick, on_section.
        """
        # matplotlib and SciPy's tests take a second to load, and nothing else needs them.
        from latentdb.report.run import write_report

        return write_report(self.catalog, Path(out), **options)

    # Upkeep

    def check(self, *, repair: bool = False, backup: str | Path | None = None) -> list[Problem]:
        """Problems of the database, after mending what can be mended when `repair` is true.

        With a folder of backups, damaged files are fetched from there first. See
        `latentdb.checkup.mend`, which also tells what was mended.
        """
        return checkup.check(self.catalog, repair=repair, backup=backup)
