"""Indexes of a database: what a space is searched by, and where that is built."""

from __future__ import annotations

from typing import Unpack

from latentdb.catalog import Catalog
from latentdb.cluster.choice import uses_ray
from latentdb.cluster.index_shards import writer
from latentdb.errors import QueryError
from latentdb.index import IndexInfo
from latentdb.index.name import IndexName
from latentdb.index.request import IndexRequest
from latentdb.index.shards import write_here
from latentdb.progress import silent
from latentdb.protocol import IndexOptions


def build_index(catalog: Catalog, space: str, **options: Unpack[IndexOptions]) -> IndexInfo:
    """Build the index of a space, or build it anew.

    Parameters
    ----------
    catalog : Catalog
    space : str
    **options
        See `IndexOptions`.

    Raises
    ------
    QueryError
        A cluster is asked for an index of one piece, or shards are to be chosen by "auto".
    NotEnoughDataError
        There are no vectors, or fewer than shards.
    ParameterError, MetricError
        A setting is out of range, or there is not enough memory.
    ClusterError
        There is no cluster, or its workers do not see the database.
    """
    address, shards = options.get("address"), options.get("shards")
    write = writer(address) if uses_ray(options.get("engine", "local"), address) else write_here
    if write is not write_here and shards is None:
        raise QueryError("a cluster builds an index in shards: say in how many, as --shards 8")
    request = IndexRequest(
        options.get("kind", "flat"), options.get("target_recall"), options.get("memory"), shards
    )
    there = catalog.store.space(space)
    name = IndexName.of(there.name, options.get("metric", "cosine"), options.get("prior"))
    progress = options.get("progress", silent)
    return catalog.indexes.build_as(name, request, write=write, progress=progress)
