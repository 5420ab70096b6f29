"""Residual laws on disk, beside the maps that they belong to."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from latentdb.arrays import IdArray, RealArray
from latentdb.artefact_shelf import ArtefactShelf
from latentdb.imagine.fit import fit_residual_law
from latentdb.imagine.law import ResidualLaw
from latentdb.stitch.from_store import paired_batches
from latentdb.stitch.linear_map import LinearMap
from latentdb.store import Store

# Numbers in a batch of the wider side: 32 MiB of float64.
_BATCH_NUMBERS = 2**22


def residual_law(store: Store, linear_map: LinearMap) -> ResidualLaw:
    """The law of this very map's residuals: the one that is kept, or else one fitted and kept.

    A law that is kept is stale once its map was fitted again; it is then replaced.

    Parameters
    ----------
    store : Store
        Whose pairs it is fitted on. Below its folder of maps the laws have one of their own,
        where no listing takes them for maps.
    linear_map : LinearMap

    Raises
    ------
    NotEnoughDataError
        It must be fitted, and there are too few pairs.
    ArtefactError
        The file of the law is torn or foreign.
    """
    folder = store.artefact_dir("maps") / "residuals"
    folder.mkdir(exist_ok=True)
    shelf = ArtefactShelf(folder, ResidualLaw.load)
    source, target = linear_map.source, linear_map.target
    name = f"{source}--{target}"
    if name in shelf.names():
        kept = shelf.get(name)
        if kept.is_of(linear_map):
            return kept
    both = np.intersect1d(store.vector_ids(source), store.vector_ids(target), assume_unique=True)
    rows = max(1, _BATCH_NUMBERS // max(linear_map.source_ref.dim, linear_map.target_ref.dim))

    def batches() -> Iterator[tuple[IdArray, RealArray, RealArray]]:
        return paired_batches(store, source, target, among=both, batch_rows=rows)

    law = fit_residual_law(batches, linear_map)
    shelf.put(name, law)
    return law
