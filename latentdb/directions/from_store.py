"""The direction of a stored label."""

from __future__ import annotations

import numpy as np

from latentdb.directions.direction import Direction
from latentdb.directions.fit import DirectionOptions, fit_direction
from latentdb.store import Store


def fit_label_direction(
    store: Store, name: str, *, space: str, label: str, options: DirectionOptions
) -> Direction:
    """The direction `name` of a binary label among the items of `store` that have both.

    Raises
    ------
    LabelsError
        There is no such label, or it is not of two values.
    NotEnoughDataError
        Too few items on one side.
    """
    home = store.space(space)
    ids, values = store.binary_label(label)
    ids, at, _ = np.intersect1d(ids, store.vector_ids(space), return_indices=True)
    vectors = store.vectors(space, ids)
    return fit_direction(vectors, values[at], name=name, space=home, ids=ids, options=options)
