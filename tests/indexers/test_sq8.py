"""The SQ8 stage: exact answers through codes, whatever the codes are worth."""

from __future__ import annotations

import numpy as np
import pytest

from indexers import code_scan
from indexers.faiss_library import faiss
from indexers.flat import FlatConfig
from indexers.index import build_index
from indexers.metric import CosineMetric, EuclideanMetric
from indexers.sq8 import Sq8Config

METRICS = [EuclideanMetric(), CosineMetric()]


def gaussian(count, dim, seed):
    return np.random.default_rng(seed).standard_normal((count, dim)).astype(np.float32)


def assert_like_flat(vectors, queries, metric, k=10):
    ids = np.arange(len(vectors))
    codes = build_index(vectors, ids, metric=metric, config=Sq8Config())
    flat = build_index(vectors, ids, metric=metric, config=FlatConfig())
    found, true = codes.search(queries, k), flat.search(queries, k)
    assert found.exact
    np.testing.assert_allclose(found.distances, true.distances, rtol=1e-5, atol=2e-6)
    return codes


@pytest.mark.parametrize("metric", METRICS, ids=["euclidean", "cosine"])
@pytest.mark.parametrize("dim", [3, 64, 1000])
def test_answers_are_those_of_the_flat_index(metric, dim):
    assert_like_flat(gaussian(3000, dim, 1), gaussian(7, dim, 2), metric)


@pytest.mark.parametrize("metric", METRICS, ids=["euclidean", "cosine"])
def test_coordinates_of_unlike_scale_cost_time_and_not_truth(metric):
    scales = np.geomspace(1e-3, 1e2, 32).astype(np.float32)
    assert_like_flat(gaussian(2000, 32, 3) * scales, gaussian(5, 32, 4) * scales, metric)


def test_equal_rows_are_no_obstacle():
    vectors = np.repeat(gaussian(2, 16, 5), 500, axis=0)
    assert_like_flat(vectors, vectors[:1], EuclideanMetric())


def test_rows_added_later_get_codes_that_fit_them():
    small = build_index(
        gaussian(10, 64, 6) * np.float32(1e-3),
        np.arange(10),
        metric=EuclideanMetric(),
        config=Sq8Config(),
    )
    later = gaussian(2000, 64, 7)
    small.add(later, np.arange(10, 2010))
    # Values of ±5 standard deviations in 255 steps.
    assert np.median(small.stage.errors) == pytest.approx(10 / 255 / np.sqrt(12) * 8, rel=0.1)
    assert small.search(later[:1], 1).ids[0, 0] == 10


def test_errors_bound_what_the_codes_lose():
    index = assert_like_flat(gaussian(1500, 48, 8), gaussian(3, 48, 9), EuclideanMetric())
    codes = index.stage.faiss_index.base_index
    decoded = np.stack([codes.reconstruct(i) for i in range(50)])
    lost = np.linalg.norm(decoded - index.stage.view()[:50], axis=1)
    assert (lost <= index.stage.errors[:50]).all()


@pytest.mark.parametrize("metric", METRICS, ids=["euclidean", "cosine"])
@pytest.mark.parametrize("share", [1.0, 0.5, 0.01])
def test_ranges_searched_side_by_side_give_the_same_answer(metric, share, monkeypatch):
    monkeypatch.setattr(code_scan, "_LEAST_VALUES", 1)
    vectors, query = gaussian(4000, 32, 10), gaussian(1, 32, 11)
    allowed = np.flatnonzero(np.random.default_rng(12).random(4000) < share)
    codes = build_index(vectors, np.arange(4000), metric=metric, config=Sq8Config())
    flat = build_index(vectors, np.arange(4000), metric=metric, config=FlatConfig())
    threads = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(3)
    try:
        found = codes.search(query, 10, allowed_ids=allowed)
    finally:
        faiss.omp_set_num_threads(threads)
    true = flat.search(query, 10, allowed_ids=allowed)
    np.testing.assert_allclose(found.distances, true.distances, rtol=1e-5, atol=2e-6)
