"""Energies of rows: all of a space exactly, and later rows over the corpus that was kept."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np

from latentdb.arrays import FloatArray, IdArray
from latentdb.artefacts import SpaceRef
from latentdb.energy.facts import Schedule
from latentdb.energy.kept import EnergyScale, SpaceEnergy
from latentdb.errors import NotEnoughDataError
from latentdb.geometry.marginal_energy import EnergyCorpus, NoisePrior, marginal_energy
from latentdb.model import Vectors
from latentdb.space import Space
from latentdb.types import SpaceRows

#: Told how many more rows are done.
Progress = Callable[[int], None]

TOLERANCE: Final = 1e-3
_BLOCK: Final = 512


def silent(done: int) -> None:
    """Progress that nobody follows."""
    del done


def scale_of(space: str, vectors: Vectors, schedule: Schedule) -> EnergyScale:
    """Mean and one deviation of vectors (n, dim), for a schedule.

    Raises
    ------
    NotEnoughDataError
        Fewer than two rows, or all the same: no row is more typical than another.
    """
    centre = vectors.mean(axis=0, dtype=np.float64) if len(vectors) else np.empty(0)
    deviation = _deviation(vectors, centre) if len(vectors) else 0.0
    if len(vectors) < 2 or deviation == 0:
        raise NotEnoughDataError(
            f"the energy of a row is over the other rows; space {space!r} holds {len(vectors)} "
            "rows, and needs two different ones: latentdb ingest DB SOURCE"
        )
    return EnergyScale(centre, deviation, schedule)


def _deviation(vectors: Vectors, centre: FloatArray) -> float:
    total = 0.0
    for start in range(0, len(vectors), _BLOCK):
        total += float(np.square(vectors[start : start + _BLOCK] - centre).sum())
    return float(np.sqrt(total / vectors.size))


def prior_of(scale: EnergyScale) -> NoisePrior:
    """The noise levels of a space's energies."""
    dim = len(scale.centre)
    if scale.schedule == "flow":
        return NoisePrior.flow_matching(dim)
    return NoisePrior.exploding(dim)


def measured_exactly(
    space: Space,
    rows: SpaceRows,
    *,
    schedule: Schedule = "exploding",
    progress: Progress = silent,
) -> SpaceEnergy:
    """Energies of all rows (sorted by id), each over all others.

    Raises
    ------
    NotEnoughDataError
        See `scale_of`.
    """
    scale = scale_of(space.name, rows.vectors, schedule)
    corpus = EnergyCorpus(scale.apply(rows.vectors))
    own = np.arange(len(rows.ids))
    energies = _over(corpus, scale, corpus.vectors, own, progress)
    return SpaceEnergy(
        SpaceRef.of(space), rows.ids, energies, scale, "exact", TOLERANCE, 0.0, is_certain=True
    )


def measured_later(kept: SpaceEnergy, corpus: Vectors, vectors: Vectors) -> FloatArray:
    """Energies of later vectors (m, dim) over the vectors (n, dim) of a kept corpus, (m,)."""
    own = np.full(len(vectors), -1)
    scaled = EnergyCorpus(kept.scale.apply(corpus))
    return _over(scaled, kept.scale, kept.scale.apply(vectors), own, silent)


def _over(
    corpus: EnergyCorpus, scale: EnergyScale, queries: Vectors, own: IdArray, progress: Progress
) -> FloatArray:
    """Energies of scaled queries in nats per dimension, a block at a time."""
    prior, energies = prior_of(scale), np.empty(len(queries))
    for start in range(0, len(queries), _BLOCK):
        block = slice(start, start + _BLOCK)
        found = marginal_energy(queries[block], corpus, prior, own_rows=own[block])
        energies[block] = found.energy / corpus.dim
        progress(len(found.energy))
    return energies
