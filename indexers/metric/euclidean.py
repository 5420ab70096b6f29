"""The plain Euclidean distance."""

from __future__ import annotations

from typing import ClassVar, final

from scipy.spatial.distance import cdist

from indexers.metric.abstract import AbstractMetric
from indexers.types import FloatArray, MetricName


@final
class EuclideanMetric(AbstractMetric):
    """`‖x − y‖`, not squared, by differences (no cancellation between near neighbours)."""

    name: ClassVar[MetricName] = "euclidean"

    def _block(self, left: FloatArray, right: FloatArray) -> FloatArray:
        distances: FloatArray = cdist(left, right)
        return distances
