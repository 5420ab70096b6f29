"""Pictures in: sources, decoding, quarantine, and the pipeline that resumes.

Importing this package loads neither models nor storage: decoding processes import it.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from latentdb.ingest.options import IngestOptions as IngestOptions
from latentdb.ingest.progress import ProgressListener as ProgressListener
from latentdb.ingest.progress import RichProgress as RichProgress
from latentdb.ingest.progress import SilentProgress as SilentProgress

if TYPE_CHECKING:
    from latentdb.model import AbstractSpaceModel
    from latentdb.store import Store
    from latentdb.types import IngestSummary


def ingest(
    store: Store,
    models: Mapping[str, AbstractSpaceModel],
    source: str | Path,
    *,
    options: IngestOptions | None = None,
    progress: ProgressListener | None = None,
) -> IngestSummary:
    """Put the pictures of `source` into `store`, with a vector in the space of each model.

    It may be killed at any moment and called again: what was finished is not done again, nothing
    is lost and nothing doubled. A picture that cannot be used goes to quarantine with its reason,
    and the run goes on.

    Parameters
    ----------
    store : Store
        Spaces it lacks are added to it.
    models : mapping of str to AbstractSpaceModel
        By the name of their space.
    source : str or Path
        A picture, folder, glob, zip, tar or Parquet file; see `latentdb.ingest.sources`.
    options : IngestOptions, optional
        Labels, batch size, workers, limits.
    progress : ProgressListener, optional
        Told of the run as it goes; silent where not given.

    Returns
    -------
    IngestSummary
        Counts of files, by what became of them.

    Raises
    ------
    SourceError
        The source cannot be read at all.
    LabelsError
        The labels file cannot be read, or contradicts the columns of the database.
    SpaceExistsError
        The database has a space of that name with other settings.
    ModelError
        A model fails on every picture of a batch: the model is at fault, not the pictures.
    StoreLockedError
        Another process is writing to the database.
    """
    from latentdb.ingest.local_engine import LocalEngine
    from latentdb.ingest.pipeline import run_ingest

    asked, listener = options or IngestOptions(), progress or SilentProgress()
    engine = LocalEngine(models, options=asked, tell=listener.message)
    return run_ingest(store, engine, source, options=asked, progress=listener)
