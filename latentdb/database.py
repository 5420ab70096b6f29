"""LatentDB: the one object that commands, the server and scripts call."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Unpack, final

from PIL import Image

from indexers.stage import AbstractIndexConfig
from indexers.types import IndexKind, MetricName, PriorName
from latentdb import paths
from latentdb.directions.direction import Direction
from latentdb.directions.fit import DirectionMethod, DirectionOptions
from latentdb.directions.from_store import fit_label_direction
from latentdb.errors import QueryError
from latentdb.imagine import Imagined, ImagineOptions, imagine
from latentdb.indexes import IndexInfo, IndexManager
from latentdb.migrate.book import MigrationBook
from latentdb.migrate.routing import active, filled, in_order, retired
from latentdb.model import AbstractSpaceModel, Vectors
from latentdb.profiles import ProfileShelf
from latentdb.query import Query, QueryParts
from latentdb.search import run_rank, run_search
from latentdb.shared_space import SharedSpace
from latentdb.shared_space_fit import ShareOptions, fill_shared, share_spaces
from latentdb.shelves import DirectionShelf, MapShelf
from latentdb.space import Space
from latentdb.stitch.domain import SpaceProfile
from latentdb.stitch.fit import MapMethod
from latentdb.stitch.from_store import stitch_spaces
from latentdb.stitch.linear_map import LinearMap
from latentdb.store import Store
from latentdb.types import Answer, IngestSummary, Item, QuarantineRow

if TYPE_CHECKING:
    from latentdb.ingest import IngestOptions, ProgressListener
    from latentdb.migrate import BeginOptions, SpaceMigration
    from latentdb.store import Problem


@final
class LatentDB:
    """A database of pictures in several spaces; made by `latentdb.open` or `latentdb.create`.

    Reading is safe from several threads. One process at a time writes.

    Parameters
    ----------
    store : Store
        The opened store.
    device : str
        Where models run: "auto", "cpu", "cuda" or "cuda:1".
    """

    def __init__(self, store: Store, *, device: str = "auto") -> None:
        self.store = store
        self.device = device
        self.indexes_ = IndexManager(store)
        self.migrations_ = MigrationBook(store.path)
        self._models: dict[str, AbstractSpaceModel] = {}
        self._models_lock = threading.RLock()
        self._maps = MapShelf(store)
        self._directions = DirectionShelf(store)
        self._profiles = ProfileShelf(store)

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
        return in_order(self.migrations_, self.store.spaces())

    def add_space(self, spec: str) -> Space:
        """Add the space that `spec` describes; its vectors come with the next `ingest`.

        Raises
        ------
        SpaceSpecError, ModelError
            The spec cannot be understood, or its model not be loaded.
        SpaceExistsError
            A space of that name exists with other settings.
        """
        from latentdb.spaces import load_model

        return self.adopt(load_model(spec, device=self.device))

    def adopt(self, model: AbstractSpaceModel) -> Space:
        """Add the space of a model that is loaded already, and use that model for it."""
        with self._models_lock:
            self.store.add_space(model.space)
            self._models[model.space.name] = model
        return model.space

    def model(self, name: str) -> AbstractSpaceModel:
        """The model of space `name`, loaded at its first use.

        Raises
        ------
        UnknownSpaceError, ModelError
            No such space, or its model cannot be loaded.
        SpaceMismatchError
            The model as it is now makes other vectors than those stored.
        """
        from latentdb.spaces import load_model

        space = self.store.space(name)
        with self._models_lock:
            if name not in self._models:
                model = load_model(space.spec, device=self.device)
                space.require_same(model.space)
                self._models[name] = model
            return self._models[name]

    def migrate_space(self, old: str, new: str, **options: Unpack[BeginOptions]) -> SpaceMigration:
        """Begin to replace a space by another model's; see `latentdb.migrate.begin.begin`."""
        from latentdb.migrate.begin import begin

        return begin(self, old, new, **options)

    def migration(self, old: str | None = None) -> SpaceMigration:
        """The migration of space `old`, or the only open one; MigrationError if there is none."""
        from latentdb.migrate import SpaceMigration

        return SpaceMigration(self, self.migrations_.get(old))

    # Pictures in

    def ingest(
        self,
        source: str | Path,
        *,
        spaces: Sequence[str] | None = None,
        options: IngestOptions | None = None,
        progress: ProgressListener | None = None,
    ) -> IngestSummary:
        """Put the pictures of `source` into the database, in every space or in `spaces`.

        Interrupted, it is called again and goes on where it was.

        Parameters
        ----------
        source : str or Path
            A picture, a folder, a glob, a zip or tar file, or Parquet with an image column.
        spaces : sequence of str
            Names of spaces of the database; all that have a model where not given.
        options, progress
            Labels, batch size, workers, limits; who is told how far it is.

        Raises
        ------
        SourceError, LabelsError
            The source or the labels cannot be read.
        StoreLockedError
            Another process is writing.
        """
        from latentdb.ingest import ingest

        own = [name for name, space in self.spaces().items() if space.kind != "shared"]
        names = own if spaces is None else filled(self.migrations_, spaces, self.store)
        if not names:
            raise QueryError("the database has no space yet: latentdb init DB --space NAME")
        models = {name: self.model(name) for name in names}
        summary = ingest(self.store, models, source, options=options, progress=progress)
        fill_shared(self.store)
        return summary

    def quarantine(self) -> list[QuarantineRow]:
        """Files that could not be used, each with its reason."""
        return self.store.quarantined()

    def items(self, ids: Sequence[int]) -> list[Item]:
        """Stored pictures in the order asked, without their vectors.

        Raises
        ------
        UnknownItemError
            Some id is not stored.
        """
        return self.store.items(ids)

    def thumbnail(self, item_id: int) -> bytes:
        """PNG or JPEG of at most 256 pixels a side."""
        return self.store.thumbnail(item_id)

    def picture(self, item_id: int) -> Image.Image:
        """The picture as RGB: from its source file while that is there, else its thumbnail."""
        from latentdb.ingest.decode import picture_of

        item = self.items([item_id])[0]
        return picture_of(item, self.thumbnail(item_id))

    # Search

    def build_index(
        self,
        space: str,
        *,
        metric: MetricName = "cosine",
        prior: PriorName = "chi",
        kind: AbstractIndexConfig | IndexKind = "flat",
    ) -> IndexInfo:
        """Build the index of `space` under `metric`, or build it anew.

        A prior is for `nao` alone. `kind` names a structure, or is one with its arguments, such
        as `HnswConfig(m=32)`.
        """
        return self.indexes_.build(self.store.space(space), metric, prior, kind)

    def indexes(self) -> list[IndexInfo]:
        """Indexes on disk, with how far each is behind its table."""
        return self.indexes_.infos()

    def search(self, query: Query | None = None, /, **parts: Unpack[QueryParts]) -> Answer:
        """The items nearest to a question; see `latentdb.query.Query` for its parts.

        Without an index the answer is computed exactly from the stored vectors. Rows newer than
        an index are searched beside it, so the answer is never silently incomplete.

        Raises
        ------
        QueryError, FilterError, UnknownSpaceError, UnknownItemError, UnknownMapError, …
            The question contradicts itself, or names something that is not in the database.
        """
        return run_search(self, query if query is not None else Query(**parts))

    def rank(
        self,
        direction: str,
        *,
        space: str | None = None,
        where: str | None = None,
        k: int = 10,
        descending: bool = True,
    ) -> Answer:
        """Items by their signed distance to a direction's boundary, the most so first.

        Parameters
        ----------
        direction, space : str
            A fitted direction; its space is needed only when it was fitted in several.
        where, k, descending
            SQL condition on labels and quality; how many; False puts the least so first.

        Returns
        -------
        Answer
            With metric "direction"; `distance` is minus the signed distance to the boundary in
            standard deviations (plus it when `descending` is false), so lower still comes first.
        """
        home = None if space is None else active(self.migrations_, space, self.store)
        found = self.direction(direction, home)
        return run_rank(self, found, where=where, k=k, descending=descending)

    # Between items

    def interpolate(
        self, start_id: int, end_id: int, **options: Unpack[paths.InterpolationOptions]
    ) -> paths.Interpolation:
        """Points on a curve between two items; see `latentdb.paths.interpolate_items`.

        Options: space, method ("nao", "lol", "slerp", "lerp"), prior, steps.
        """
        return paths.interpolate_items(self, start_id, end_id, **options)

    def centroid(
        self, ids: Sequence[int] | None = None, **options: Unpack[paths.CentroidOptions]
    ) -> paths.Centroid:
        """The middle of several items and what is near it; see `latentdb.paths.centroid_of_items`.

        Options: where (in place of ids), space, method ("nao", "lol", "karcher", "mean"), prior,
        weights, k.
        """
        return paths.centroid_of_items(self, ids, **options)

    def decode(self, vectors: Vectors, *, space: str | None = None) -> list[Image.Image]:
        """Pictures that the model of a noise space makes of vectors (n, dim) float32.

        QueryError where the space has no decoder, or none is named and several would do.
        """
        return paths.decode_pictures(self, paths.choose_space(self, space), vectors)

    def imagine(self, **options: Unpack[ImagineOptions]) -> Imagined:
        """New pictures of what a question says; see `latentdb.imagine.imagine`."""
        return imagine(self, **options)

    # Maps

    def stitch(
        self,
        source: str,
        target: str,
        *,
        method: MapMethod = "ridge",
        seed: int = 0,
        update: bool = False,
        force: bool = False,
    ) -> LinearMap:
        """Fit the map from space `source` to space `target` and keep it, with held-out scores.

        See `latentdb.stitch.from_store.stitch_spaces`; `update` reads only new rows. One that
        does not beat its null is not kept and raises WorthlessMapError, unless `force` is true.
        """
        fitted = stitch_spaces(self.store, source, target, method=method, seed=seed, update=update)
        if not force:
            fitted.scores.require_beats_null(f"{source} → {target}")
        self._maps.put(source, target, fitted)
        self._profiles.fit(self, self.store.space(source), seed=seed)
        return fitted

    def share(self, members: Sequence[str], **options: Unpack[ShareOptions]) -> SharedSpace:
        """Add the space that `members` share; see `latentdb.shared_space_fit.share_spaces`.

        Options: name, dim, seed.
        """
        shared, maps = share_spaces(self.store, members, **options)
        for one in maps:
            self._maps.put(one.source, shared.name, one)
            self._profiles.fit(self, self.store.space(one.source), seed=shared.fitted_on.seed)
        return shared

    def maps(self) -> list[LinearMap]:
        """All fitted maps."""
        return self._maps.all()

    def map(self, source: str, target: str) -> LinearMap:
        """The map from `source` to `target`; UnknownMapError where it was not fitted."""
        return self._maps.get(source, target)

    def profile(self, space: str, *, text: bool = False) -> SpaceProfile | None:
        """Mean and covariance of a space, None of too few items; see `latentdb.profiles`."""
        return self._profiles.get(self, self.store.space(space), text=text)

    # Directions

    def fit_direction(
        self,
        name: str,
        *,
        space: str,
        label: str,
        method: DirectionMethod = "mean_difference",
        orthogonal_to: Sequence[str] = (),
        seed: int = 0,
    ) -> Direction:
        """Fit the direction of a binary label in `space` and keep it, with held-out scores.

        See `latentdb.directions.from_store.fit_label_direction`.
        """
        options = DirectionOptions(
            method=method,
            seed=seed,
            label=label,
            orthogonal_to=tuple(self.direction(other, space) for other in orthogonal_to),
        )
        fitted = fit_label_direction(self.store, name, space=space, label=label, options=options)
        self._directions.put(name, space, fitted)
        return fitted

    def directions(self) -> list[Direction]:
        """All fitted directions."""
        return self._directions.all()

    def has_direction(self, name: str, space: str) -> bool:
        """Whether a direction of that name was fitted in that space."""
        return self._directions.has(name, space)

    def direction(self, name: str, space: str | None = None) -> Direction:
        """The direction `name`, in `space` where it was fitted in several.

        UnknownDirectionError names those there are; QueryError where a space must be named.
        """
        return self._directions.get(name, space, retired=retired(self.migrations_))

    # Upkeep

    def check(self, *, repair: bool = False) -> list[Problem]:
        """Problems of the database, after mending what can be mended when `repair` is true."""
        if repair:
            self.store.repair()
        return [*self.store.check(), *self.indexes_.check(repair=repair)]
