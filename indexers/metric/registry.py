"""Metrics and priors by name, and from the settings that a manifest holds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy.typing as npt

from indexers.errors import MetricError
from indexers.metric.abstract import AbstractMetric
from indexers.metric.cosine import CosineMetric
from indexers.metric.euclidean import EuclideanMetric
from indexers.metric.nao import NaoMetric
from indexers.metric.priors import AbstractPrior, ChiPrior, FittedPrior, NoPrior
from indexers.types import METRIC_NAMES, PRIOR_NAMES


def make_prior(name: str, *, dim: int, norms: npt.ArrayLike | None = None) -> AbstractPrior:
    """Prior by its name.

    Parameters
    ----------
    name : "chi", "fitted" or "none"
    dim : int
        Dimension of the vectors; what chi needs.
    norms : (n,) or None
        Norms of a corpus; what `fitted` needs, and only that.

    Raises
    ------
    MetricError
        No such prior, or `fitted` without norms.
    """
    if name == "chi":
        return ChiPrior(dim)
    if name == "none":
        return NoPrior()
    if name != "fitted":
        raise MetricError(f"expected a prior of {', '.join(PRIOR_NAMES)}, got {name!r}")
    if norms is None:
        raise MetricError(
            "expected the norms of a corpus for the fitted prior, got none; "
            "pass norms=, or use the chi prior"
        )
    return FittedPrior.from_norms(norms)


def make_metric(name: str, prior: AbstractPrior | None = None) -> AbstractMetric:
    """Metric by its name.

    Raises
    ------
    MetricError
        No such metric, `nao` without a prior, or another metric with one.
    """
    if name == "nao":
        if prior is None:
            raise MetricError("expected a prior for the nao metric, got none; see make_prior")
        return NaoMetric(prior)
    if prior is not None:
        raise MetricError(f"expected no prior for the {name} metric, got {prior!r}")
    if name == "euclidean":
        return EuclideanMetric()
    if name == "cosine":
        return CosineMetric()
    raise MetricError(f"expected a metric of {', '.join(METRIC_NAMES)}, got {name!r}")


def metric_from_settings(settings: Mapping[str, Any]) -> AbstractMetric:
    """The metric whose `settings()` these are.

    Raises
    ------
    MetricError
        No such metric or prior.
    """
    prior = settings.get("prior")
    return make_metric(
        str(settings.get("name")), None if prior is None else prior_from_settings(prior)
    )


def prior_from_settings(settings: Mapping[str, Any]) -> AbstractPrior:
    """The prior whose `settings()` these are.

    Raises
    ------
    MetricError
        No such prior.
    """
    name = settings.get("name")
    if name == "fitted":
        return FittedPrior(float(settings["mean"]), float(settings["std"]))
    return make_prior(str(name), dim=int(settings.get("dim", 0)))
