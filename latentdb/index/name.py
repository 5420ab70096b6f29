"""Which index of a space, and the metric that it measures by."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from indexers.metric import AbstractMetric, make_metric, make_prior
from indexers.types import METRIC_NAMES, PRIOR_NAMES, MetricName, PriorName
from latentdb.model import Vectors


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
        return "--".join(part for part in self if part is not None)

    @classmethod
    def parse(cls, folder: str) -> IndexName | None:
        """The name of a folder, None where it is not an index's."""
        space, _, rest = folder.partition("--")
        metric, _, prior = rest.partition("--")
        found = next((one for one in METRIC_NAMES if one == metric), None)
        if found is None:
            return None
        return cls(space, found, next((one for one in PRIOR_NAMES if one == prior), None))


def metric_for(name: IndexName, vectors: Vectors) -> AbstractMetric:
    """The metric of that name for vectors (n, dim); a fitted prior is fitted to their norms."""
    if name.prior is None:
        return make_metric(name.metric)
    is_fitted = name.prior == "fitted"
    norms = np.linalg.norm(vectors.astype(np.float64), axis=1) if is_fitted else None
    return make_metric(name.metric, make_prior(name.prior, dim=vectors.shape[1], norms=norms))
