"""Indexes of a database: built, tuned, kept beside the store, and never silently behind it."""

from latentdb.index.info import IndexInfo, LoadedIndex
from latentdb.index.manager import IndexManager
from latentdb.index.name import IndexName

__all__ = ["IndexInfo", "IndexManager", "IndexName", "LoadedIndex"]
