"""Whether two sets of vectors for the same items agree on who is near whom."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from latentdb.arrays import FloatArray

MUTUAL_K: Final = 10


def nearest_others(unit: FloatArray, *, k: int = MUTUAL_K) -> NDArray[np.intp]:
    """Positions (n, k) of the `k` rows most alike by cosine to each row (n, dim) of norm 1.

    A row is not its own neighbour; among rows exactly as alike the order is arbitrary.
    """
    similarity = unit @ unit.T
    np.fill_diagonal(similarity, -np.inf)
    found: NDArray[np.intp] = np.argpartition(-similarity, k - 1, axis=1)[:, :k]
    return found


def mutual_overlap(left: NDArray[np.intp], right: NDArray[np.intp]) -> FloatArray:
    """Share (n,) of each item's neighbours, (n, k) by either, that both sides name.

    Chance is k/(n − 1). Unlike measures of whole similarity it does not grow with the width of
    the vectors alone, but a map on permuted pairs still keeps some of the source's own
    neighbourhoods: its overlap, not chance, is what a map has to exceed.

    References
    ----------
    Huh, Cheung, Wang and Isola, "The Platonic representation hypothesis", ICML 2024
    (arXiv 2405.07987). Local agreement as what survives calibration: arXiv 2602.14486.
    """
    common = (left[:, :, None] == right[:, None, :]).any(axis=2)
    overlap: FloatArray = common.mean(axis=1)
    return overlap
