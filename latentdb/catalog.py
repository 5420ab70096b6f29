"""What a database holds: its store, and everything that was made from what is in it."""

from __future__ import annotations

from dataclasses import replace
from typing import final

from PIL import Image

from latentdb.directions.direction import Direction
from latentdb.filter_shelf import FilterShelf
from latentdb.index import IndexManager
from latentdb.index.asking import Asker
from latentdb.ingest.decode import picture_of
from latentdb.model_shelf import ModelShelf
from latentdb.no_picture import no_picture_png
from latentdb.profiles import ProfileShelf
from latentdb.shelves import DirectionShelf, MapShelf
from latentdb.space import Space
from latentdb.store import Store
from latentdb.succession.book import MigrationBook
from latentdb.succession.routing import in_order, retired


@final
class Catalog:
    """The parts of one database, and the reads that take two of them.

    What searches, draws, fits and migrates is a function of a catalog, or of those of its parts
    that it needs; `LatentDB` puts them under one name each.

    Parameters
    ----------
    store : Store
        Items and vectors.
    device : str
        Where models run: "auto", "cpu", "cuda" or "cuda:1".

    Attributes
    ----------
    models : ModelShelf
    indexes : IndexManager
    filters : FilterShelf
    migrations : MigrationBook
    maps : MapShelf
    directions : DirectionShelf
    profiles : ProfileShelf
    """

    def __init__(self, store: Store, *, device: str) -> None:
        self.store = store
        self.models = ModelShelf(store, device=device)
        self.filters = FilterShelf(store)
        self.migrations = MigrationBook(store)
        self.maps = MapShelf(store)
        self.directions = DirectionShelf(store)
        self.profiles = ProfileShelf(store, self.models)
        self.indexes = IndexManager(
            store,
            Asker(
                store,
                self.models,
                maps=self.maps,
                directions=self.directions,
                profiles=self.profiles,
            ),
        )

    def spaces(self) -> dict[str, Space]:
        """Spaces by name, as added; one that took another's place comes where that was."""
        return in_order(self.migrations, self.store.spaces())

    def direction(self, name: str, space: str | None = None) -> Direction:
        """The direction `name`, in `space` where it was fitted in several.

        Raises
        ------
        UnknownDirectionError
            There is none; the text names those there are.
        QueryError
            A space must be named.
        """
        return self.directions.get(name, space, retired=retired(self.migrations))

    def picture(self, item_id: int) -> Image.Image:
        """The picture of an item as RGB: from its source file while that is there, else its
        thumbnail; of an item without a picture, a tile that says so.
        """
        item = replace(self.store.items([item_id])[0], source=self.store.original(item_id))
        return picture_of(item, self.store.thumbnail(item_id))

    def thumbnail(self, item_id: int) -> bytes:
        """PNG or JPEG of at most 256 pixels a side; of an item without a picture, a tile."""
        return self.store.thumbnail(item_id) or no_picture_png()
