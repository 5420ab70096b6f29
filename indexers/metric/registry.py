"""Metrics by name, and from the settings that a manifest holds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from indexers.errors import MetricError
from indexers.metric.abstract import AbstractMetric
from indexers.metric.cosine import CosineMetric
from indexers.metric.euclidean import EuclideanMetric
from indexers.types import METRIC_NAMES


def metric_from_settings(settings: Mapping[str, Any]) -> AbstractMetric:
    """The metric whose `settings()` these are.

    Raises
    ------
    MetricError
        No such metric.
    """
    name = settings.get("name")
    if name == "euclidean":
        return EuclideanMetric()
    if name == "cosine":
        return CosineMetric()
    raise MetricError(f"expected a metric of {', '.join(METRIC_NAMES)}, got {name!r}")
