"""Pictures into a database: which spaces they get vectors in, and what follows from them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TypedDict

from latentdb.catalog import Catalog
from latentdb.cluster.choice import uses_ray
from latentdb.cluster.engine import RayEngine
from latentdb.errors import QueryError
from latentdb.ingest import IngestOptions, ProgressListener, SilentProgress, ingest
from latentdb.ingest.pipeline import run_ingest
from latentdb.shared_space_fit import fill_shared
from latentdb.succession.routing import filled
from latentdb.types import EngineName, IngestSummary


class IntakeOptions(TypedDict, total=False):
    """Keyword form of what `take_in` takes besides the source."""

    spaces: Sequence[str] | None
    options: IngestOptions | None
    progress: ProgressListener | None
    engine: EngineName
    address: str | None


def take_in(
    catalog: Catalog,
    source: str | Path,
    *,
    spaces: Sequence[str] | None = None,
    options: IngestOptions | None = None,
    progress: ProgressListener | None = None,
    engine: EngineName = "local",
    address: str | None = None,
) -> IngestSummary:
    """Put the pictures of `source` into the database, in every space or in `spaces`.

    Interrupted, it is called again and goes on where it was.

    Parameters
    ----------
    catalog : Catalog
    source : str or Path
        A picture, a folder, a glob, a zip or tar file, or Parquet with an image column.
    spaces : sequence of str
        Names of spaces of the database; all that have a model where not given: imported ones have
        none. Both spaces of an open migration get vectors where one of them is named. Shared
        spaces follow their members.
    options, progress
        Labels, batch size, workers, limits; who is told how far it is.
    engine : "local" or "ray"
        Whether this machine decodes and embeds, or the workers of a Ray cluster do. What is
        stored is the same, and either goes on where the other was interrupted.
    address : str, optional
        Of the cluster; without one, `engine="ray"` starts workers on this machine alone.

    Raises
    ------
    QueryError
        No space, or an address without a cluster to be at it.
    ClusterError
        There is no cluster, it has no room, or its workers die one after the other.
    SourceError, LabelsError
        The source or the labels cannot be read.
    StoreLockedError
        Another process is writing.
    """
    store = catalog.store
    own = [name for name, space in catalog.spaces().items() if space.has_model]
    names = own if spaces is None else filled(catalog.migrations, spaces, store)
    if not names:
        raise QueryError("the database has no space yet: latentdb init DB --space NAME")
    if not uses_ray(engine, address):
        models = {name: catalog.models.get(name) for name in names}
        summary = ingest(store, models, source, options=options, progress=progress)
    else:
        asked, listener = options or IngestOptions(), progress or SilentProgress()
        workers = RayEngine(
            {name: store.space(name) for name in names},
            options=asked,
            device=catalog.models.device,
            address=address,
            tell=listener.message,
        )
        summary = run_ingest(store, workers, source, options=asked, progress=listener)
    fill_shared(store)
    return summary
