"""What every index promises, whatever its kind and metric."""

from __future__ import annotations

import faiss
import numpy as np
import pytest

from indexers.errors import (
    DimensionError,
    DtypeError,
    DuplicateIdError,
    IdError,
    IndexKindError,
    NonFiniteError,
    ParameterError,
    UnknownIdError,
    ZeroVectorError,
)
from indexers.flat import FlatConfig
from indexers.hnsw import HnswConfig
from indexers.index import build_index, train_index
from indexers.metric import EuclideanMetric
from indexers.recall import recall_at_k
from tests.indexers.conftest import DIM, METRICS, make_vectors


@pytest.fixture
def index(vectors, ids, metric, config, kept):
    return build_index(vectors, ids, metric=metric, config=config, reader=kept)


@pytest.fixture(scope="session")
def truths(queries, vectors):
    return {str(m.settings()): m.pairwise(queries, vectors) for m in METRICS.values()}


@pytest.fixture
def truth(metric, truths):
    return truths[str(metric.settings())]


def lookup(truth, ids, found):
    """True distances of found ids."""
    order = np.argsort(ids)
    columns = order[np.searchsorted(ids[order], found)]
    return np.take_along_axis(truth, columns, axis=1)


def assert_finds(index, queries, truth):
    found = index.search(queries, 10)
    true = np.sort(truth, axis=1)[:, :10]
    assert recall_at_k(found.distances, true, 10) >= (1.0 if found.exact else 0.9)


def test_search_finds_the_true_neighbours(index, queries, truth, ids):
    result = index.search(queries, 10)
    true = np.sort(truth, axis=1)[:, :10]
    if result.exact:
        np.testing.assert_allclose(result.distances, true, atol=2e-5)
    else:
        assert recall_at_k(lookup(truth, ids, result.ids), true, 10) >= 0.9


def test_distances_are_those_of_the_metric(index, queries, truth, ids):
    result = index.search(queries, 10)
    np.testing.assert_allclose(result.distances, lookup(truth, ids, result.ids), atol=2e-5)


def test_a_graph_alone_says_it_is_not_exact(index, queries):
    assert index.search(queries, 5).exact == index.config.is_exact


@pytest.mark.parametrize("n_queries", [1, 8, 32])
def test_distances_of_near_copies_are_exact_however_many_are_asked_for(n_queries):
    base = 100 + make_vectors(32, dim=4096, seed=3)
    copies = base + np.float32(1e-3)
    index = build_index(base, np.arange(32), metric=EuclideanMetric(), config=FlatConfig())
    found = index.search(copies[:n_queries], 1).distances[:, 0]
    true = np.linalg.norm(copies.astype(float) - base.astype(float), axis=1)[:n_queries]
    np.testing.assert_allclose(found, true, rtol=1e-6)


def test_rows_ascend(index, queries):
    assert (np.diff(index.search(queries, 20).distances, axis=1) >= 0).all()


def test_a_stored_vector_is_its_own_nearest(index, vectors, ids):
    result = index.search(vectors[7:8], 1)
    assert result.ids[0, 0] == ids[7]
    assert result.distances[0, 0] == pytest.approx(0.0, abs=1e-6)


def test_parts_of_nao_add_up_and_others_have_none(index, queries):
    result = index.search(queries, 5)
    if index.metric.name == "nao":
        np.testing.assert_allclose(result.angular + result.radial, result.distances)
    else:
        assert result.angular is None
        assert result.radial is None


def test_more_hits_than_vectors_are_padded(index, queries):
    result = index.search(queries[:2], 450)
    assert (result.ids[:, 400:] == -1).all()
    assert np.isinf(result.distances[:, 400:]).all()
    assert (np.sort(result.ids[:, :400], axis=1) == np.sort(index.ids)).all()


def test_an_empty_index_answers_with_padding(metric, config, queries):
    index = build_index(np.empty((0, DIM), np.float32), [], metric=metric, config=config)
    result = index.search(queries, 3)
    assert (result.ids == -1).all()
    assert np.isinf(result.distances).all()
    assert len(index) == 0


def test_no_queries_give_no_rows(index):
    assert index.search(np.empty((0, DIM), np.float32), 3).ids.shape == (0, 3)


@pytest.mark.parametrize("count", [1, 7, 60, 399])
def test_a_filter_is_applied_inside_the_search(index, queries, truth, ids, count):
    allowed = ids[:count]
    result = index.search(queries, 10, allowed_ids=allowed)
    reached = min(10, count)
    assert np.isin(result.ids[:, :reached], allowed).all()
    assert (result.ids[:, reached:] == -1).all()
    true = np.sort(truth[:, :count], axis=1)[:, :reached]
    assert recall_at_k(result.distances, true, reached) >= (1.0 if result.exact else 0.9)


def test_allowed_ids_that_are_not_here_are_passed_over(index, queries, ids):
    unknown = np.setdiff1d(np.arange(50), ids)
    assert (index.search(queries, 3, allowed_ids=unknown).ids == -1).all()
    mixed = index.search(queries, 3, allowed_ids=np.append(unknown, ids[:1]))
    assert (mixed.ids[:, 0] == ids[0]).all()


def test_an_empty_filter_allows_nothing(index, queries):
    assert (index.search(queries, 3, allowed_ids=[]).ids == -1).all()


def test_max_distance_cuts_the_answer(index, queries):
    whole = index.search(queries, 20)
    limit = float(np.median(whole.distances))
    cut = index.search(queries, 20, max_distance=limit)
    kept = whole.distances <= limit
    assert (cut.distances[np.isfinite(cut.distances)] <= limit).all()
    assert (np.isfinite(cut.distances).sum(axis=1) == kept.sum(axis=1)).all()
    assert ((cut.ids == -1) == np.isinf(cut.distances)).all()


def test_added_vectors_are_found(index, kept):
    more = make_vectors(5, seed=9)
    index.add(*kept.put(more, np.arange(1, 6)))
    assert len(index) == 405
    np.testing.assert_array_equal(index.search(more, 1).ids[:, 0], np.arange(1, 6))


def test_removed_vectors_are_not_found(index, vectors, ids):
    index.remove(ids[:40])
    assert len(index) == 360
    result = index.search(vectors[:4], 360)
    assert not np.isin(result.ids, ids[:40]).any()
    assert (result.ids >= 0).all()
    np.testing.assert_allclose(index.vectors(ids[40:50]), vectors[40:50], rtol=1e-6)


def test_a_removed_id_can_come_back_with_another_vector(index, vectors, ids, kept):
    index.remove(ids[:1])
    index.add(*kept.put(vectors[5:6] * np.float32(0.9), ids[:1]))
    np.testing.assert_allclose(index.vectors(ids[:1]), vectors[5:6] * 0.9, rtol=1e-6)
    assert len(index) == 400


def test_everything_can_be_removed(index, queries, ids):
    index.remove(ids)
    assert len(index) == 0
    assert (index.search(queries, 2).ids == -1).all()


def test_vectors_come_back_as_they_were_added(index, vectors, ids):
    np.testing.assert_allclose(index.vectors(ids[::-1]), vectors[::-1], rtol=1e-6, atol=1e-7)


def test_search_does_not_modify_queries(index, queries):
    before = queries.copy()
    index.search(queries, 3)
    np.testing.assert_array_equal(queries, before)


def test_building_does_not_modify_vectors(vectors, ids, metric, config):
    before = vectors.copy()
    build_index(vectors, ids, metric=metric, config=config)
    np.testing.assert_array_equal(vectors, before)


def test_half_precision_and_strided_queries_are_accepted(index, queries):
    strided = np.repeat(queries, 2, axis=1)[:, ::2]
    np.testing.assert_array_equal(index.search(strided, 3).ids, index.search(queries, 3).ids)
    assert index.search(queries.astype(np.float16), 3).ids.shape == (len(queries), 3)


def test_duplicate_ids_are_refused_and_nothing_is_added(index, ids):
    two = make_vectors(2, seed=5)
    with pytest.raises(DuplicateIdError, match="more than once"):
        index.add(two, [5, 5])
    with pytest.raises(DuplicateIdError, match="not in the index yet"):
        index.add(two, [5, ids[0]])
    assert len(index) == 400


def test_unknown_ids_are_refused_and_nothing_is_removed(index, ids):
    with pytest.raises(UnknownIdError, match="first: 5"):
        index.remove([ids[0], 5])
    with pytest.raises(UnknownIdError, match="first: 5"):
        index.vectors([5])
    assert len(index) == 400


@pytest.mark.parametrize("shape", [(DIM,), (2, DIM - 1), (1, 2, DIM)])
def test_a_wrong_shape_is_refused(index, shape):
    with pytest.raises(DimensionError, match=rf"shape \(n, {DIM}\)"):
        index.search(np.zeros(shape, np.float32), 1)
    with pytest.raises(DimensionError, match=rf"shape \(n, {DIM}\)"):
        index.add(np.zeros(shape, np.float32), [1])


def test_wrong_ids_are_refused(index):
    two = make_vectors(2, seed=5)
    with pytest.raises(DimensionError, match="one id per vector"):
        index.add(two, [1])
    with pytest.raises(IdError, match="from 0 to"):
        index.add(two, [1, -2])
    with pytest.raises(DtypeError, match="64-bit integers"):
        index.add(two, [0.5, 1.5])


def test_float64_is_refused(index, queries):
    with pytest.raises(DtypeError, match="float32"):
        index.search(queries.astype(np.float64), 1)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_non_finite_values_are_refused(index, queries, bad):
    broken = queries.copy()
    broken[2, 3] = bad
    with pytest.raises(NonFiniteError, match="row 2"):
        index.search(broken, 1)
    with pytest.raises(NonFiniteError, match="row 2"):
        index.add(broken, np.arange(len(broken)))
    assert len(index) == 400


@pytest.mark.parametrize("k", [0, -1, 2.5, True])
def test_a_wrong_k_is_refused(index, queries, k):
    with pytest.raises(ParameterError, match="expected k"):
        index.search(queries, k)


@pytest.mark.parametrize("limit", [-1.0, np.nan])
def test_a_wrong_max_distance_is_refused(index, queries, limit):
    with pytest.raises(ParameterError, match="max_distance"):
        index.search(queries, 1, max_distance=limit)


def test_a_zero_vector_needs_a_metric_that_knows_it(index, kept):
    zero = np.zeros((1, DIM), np.float32)
    settings = index.metric.settings()
    if settings["name"] == "cosine" or settings.get("prior") == {"name": "none"}:
        with pytest.raises(ZeroVectorError, match="row 0"):
            index.search(zero, 1)
        with pytest.raises(ZeroVectorError, match="row 0"):
            index.add(zero, [1])
    else:
        index.add(*kept.put(zero, [1]))
        assert index.search(zero, 1).ids[0, 0] == 1
        assert index.search(zero, 1).distances[0, 0] == 0.0


def test_an_index_grown_from_one_row_finds_as_much(
    metric, config, vectors, ids, kept, queries, truth
):
    index = build_index(vectors[:1], ids[:1], metric=metric, config=config, reader=kept)
    index.add(vectors[1:], ids[1:])
    assert_finds(index, queries, truth)


def test_an_index_laid_out_by_a_sample_is_filled_block_by_block(
    metric, config, vectors, ids, kept, queries, truth
):
    index = train_index(vectors[::2], count=400, metric=metric, config=config, reader=kept)
    assert len(index) == 0
    for start in range(0, 400, 150):
        index.add(vectors[start : start + 150], ids[start : start + 150])
    assert_finds(index, queries, truth)


def test_the_greatest_effort_finds_as_much_as_the_least_and_more(index, queries, truth):
    true = np.sort(truth, axis=1)[:, :10]
    efforts = index.config.efforts(len(index))
    least, most = (
        recall_at_k(index.at_effort(effort).search(queries, 10).distances, true, 10)
        for effort in (efforts[0], efforts[-1])
    )
    assert least <= most
    assert most >= 0.99


def test_an_index_at_another_effort_shares_its_rows_and_does_not_change(index, ids):
    other = index.at_effort(index.config.efforts(400)[0])
    assert other.stage.faiss_index is index.stage.faiss_index
    with pytest.raises(IndexKindError, match="shares its rows"):
        other.remove(ids[:1])


def test_another_structure_is_no_effort(index):
    other = FlatConfig() if index.config != FlatConfig() else HnswConfig()
    with pytest.raises(IndexKindError, match=f"settings of the same {index.config.kind} index"):
        index.at_effort(other)


def test_bytes_per_vector_is_what_faiss_allocates(config):
    one, many = (
        build_index(
            make_vectors(count, seed=6), np.arange(count), metric=EuclideanMetric(), config=config
        )
        for count in (2000, 4000)
    )
    sizes = [len(faiss.serialize_index(index.stage.faiss_index)) for index in (one, many)]
    stored = (sizes[1] - sizes[0]) / 2000 + 8
    assert config.bytes_per_vector(DIM) == pytest.approx(stored, rel=0.06)
