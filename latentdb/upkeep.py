"""Upkeep of a database: everything that keeps it whole, small and quick, as `db.upkeep`."""

from __future__ import annotations

from typing import final

from latentdb.catalog import Catalog


@final
class DatabaseUpkeep:
    """What is done to a database beside asking it.

    Parameters
    ----------
    catalog : Catalog
    """

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    def compact(self) -> None:
        """Merge small pieces of the tables and drop old versions; see `Store.compact`."""
        self._catalog.store.compact()
