"""The database as a worker sees it."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from latentdb.errors import ClusterError, StoreNotFoundError
from latentdb.space import Space
from latentdb.store import Store


def opened(uri: str, spaces: Iterable[Space]) -> Store:
    """The database at `uri`, on a machine of the cluster.

    Raises
    ------
    ClusterError
        It is not there.
    SpaceMismatchError
        It is another one: a space has other settings than the caller's.
    """
    try:
        store = _open(uri)
    except StoreNotFoundError as error:
        raise ClusterError(
            f"a worker finds no database at {uri}: keep it where every machine of the cluster "
            "sees it under one name, on a shared file system or in an object store"
        ) from error
    for space in spaces:
        space.require_same(store.space(space.name))
    return store


@lru_cache(maxsize=4)
def _open(uri: str) -> Store:
    """Kept: a worker gets many parts of one database."""
    return Store.open(uri)
