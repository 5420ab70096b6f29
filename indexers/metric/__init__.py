"""Metrics: Euclidean, cosine, and the norm-aware one (NAO) with its priors."""

from indexers.metric.abstract import AbstractMetric as AbstractMetric
from indexers.metric.cosine import CosineMetric as CosineMetric
from indexers.metric.euclidean import EuclideanMetric as EuclideanMetric
from indexers.metric.nao import NaoMetric as NaoMetric
from indexers.metric.nao import NaoParts as NaoParts
from indexers.metric.priors import AbstractPrior as AbstractPrior
from indexers.metric.priors import AbstractRadialPrior as AbstractRadialPrior
from indexers.metric.priors import ChiPrior as ChiPrior
from indexers.metric.priors import FittedPrior as FittedPrior
from indexers.metric.priors import NoPrior as NoPrior
from indexers.metric.registry import make_metric as make_metric
from indexers.metric.registry import make_prior as make_prior
from indexers.metric.registry import metric_from_settings as metric_from_settings
