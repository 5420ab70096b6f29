"""Which index of a space, and the metric that it measures by."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from indexers.metric import AbstractMetric, make_metric, make_prior
from indexers.types import METRIC_NAMES, PRIOR_NAMES, FloatArray, MetricName, PriorName


class IndexName(NamedTuple):
    """Which index of a space: `clip--cosine`, `noise--nao--chi` is its folder."""

    space: str
    metric: MetricName
    prior: PriorName | None

    @classmethod
    def of(cls, space: str, metric: MetricName, prior: PriorName | None) -> IndexName:
        """The name; a prior is of `nao` alone."""
        return cls(space, metric, (prior or PRIOR_NAMES[0]) if metric == "nao" else None)

    def __str__(self) -> str:
        named = f"{self.space}--{self.metric}"
        return named if self.prior is None else f"{named}--{self.prior}"

    @classmethod
    def parse(cls, folder: str) -> IndexName | None:
        """The name of a folder, None where it is not an index's."""
        space, _, rest = folder.partition("--")
        metric, _, prior = rest.partition("--")
        found = next((one for one in METRIC_NAMES if one == metric), None)
        if found is None:
            return None
        return cls(space, found, next((one for one in PRIOR_NAMES if one == prior), None))


def metric_for(name: IndexName, dim: int, norms: Callable[[], FloatArray]) -> AbstractMetric:
    """The metric of that name for vectors of `dim` values.

    A fitted prior is fitted to what `norms` reads: the norm of each stored vector, (n,).
    """
    if name.prior is None:
        return make_metric(name.metric)
    fitted_to = norms() if name.prior == "fitted" else None
    return make_metric(name.metric, make_prior(name.prior, dim=dim, norms=fitted_to))
