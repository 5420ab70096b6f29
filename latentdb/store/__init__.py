"""The database on disk. LanceDB is known to `latentdb.store.tables` alone."""

from latentdb.store.problems import Problem
from latentdb.store.store import ArtefactKind, Store

__all__ = ["ArtefactKind", "Problem", "Store"]
