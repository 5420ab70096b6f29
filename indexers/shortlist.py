"""What a stage finds for one query: rows with their inner products, and what it left out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from indexers.types import Float32Array, IdArray


@final
@dataclass(frozen=True, slots=True, eq=False)
class Shortlist:
    """Rows that may be the nearest of one query, in no order.

    Attributes
    ----------
    positions : (m,) int64
        Distinct.
    cosines : (m,) float32
        Inner products of the unit query and the unit rows, each at most `slack` from the true one
        (beside the rounding of float32).
    slack : float
        0 where rows are compared as they are; the error of their codes where they are compressed.
    ceiling : float
        No selected row that is left out has a greater inner product: −inf where none is left out,
        `inf` where nothing is known of them.
    """

    positions: IdArray
    cosines: Float32Array
    slack: float
    ceiling: float
