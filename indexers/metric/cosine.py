"""The cosine distance, 1 − cos θ."""

from __future__ import annotations

from typing import ClassVar, final

import numpy as np

from indexers.metric.abstract import AbstractMetric
from indexers.metric.angles import angle_matrix, unit_rows
from indexers.types import FloatArray, MetricName


@final
class CosineMetric(AbstractMetric):
    """`1 − cos θ`, in [0, 2], as 2 sin²(θ/2): exact to float64 for the smallest angles too.

    A zero vector has no direction: it raises `ZeroVectorError`, here and in an index.
    """

    name: ClassVar[MetricName] = "cosine"

    def _block(self, left: FloatArray, right: FloatArray) -> FloatArray:
        left_units, _ = unit_rows(left, what="X", allow_zero=False)
        right_units, _ = unit_rows(right, what="Y", allow_zero=False)
        half = np.sin(angle_matrix(left_units, right_units) / 2)
        distances: FloatArray = 2.0 * half * half
        return distances
