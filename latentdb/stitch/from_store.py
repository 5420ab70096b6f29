"""Pairs of vectors straight from the store into a stream, a batch at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from latentdb.arrays import IdArray, RealArray
from latentdb.errors import QueryError
from latentdb.space import Space
from latentdb.stitch.fit import MapMethod, fit_from_stream, new_stream
from latentdb.stitch.linear_map import LinearMap
from latentdb.stitch.split import SplitMoments
from latentdb.stitch.stream_file import load_stream, save_stream
from latentdb.store import Store

Pair = tuple[Space, Space]
AddPairs = Callable[[Store, Pair, SplitMoments, IdArray], None]

BATCH_ROWS = 8192
# Multiplications from which a GPU is worth the seconds that loading torch takes.
_MANY = 1e13


def stitch_spaces(
    store: Store,
    source: str,
    target: str,
    *,
    method: MapMethod = "ridge",
    seed: int = 0,
    update: bool = False,
    add_pairs: AddPairs | None = None,
) -> LinearMap:
    """The map from one space of `store` to another, fitted in one pass over both tables.

    Parameters
    ----------
    store : Store
    source, target : str
        Names of two spaces.
    method, seed
        See `latentdb.stitch.fit_map`.
    update : bool
        Keep the sums beside the map, and start from those kept before: only rows that have
        arrived since are read. All are read when there are none yet, when items were deleted,
        or when vectors, seed or method ask for other sums.
    add_pairs : callable, optional
        Reads the pairs of items and adds them to a stream; in this process where not given.

    Raises
    ------
    UnknownSpaceError, QueryError
        A space is not there, or is given twice.
    NotEnoughDataError
        Too few items have vectors in both.
    """
    spaces = (store.space(source), store.space(target))
    both = paired_ids(store, source, target)
    _load_torch_for(len(both), spaces)
    stream = new_stream(spaces, method=method, seed=seed)
    kept = _kept_file(store, source, target)
    is_continued = update and load_stream(kept, stream, spaces=spaces)
    if is_continued and not np.isin(stream.ids(), both).all():
        stream = new_stream(spaces, method=method, seed=seed)
    fresh = both if stream.n == 0 else np.setdiff1d(both, stream.ids(), assume_unique=True)
    (add_pairs or add_stored_pairs)(store, spaces, stream, fresh)
    fitted = fit_from_stream(stream, spaces=spaces, method=method)
    if update:
        save_stream(kept, stream, spaces=spaces)
    return fitted


def add_stored_pairs(store: Store, spaces: Pair, stream: SplitMoments, among: IdArray) -> None:
    """Add the pairs of the items `among` to a stream, in this process."""
    for batch in paired_batches(store, spaces[0].name, spaces[1].name, among=among):
        stream.update(*batch)


def paired_ids(store: Store, source: str, target: str) -> IdArray:
    """Items with a vector in both spaces, sorted; QueryError when the two are one."""
    if source == target:
        raise QueryError(f"a map leads from one space to another; got {source!r} twice")
    both: IdArray = np.intersect1d(
        store.vector_ids(source), store.vector_ids(target), assume_unique=True
    )
    return both


def paired_batches(
    store: Store, source: str, target: str, *, among: IdArray, batch_rows: int = BATCH_ROWS
) -> Iterator[tuple[IdArray, RealArray, RealArray]]:
    """Batches (ids, X, Y) of the items `among`, in the order in which `source` is stored."""
    stored = store.vector_ids(source, as_stored=True)
    paired = stored[np.isin(stored, among)]
    for start in range(0, len(paired), batch_rows):
        ids = paired[start : start + batch_rows]
        yield ids, store.vectors(source, ids), store.vectors(target, ids)


def _kept_file(store: Store, source: str, target: str) -> Path:
    """Where the sums of a map lie: below the maps, where no listing takes them for one."""
    return store.artefact_dir("maps", "moments") / f"{source}--{target}.safetensors"


def _load_torch_for(n: int, spaces: tuple[Space, Space]) -> None:
    """Load torch, and with it the GPU, for fits that take longer than loading does."""
    source, target = spaces
    if float(n) * source.dim * (source.dim + target.dim) > _MANY:
        import torch  # noqa: F401
