"""The NAO index: certified answers are true ones."""

from __future__ import annotations

import numpy as np
import pytest

from indexers.errors import DimensionError
from indexers.flat import FlatConfig
from indexers.hnsw import HnswConfig
from indexers.index import build_index
from indexers.ivf import IvfConfig
from indexers.metric import ChiPrior, FittedPrior, NaoMetric, NoPrior
from indexers.recall import recall_at_k
from indexers.sq8 import Sq8Config, Sq8Stage


def make_corpus(count, dim, *, norm_sd, seed, clusters=0, spread=0.02):
    rng = np.random.default_rng(seed)
    directions = rng.standard_normal((count, dim))
    if clusters:
        directions = directions[rng.integers(0, clusters, count)]
        directions = directions + spread * rng.standard_normal((count, dim))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    norms = np.abs(np.sqrt(dim - 1) + norm_sd * rng.standard_normal((count, 1)))
    return (directions * norms).astype(np.float32)


def assert_exact(metric, vectors, queries, k=10, config=None):
    config = config or FlatConfig()
    index = build_index(vectors, np.arange(len(vectors)), metric=metric, config=config)
    result = index.search(queries, k)
    truth = np.sort(metric.pairwise(queries, vectors), axis=1)[:, :k]
    assert result.exact
    # Directions are kept in float32: angles are off by some 5e-8 rad.
    slack = 2e-7 * max(1.0, metric.from_polar(truth.max(), truth.max(), 1.0)) + 1e-6
    np.testing.assert_allclose(result.distances, truth, rtol=1e-6, atol=slack)
    return result


@pytest.mark.parametrize("config", [FlatConfig(), Sq8Config()], ids=["flat", "sq8"])
@pytest.mark.parametrize("norm_sd", [0.0, 0.7, 2.0, 8.0])
@pytest.mark.parametrize("dim", [64, 1024])
def test_a_certified_answer_is_the_true_one(dim, norm_sd, config):
    vectors = make_corpus(600, dim, norm_sd=min(norm_sd, dim / 32), seed=1)
    queries = make_corpus(6, dim, norm_sd=min(norm_sd, dim / 32), seed=2)
    assert_exact(NaoMetric(ChiPrior(dim)), vectors, queries, config=config)


@pytest.mark.parametrize(
    "metric", [NaoMetric(ChiPrior(64)), NaoMetric(NoPrior())], ids=["chi", "no"]
)
def test_near_duplicates_are_ranked_by_the_near_field(metric):
    vectors = make_corpus(500, 64, norm_sd=1.0, seed=3, clusters=5)
    assert_exact(metric, vectors, vectors[:4] + np.float32(0.001))


def test_a_fitted_prior_is_certified_too():
    vectors = make_corpus(500, 256, norm_sd=1.4, seed=4)
    metric = NaoMetric(FittedPrior.from_norms(np.linalg.norm(vectors, axis=1)))
    assert_exact(metric, vectors, make_corpus(5, 256, norm_sd=1.4, seed=5))


def test_vectors_in_the_core_are_found_at_their_own_distance():
    vectors = make_corpus(200, 64, norm_sd=0.7, seed=6)
    vectors[::20] *= np.float32(0.2)
    vectors[5] = 0.0
    queries = np.concatenate([vectors[:2], vectors[5:6], vectors[20:21] * np.float32(1.1)])
    assert_exact(NaoMetric(ChiPrior(64)), vectors, queries, k=4)


def test_a_prior_without_a_shell_is_searched_exhaustively():
    vectors = make_corpus(60, 2, norm_sd=0.3, seed=7)
    assert_exact(NaoMetric(ChiPrior(2)), vectors, vectors[:2] + np.float32(0.01), k=3)


def test_many_copies_of_one_vector_are_no_obstacle():
    vectors = np.repeat(make_corpus(3, 64, norm_sd=0.7, seed=8), 100, axis=0)
    result = assert_exact(NaoMetric(ChiPrior(64)), vectors, vectors[:1], k=5)
    np.testing.assert_array_equal(result.distances, 0.0)


def test_the_far_field_is_certified_by_one_list(monkeypatch):
    asked = []
    search = Sq8Stage.shortlists

    def count(stage, units, selection, width):
        asked.append(width)
        return search(stage, units, selection, width)

    monkeypatch.setattr(Sq8Stage, "shortlists", count)
    vectors = make_corpus(2000, 1024, norm_sd=0.7, seed=9)
    queries = make_corpus(5, 1024, norm_sd=0.7, seed=10)
    assert_exact(NaoMetric(ChiPrior(1024)), vectors, queries, config=Sq8Config())
    assert len(asked) == 1


def test_a_list_that_is_too_short_is_made_longer(monkeypatch):
    monkeypatch.setattr(Sq8Stage, "_width", lambda _, k, __: k)
    vectors = make_corpus(2000, 64, norm_sd=2.0, seed=9)
    queries = make_corpus(5, 64, norm_sd=2.0, seed=10)
    assert_exact(NaoMetric(ChiPrior(64)), vectors, queries, config=Sq8Config())


def test_rows_with_bad_codes_are_found():
    vectors = make_corpus(3000, 64, norm_sd=0.7, seed=16)
    # Along an axis: the one value lies far outside of what the codes span.
    vectors[5] = vectors[6] = 0.0
    vectors[5, 0], vectors[6, 0] = 8.0, 7.9
    queries = np.stack([vectors[5] * np.float32(1.01), vectors[6] + np.float32(0.01)])
    result = assert_exact(NaoMetric(ChiPrior(64)), vectors, queries, config=Sq8Config())
    assert set(result.ids[0, :2]) == {5, 6}


def test_filter_limit_and_certificate_work_together():
    vectors = make_corpus(500, 64, norm_sd=1.0, seed=11)
    metric, query = NaoMetric(ChiPrior(64)), make_corpus(1, 64, norm_sd=1.0, seed=12)
    index = build_index(vectors, np.arange(500), metric=metric, config=FlatConfig())
    allowed = np.arange(0, 500, 3)
    truth = np.sort(metric.pairwise(query, vectors[allowed])[0])
    result = index.search(query, 10, allowed_ids=allowed, max_distance=truth[4] * 1.000001)
    assert result.exact
    np.testing.assert_allclose(result.distances[0, :5], truth[:5], rtol=1e-6)
    assert (result.ids[0, 5:] == -1).all()


def test_norms_far_off_the_shell_lose_against_near_ones():
    vectors = make_corpus(400, 1024, norm_sd=0.0, seed=13)
    vectors[0] *= np.float32(1.2)
    index = build_index(
        vectors, np.arange(400), metric=NaoMetric(ChiPrior(1024)), config=FlatConfig()
    )
    nearest = index.search(vectors[:1] / np.float32(1.2), 400)
    assert nearest.ids[0, -1] == 0
    assert nearest.radial[0, -1] > nearest.angular[0, -1]


@pytest.mark.parametrize("norm_sd", [0.7, 2.0])
def test_a_graph_recalls_nearly_all(norm_sd):
    dim, metric = 64, NaoMetric(ChiPrior(64))
    vectors = make_corpus(3000, dim, norm_sd=norm_sd, seed=14, clusters=200, spread=0.5)
    queries = make_corpus(3000, dim, norm_sd=norm_sd, seed=14, clusters=200, spread=0.5)[::300]
    queries = queries + np.float32(0.05)
    config = HnswConfig(m=16, ef_construction=80, ef_search=128)
    graph = build_index(vectors, np.arange(3000), metric=metric, config=config)
    flat = build_index(vectors, np.arange(3000), metric=metric, config=FlatConfig())
    found, true = graph.search(queries, 10), flat.search(queries, 10)
    assert not found.exact
    assert recall_at_k(found.distances, true.distances, 10) >= 0.95


def test_links_lead_to_rows_near_the_shell_where_norms_spread_widely():
    metric = NaoMetric(ChiPrior(256))
    vectors = make_corpus(3000, 256, norm_sd=4.0, seed=16)
    queries = make_corpus(16, 256, norm_sd=4.0, seed=17)
    config = HnswConfig(m=16, ef_construction=64, ef_search=64)
    graph = build_index(vectors, np.arange(3000), metric=metric, config=config)
    truth = np.sort(metric.pairwise(queries, vectors), axis=1)[:, :10]
    # Linked by direction alone it found .7.
    assert recall_at_k(graph.search(queries, 10).distances, truth, 10) >= 0.95


def test_cells_recall_what_they_are_asked_to_visit():
    dim, metric = 64, NaoMetric(ChiPrior(64))
    vectors = make_corpus(3000, dim, norm_sd=2.0, seed=14, clusters=50, spread=0.5)
    queries = vectors[::300] + np.float32(0.05)
    config = IvfConfig(nprobe=12)
    cells = build_index(vectors[:100], np.arange(100), metric=metric, config=config)
    cells.add(vectors[100:], np.arange(100, 3000))
    flat = build_index(vectors, np.arange(3000), metric=metric, config=FlatConfig())
    found, true = cells.search(queries, 10), flat.search(queries, 10)
    assert cells.stage.faiss_index.nlist == config.cells_for(3000) > 50
    assert not found.exact
    assert recall_at_k(found.distances, true.distances, 10) >= 0.95


def test_penalties_survive_adding_to_a_graph():
    metric = NaoMetric(ChiPrior(64))
    vectors = make_corpus(300, 64, norm_sd=1.0, seed=15)
    index = build_index(vectors[:200], np.arange(200), metric=metric, config=HnswConfig(m=8))
    index.add(vectors[200:], np.arange(200, 300))
    whole = build_index(vectors, np.arange(300), metric=metric, config=HnswConfig(m=8))
    np.testing.assert_array_equal(index.stage.view(), whole.stage.view())


def test_a_chi_prior_of_another_dimension_is_refused():
    with pytest.raises(DimensionError, match=r"dimension 64.*make a ChiPrior\(8\)"):
        build_index(
            np.ones((1, 8), np.float32), [1], metric=NaoMetric(ChiPrior(64)), config=FlatConfig()
        )
