"""Which form an index uses for a metric."""

from __future__ import annotations

from indexers.errors import MetricError
from indexers.forms import AbstractForm, CosineForm, EuclideanForm
from indexers.metric.abstract import AbstractMetric
from indexers.metric.cosine import CosineMetric
from indexers.metric.euclidean import EuclideanMetric
from indexers.metric.nao import NaoMetric
from indexers.nao_form import NaoForm
from indexers.stage import AbstractIndexConfig


def form_for(metric: AbstractMetric, config: AbstractIndexConfig) -> AbstractForm:
    """The form of a metric in an index of this kind.

    Raises
    ------
    MetricError
        No index knows how to search by this metric.
    """
    if isinstance(metric, EuclideanMetric):
        return EuclideanForm()
    if isinstance(metric, CosineMetric):
        return CosineForm()
    if isinstance(metric, NaoMetric):
        return NaoForm(metric, has_penalty=not (config.is_exact or config.compresses))
    raise MetricError(
        f"expected a metric that an index can search by, got {type(metric).__name__}; "
        "use EuclideanMetric, CosineMetric or NaoMetric"
    )
