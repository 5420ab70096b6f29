"""Residual laws on disk, beside the maps that they belong to."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from latentdb.arrays import IdArray, RealArray
from latentdb.artefact_shelf import ArtefactShelf
from latentdb.imagine.fit import fit_residual_law
from latentdb.imagine.law import ResidualLaw
from latentdb.stitch.chain import MapChain
from latentdb.stitch.from_store import paired_batches
from latentdb.store import Store

# Numbers in a batch of the wider side: 32 MiB of float64.
_BATCH_NUMBERS = 2**22


def residual_law(store: Store, chain: MapChain) -> ResidualLaw:
    """The law of this very chain's residuals: the one that is kept, or else one fitted and kept.

    A law that is kept is stale once one of its maps was fitted again; it is then replaced.

    Parameters
    ----------
    store : Store
        It is fitted on the items with a vector at both ends. Below the folder of maps the laws
        have one of their own, where no listing takes them for maps.
    chain : MapChain
        One map, or several.

    Raises
    ------
    NotEnoughDataError
        It must be fitted, and there are too few pairs.
    ArtefactError
        The file of the law is torn or foreign.
    """
    shelf = ArtefactShelf(store, "maps", ResidualLaw.load, below="residuals")
    source, target = chain.names[0], chain.names[-1]
    name = "--".join(chain.names)
    if name in shelf.names():
        kept = shelf.get(name)
        if kept.is_of(chain):
            return kept
    both = np.intersect1d(store.vector_ids(source), store.vector_ids(target), assume_unique=True)
    rows = max(
        1, _BATCH_NUMBERS // max(chain.maps[0].source_ref.dim, chain.maps[-1].target_ref.dim)
    )

    def batches() -> Iterator[tuple[IdArray, RealArray, RealArray]]:
        return paired_batches(store, source, target, among=both, batch_rows=rows)

    law = fit_residual_law(batches, chain)
    shelf.keep(name, law)
    return law
