"""Recall by distance."""

from __future__ import annotations

import numpy as np
import pytest

from indexers.errors import DimensionError, ParameterError
from indexers.flat import FlatConfig
from indexers.hnsw import HnswConfig
from indexers.index import build_index
from indexers.metric import EuclideanMetric
from indexers.recall import measured_recall, recall_at_k


def test_ties_are_not_punished():
    assert recall_at_k([[1.0, 2.0, 2.0]], [[1.0, 2.0, 2.0, 2.0]], 3) == 1.0


def test_a_farther_hit_does_not_count():
    assert recall_at_k([[1.0, 2.0, 9.0]], [[1.0, 2.0, 3.0]], 3) == pytest.approx(2 / 3)


def test_padding_is_no_hit_and_no_truth():
    assert recall_at_k([[1.0, np.inf]], [[1.0, 2.0]], 2) == 0.5
    assert recall_at_k([[1.0, np.inf]], [[1.0, np.inf]], 2) == 1.0


def test_no_truth_is_found_whole():
    assert recall_at_k(np.empty((0, 3)), np.empty((0, 3)), 3) == 1.0


def test_float32_rounding_is_forgiven():
    assert recall_at_k([[3e-7]], [[0.0]], 1) == 1.0


def test_wrong_arguments_are_refused():
    with pytest.raises(DimensionError, match="n_queries"):
        recall_at_k([1.0], [[1.0]], 1)
    with pytest.raises(ParameterError, match="relative_tolerance"):
        recall_at_k([[1.0]], [[1.0]], 1, relative_tolerance=-1)


def test_the_recall_of_an_index_is_measured_without_the_queries_themselves():
    vectors = np.random.default_rng(0).standard_normal((600, 24)).astype(np.float32)
    ids = np.arange(600)
    exact = build_index(vectors, ids, metric=EuclideanMetric(), config=FlatConfig())
    poor = build_index(vectors, ids, metric=EuclideanMetric(), config=HnswConfig(m=2, ef_search=2))
    assert measured_recall(exact, exact, vectors[:20]) == 1.0
    assert 0.05 < measured_recall(poor, exact, vectors[:50]) < 0.95
