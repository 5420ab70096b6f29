"""Scores of maps against formulas written out another way."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import r2_score
from sklearn.metrics.pairwise import cosine_similarity
from sklearn.neighbors import NearestNeighbors

from indexers.errors import DimensionError
from latentdb.errors import NotEnoughDataError, WorthlessMapError
from latentdb.stitch import MapScores, NullScores, score_predictions
from latentdb.stitch.evaluate import match_probability, permuted_null


def _case(n=60, dim=6, noise=1.0, seed=0):
    rng = np.random.default_rng(seed)
    actual = rng.normal(size=(n, dim)) + 2.0
    return actual + noise * rng.normal(size=(n, dim)), actual


def test_r2_is_that_of_scikit_learn_when_the_mean_is_the_same():
    predicted, actual = _case()
    scores = score_predictions(predicted, actual, mean=actual.mean(0), spread=2.4)
    expected = r2_score(actual, predicted, multioutput="variance_weighted")
    assert scores.r2.value == pytest.approx(expected)


def test_cosines_are_those_of_scikit_learn():
    predicted, actual = _case()
    mean = np.full(6, 1.9)
    scores = score_predictions(predicted, actual, mean=mean, spread=2.4)
    assert scores.cosine.value == pytest.approx(
        np.diag(cosine_similarity(predicted, actual)).mean()
    )
    assert scores.centred_cosine.value == pytest.approx(
        np.diag(cosine_similarity(predicted - mean, actual - mean)).mean()
    )
    assert scores.baseline_cosine == pytest.approx(cosine_similarity(mean[None], actual).mean())


@pytest.mark.parametrize("k", [1, 10, 100])
def test_recall_is_what_a_cosine_search_finds_in_either_direction(k):
    predicted, actual = _case(n=200, noise=1.5)
    mean = actual.mean(0)
    scores = score_predictions(predicted, actual, mean=mean, spread=2.4)
    centred = predicted - mean
    restored = mean + 2.4 * centred / np.linalg.norm(centred, axis=1, keepdims=True)

    def found(queries, gallery):
        search = NearestNeighbors(n_neighbors=k, metric="cosine").fit(gallery)
        nearest = search.kneighbors(queries, return_distance=False)
        return np.mean([i in row for i, row in enumerate(nearest)])

    assert getattr(scores, f"recall_at_{k}").value == pytest.approx(found(restored, actual))
    assert getattr(scores, f"reverse_recall_at_{k}").value == pytest.approx(found(actual, restored))


def test_mean_vector_baseline_scores_nothing_that_counts():
    _, actual = _case()
    mean = actual.mean(0)
    scores = score_predictions(np.tile(mean, (len(actual), 1)), actual, mean=mean, spread=2.4)
    assert scores.r2.value == pytest.approx(0.0)
    assert scores.centred_cosine.value == 0.0
    assert scores.cosine.value == pytest.approx(scores.baseline_cosine)
    assert scores.recall_at_10.value == pytest.approx(scores.chance_at(10))


def test_recall_does_not_suffer_from_shrinkage():
    predicted, actual = _case(n=300, noise=1.0)
    mean = actual.mean(0)
    plain = score_predictions(predicted, actual, mean=mean, spread=2.4)
    shrunk = score_predictions(mean + 1e-3 * (predicted - mean), actual, mean=mean, spread=2.4)
    assert shrunk.recall_at_10.value == pytest.approx(plain.recall_at_10.value)
    assert plain.recall_at_10.value > 3 * plain.chance_at(10)
    assert shrunk.r2.value < 0.01


def test_perfect_predictions_score_one():
    _, actual = _case(dim=40)
    scores = score_predictions(actual, actual, mean=actual.mean(0), spread=6.3)
    for name in ("r2", "cosine", "centred_cosine", "recall_at_1", "reverse_recall_at_1"):
        assert getattr(scores, name).value == pytest.approx(1.0)


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 500), levels=st.integers(1, 4), k=st.integers(1, 8))
def test_ties_count_as_the_mean_over_the_orders_they_may_come_in(seed, levels, k):
    rng = np.random.default_rng(seed)
    similarity = rng.integers(0, levels, size=(8, 8)).astype(float)
    chance = match_probability(similarity, k=k)
    drawn = np.zeros(8)
    rounds = 1500
    for _ in range(rounds):
        order = np.lexsort((rng.random((8, 8)), -similarity), axis=1)[:, :k]
        drawn += (order == np.arange(8)[:, None]).any(axis=1)
    np.testing.assert_allclose(chance, drawn / rounds, atol=0.07)


def test_intervals_hold_the_value_and_narrow_with_more_items():
    few = score_predictions(*_case(n=50), mean=np.full(6, 2.0), spread=2.4)
    many = score_predictions(*_case(n=1000), mean=np.full(6, 2.0), spread=2.4)
    for name in ("r2", "centred_cosine"):
        small, large = getattr(few, name), getattr(many, name)
        assert small.low < small.value < small.high
        assert large.high - large.low < 0.5 * (small.high - small.low)


def test_null_refits_to_shuffled_targets():
    rng = np.random.default_rng(0)
    targets, actual = rng.normal(size=(40, 3)), rng.normal(size=(20, 3))
    seen = []

    def refit_predict(shuffled):
        seen.append(shuffled)
        return np.zeros((20, 3))

    null = permuted_null(refit_predict, targets, actual, seed=0, n_permutations=4)
    assert null.n_permutations == len(seen) == 4
    for shuffled in seen:
        assert not np.array_equal(shuffled, targets)
        np.testing.assert_array_equal(np.sort(shuffled, axis=0), np.sort(targets, axis=0))


def test_scores_round_trip_through_json():
    predicted, actual = _case()
    scores = score_predictions(predicted, actual, mean=actual.mean(0), spread=2.4)
    assert MapScores.from_json(json.loads(json.dumps(scores.to_json()))) == scores
    null = NullScores(19, 0.0, 0.01, 0.16, 0.2)
    with_null = MapScores(**{**vars(scores), "null": null})
    assert MapScores.from_json(json.loads(json.dumps(with_null.to_json()))) == with_null
    assert with_null.beats_null
    assert with_null.summary()["null_recall_at_10"] == 0.16


def test_scores_without_null_cannot_say_that_they_beat_it():
    scores = score_predictions(*_case(), mean=np.zeros(6), spread=2.4)
    with pytest.raises(NotEnoughDataError, match="no permuted maps"):
        _ = scores.beats_null


def test_too_few_or_unpaired_rows_are_refused():
    predicted, actual = _case()
    with pytest.raises(NotEnoughDataError, match="at least 11 held-out pairs, got 10"):
        score_predictions(predicted[:10], actual[:10], mean=np.zeros(6), spread=2.4)
    with pytest.raises(DimensionError, match="pair them"):
        score_predictions(predicted[1:], actual, mean=np.zeros(6), spread=2.4)
    with pytest.raises(NotEnoughDataError, match="nothing to score"):
        score_predictions(predicted, np.ones_like(actual), mean=np.ones(6), spread=2.4)


def test_overlap_of_neighbours_is_that_of_scikit_learn():
    predicted, actual = _case(n=80, dim=5, noise=0.7)
    mean = actual.mean(0)
    scores = score_predictions(predicted, actual, mean=mean, spread=2.4)
    centred = predicted - mean
    restored = mean + 2.4 * centred / np.linalg.norm(centred, axis=1, keepdims=True)

    def neighbours(rows):
        search = NearestNeighbors(n_neighbors=11, metric="cosine").fit(rows)
        return search.kneighbors(rows, return_distance=False)[:, 1:]

    pairs = zip(neighbours(restored), neighbours(actual), strict=True)
    expected = np.mean([len(set(a) & set(b)) / 10 for a, b in pairs])
    assert scores.mutual_knn.value == pytest.approx(expected)
    assert 0.2 < expected < 0.9


def test_recall_at_100_is_left_out_where_the_gallery_is_no_larger():
    small = score_predictions(*_case(n=100), mean=np.full(6, 2.0), spread=2.4)
    assert small.recall_at_100 is None
    assert "recall_at_100" not in small.to_json()
    assert MapScores.from_json(small.to_json()) == small


def test_unrelated_maps_agree_on_neighbours_by_chance():
    rng = np.random.default_rng(0)
    targets, actual = rng.normal(size=(300, 8)), rng.normal(size=(200, 8))
    null = permuted_null(
        lambda shuffled: shuffled[:200], targets, actual, seed=0, n_permutations=10
    )
    assert null.mutual_knn_mean == pytest.approx(10 / 199, abs=0.01)
    assert null.mutual_knn_max < 0.08


def test_a_map_that_does_not_beat_its_null_is_refused_with_its_figures():
    scores = score_predictions(*_case(noise=50.0), mean=np.full(6, 2.0), spread=2.4)
    null = NullScores(19, 0.0, 0.3, 0.16, 0.4)
    with pytest.raises(WorthlessMapError, match=r"a → b .* up to 0\.400, .*--method.*force=True"):
        MapScores(**{**vars(scores), "null": null}).require_beats_null("a → b")
    scores.require_beats_null("a → b")
