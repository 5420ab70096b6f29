"""Energies of every row of a space, brought up to date when a question needs them."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Final, final

import numpy as np

from latentdb.arrays import FloatArray, IdArray
from latentdb.energy.kept import EnergyShelf, SpaceEnergy
from latentdb.energy.measure import measured_exactly, measured_later
from latentdb.errors import ArtefactError, NotEnoughDataError
from latentdb.space import Space
from latentdb.store import Store

_LOG = logging.getLogger(__name__)
#: Rows up to which a space is measured exactly, and without being told to: about ten seconds.
EXACT_ROWS: Final = 5000


@final
@dataclass(frozen=True, eq=False)
class RowEnergies:
    """Energies of all rows of a space now: ids (n,) sorted, nats per dimension, deviations."""

    ids: IdArray
    energy: FloatArray
    z: FloatArray


def row_energies(store: Store, space: Space) -> RowEnergies:
    """Energies of every row that `space` has now.

    Where none were measured, those of a space of at most 5,000 rows are, and kept. Rows that came
    since are measured over the corpus that was kept, as far as that is as little work.

    Raises
    ------
    NotEnoughDataError
        There are none, and too many rows to measure them here; the text names the command. Or
        the space has fewer than two rows.
    """
    kept = EnergyShelf(store).find(space) or _measured(store, space)
    kept = _with_later(store, space, kept)
    there = store.vector_ids(space.name)
    ids, energies = kept.rows()
    at = np.searchsorted(ids, there)
    return RowEnergies(there, energies[at], kept.z(energies[at]))


def _measured(store: Store, space: Space) -> SpaceEnergy:
    n = len(store.vector_ids(space.name))
    if n > EXACT_ROWS:
        raise NotEnoughDataError(
            f"space {space.name!r} of {n} rows has no energies yet, and measuring them takes "
            f"minutes: latentdb energy DB --space {space.name}"
        )
    _LOG.warning("measuring the energies of the %d rows of %s, once", n, space.name)
    return _kept(store, measured_exactly(space, store.all_vectors(space.name)))


def _with_later(store: Store, space: Space, kept: SpaceEnergy) -> SpaceEnergy:
    """The same with every row that is there now."""
    there = store.vector_ids(space.name)
    new = np.setdiff1d(there, kept.rows()[0])
    if not len(new):
        return kept
    corpus = np.intersect1d(kept.ids, there)
    if not len(corpus) or len(new) * len(corpus) > EXACT_ROWS**2:
        raise NotEnoughDataError(
            f"{len(new)} rows of space {space.name!r} came after its energies were measured over "
            f"{len(kept.ids)}, of which {len(corpus)} are left: measure them anew with "
            f"latentdb energy DB --space {space.name}"
        )
    _LOG.warning("measuring the energies of %d rows that came to %s since", len(new), space.name)
    energies = measured_later(
        kept, store.vectors(space.name, corpus), store.vectors(space.name, new)
    )
    return _kept(store, kept.with_later(new, energies))


def _kept(store: Store, energy: SpaceEnergy) -> SpaceEnergy:
    """The energies, written where that is allowed: a database that is only read answers too."""
    try:
        EnergyShelf(store).put(energy)
    except ArtefactError as error:
        _LOG.warning("the energies are not kept: %s", error)
    return energy
