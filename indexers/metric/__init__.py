"""Metrics: Euclidean, cosine, and the norm-aware one (NAO) with its priors."""

from indexers.metric.abstract import AbstractMetric as AbstractMetric
from indexers.metric.cosine import CosineMetric as CosineMetric
from indexers.metric.euclidean import EuclideanMetric as EuclideanMetric
