"""Many queries at once find what one after the other does."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexers.faiss_library import faiss
from indexers.flat import FlatConfig
from indexers.flat_scan import MANY_QUERIES
from indexers.index import build_index
from indexers.metric import make_metric

METRICS = ["cosine", "euclidean"]


def _found(index, queries, k, allowed):
    return index.search(queries, k, allowed_ids=allowed)


@settings(max_examples=60, deadline=None)
@given(
    metric=st.sampled_from(METRICS),
    count=st.integers(1, 300),
    dim=st.integers(2, 40),
    n_queries=st.integers(MANY_QUERIES, 20),
    k=st.integers(1, 40),
    share=st.sampled_from([None, 0.05, 0.6]),
    far=st.sampled_from([0.0, 1.0, 300.0]),
    seed=st.integers(0, 2**16),
)
def test_many_queries_find_what_an_exhaustive_comparison_does(
    metric, count, dim, n_queries, k, share, far, seed
):
    rng = np.random.default_rng(seed)
    rows = (rng.standard_normal((count, dim)) + far).astype(np.float32)
    queries = (rng.standard_normal((n_queries, dim)) + far).astype(np.float32)
    allowed = None if share is None else np.flatnonzero(rng.random(count) < share)
    index = build_index(rows, np.arange(count), metric=make_metric(metric), config=FlatConfig())
    found = index.search(queries, k, allowed_ids=allowed)
    there = np.arange(count) if allowed is None else allowed
    measure = make_metric(metric)
    for row, query in enumerate(queries):
        true = np.sort(measure.rows(query, rows[there]))[:k]
        got = found.distances[row][: len(true)]
        # Cosines are float32's: of rows far off the origin, angles are tiny beside them.
        np.testing.assert_allclose(got, true, rtol=1e-6, atol=2e-6 if metric == "cosine" else 1e-9)
        assert set(found.ids[row][: len(true)]) <= set(there)
        assert (found.ids[row][len(true) :] == -1).all()


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("filtered", [False, True])
def test_many_queries_find_what_each_finds_alone(metric, filtered):
    rng = np.random.default_rng(3)
    rows = rng.standard_normal((2000, 64)).astype(np.float32)
    queries = rng.standard_normal((17, 64)).astype(np.float32)
    allowed = np.flatnonzero(rng.random(2000) < 0.3) if filtered else None
    index = build_index(rows, np.arange(2000), metric=make_metric(metric), config=FlatConfig())
    together = _found(index, queries, 12, allowed)
    alone = [_found(index, query[None], 12, allowed) for query in queries]
    assert (together.ids == np.concatenate([one.ids for one in alone])).all()
    distances = np.concatenate([one.distances for one in alone])
    np.testing.assert_allclose(together.distances, distances, atol=1e-6)


def test_rows_that_rounding_cannot_tell_apart_are_told_apart():
    # Squared norms of 1e8 leave nothing of distances near 1e-2 in a float32 product.
    rng = np.random.default_rng(0)
    rows = (np.full((64, 8), 3000.0) + 0.01 * rng.standard_normal((64, 8))).astype(np.float32)
    index = build_index(rows, np.arange(64), metric=make_metric("euclidean"), config=FlatConfig())
    found = index.search(rows[:10], 3)
    assert found.ids[:, 0].tolist() == list(range(10))
    apart = np.linalg.norm(rows[:10, None].astype(np.float64) - rows[None], axis=2)
    np.testing.assert_allclose(found.distances, np.sort(apart, axis=1)[:, :3], rtol=1e-6)


@pytest.mark.parametrize("metric", METRICS)
def test_of_equal_rows_the_first_ones_answer(metric):
    rows = np.tile(np.eye(4, dtype=np.float32), (5, 1))
    index = build_index(rows, np.arange(20), metric=make_metric(metric), config=FlatConfig())
    found = index.search(np.eye(4, dtype=np.float32), 3)
    assert [sorted(row) for row in found.ids.tolist()] == [[i, i + 4, i + 8] for i in range(4)]


def test_a_filter_of_more_rows_than_are_copied_at_once_loses_none(monkeypatch):
    monkeypatch.setattr("indexers.flat_scan._COPIED_VALUES", 16 * 8)
    rng = np.random.default_rng(5)
    rows = rng.standard_normal((500, 8)).astype(np.float32)
    index = build_index(rows, np.arange(500), metric=make_metric("cosine"), config=FlatConfig())
    allowed = np.arange(0, 500, 2)
    queries = rng.standard_normal((6, 8)).astype(np.float32)
    together = index.search(queries, 5, allowed_ids=allowed)
    alone = np.concatenate([index.search(q[None], 5, allowed_ids=allowed).ids for q in queries])
    assert (together.ids == alone).all()


def test_the_figure_is_set_for_the_dimension_that_is_searched():
    rows = np.eye(6, dtype=np.float32)
    index = build_index(rows, np.arange(6), metric=make_metric("cosine"), config=FlatConfig())
    index.search(rows, 2)
    assert faiss.cvar.distance_compute_blas_threshold in (MANY_QUERIES, MANY_QUERIES * 6)
