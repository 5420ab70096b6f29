"""Measuring a space's energies and keeping them: what `latentdb energy` does."""

from __future__ import annotations

from typing import TypedDict, Unpack

import numpy as np

from indexers.errors import ParameterError
from latentdb.catalog import Catalog
from latentdb.energy.by_neighbours import measured_by_neighbours
from latentdb.energy.columns import EXACT_ROWS
from latentdb.energy.facts import Schedule
from latentdb.energy.kept import EnergyShelf, SpaceEnergy
from latentdb.energy.measure import TOLERANCE, Progress, measured_exactly, silent
from latentdb.space import Space


class EnergyOptions(TypedDict, total=False):
    """Keyword form of what `measure_energy` takes besides the space."""

    schedule: Schedule | None
    tolerance: float
    again: bool
    progress: Progress


def measure_energy(catalog: Catalog, space: str, **options: Unpack[EnergyOptions]) -> SpaceEnergy:
    """Leave-one-out marginal energy of every row of a space, kept for filters and rankings.

    A space of at most 5,000 rows is measured exactly, a larger one by neighbours, within bounds.
    What is kept is taken where it is of just the rows that are there, and as narrow as asked.

    Parameters
    ----------
    catalog : Catalog
    space : str
    schedule : "exploding" or "flow", optional
        Noise levels; see `EnergyScale`. That of what is kept, else "exploding".
    tolerance : float
        Nats per dimension that an energy may be uncertain by, above 0; 0.001 by default.
    again : bool
        Measure although what is kept would do.
    progress : callable
        Told how many more rows are done.

    Raises
    ------
    UnknownSpaceError, NotEnoughDataError, ParameterError
        No such space; fewer than two different rows; a tolerance that is not above 0.
    """
    tolerance, progress = options.get("tolerance", TOLERANCE), options.get("progress", silent)
    if not tolerance > 0:
        raise ParameterError(f"a tolerance is above 0 nats per dimension, got {tolerance}")
    home, shelf = catalog.store.space(space), EnergyShelf(catalog.store)
    kept = shelf.find(home)
    schedule = options.get("schedule") or ("exploding" if kept is None else kept.scale.schedule)
    if kept is not None and not options.get("again", False):
        is_enough = kept.max_width <= tolerance and kept.scale.schedule == schedule
        if is_enough and np.array_equal(kept.ids, catalog.store.vector_ids(space)):
            return kept
    measured = _measured(catalog, home, schedule, tolerance, progress)
    shelf.put(measured)
    return measured


def _measured(
    catalog: Catalog, home: Space, schedule: Schedule, tolerance: float, progress: Progress
) -> SpaceEnergy:
    rows = catalog.store.all_vectors(home.name)
    if len(rows.ids) <= EXACT_ROWS:
        return measured_exactly(home, rows, schedule=schedule, progress=progress)
    index = catalog.indexes.live(home, "euclidean", None)
    return measured_by_neighbours(
        home, rows, index, tolerance=tolerance, schedule=schedule, progress=progress
    )
