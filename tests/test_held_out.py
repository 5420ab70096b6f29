"""The split by item and the intervals."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexers.errors import ParameterError
from latentdb.held_out import Estimate, hash_ids, mean_estimate, resample_counts, split_by_item


@given(seed=st.integers(0, 2**32), order=st.randoms())
def test_split_does_not_depend_on_the_order_of_rows(seed, order):
    ids = np.arange(1000, 1050)
    shuffled = np.array(order.sample(ids.tolist(), len(ids)))
    held = set(ids[split_by_item(ids, seed=seed)])
    assert held == set(shuffled[split_by_item(shuffled, seed=seed)])


@given(n=st.integers(5, 200), fraction=st.floats(0.05, 0.95), seed=st.integers(0, 100))
def test_split_holds_out_the_share_asked_for(n, fraction, seed):
    mask = split_by_item(np.arange(n), seed=seed, fraction=fraction)
    assert abs(mask.sum() - fraction * n) <= 0.5


def test_split_holds_out_the_share_of_each_stratum():
    is_rare = np.arange(200) < 10
    mask = split_by_item(np.arange(200), seed=3, fraction=0.2, strata=is_rare)
    assert (mask & is_rare).sum() == 2
    assert (mask & ~is_rare).sum() == 38


def test_seeds_give_unrelated_splits():
    ids = np.arange(20_000)
    first, second = (split_by_item(ids, seed=seed) for seed in (0, 1))
    overlap = (first & second).sum()
    # Binomial(4000, .2): mean 800, standard deviation 25.
    assert abs(overlap - 800) < 125


def test_consecutive_ids_are_split_without_pattern():
    mask = split_by_item(np.arange(20_000), seed=0).astype(float)
    assert abs(np.corrcoef(mask[1:], mask[:-1])[0, 1]) < 0.035


@pytest.mark.parametrize("fraction", [0.0, 1.0, -0.1])
def test_split_refuses_a_share_that_leaves_a_part_empty(fraction):
    with pytest.raises(ParameterError, match="between 0 and 1"):
        split_by_item(np.arange(9), seed=0, fraction=fraction)


def test_ids_hash_stands_for_the_set():
    ids = np.array([5, 1, 9])
    assert hash_ids(ids) == hash_ids(np.sort(ids))
    assert hash_ids(ids) != hash_ids(np.array([5, 1, 8]))


def test_interval_of_a_mean_covers_as_often_as_it_says():
    rng = np.random.default_rng(0)
    covered = 0
    for _ in range(200):
        counts = resample_counts(100, n_resamples=200, rng=rng)
        estimate = mean_estimate(rng.normal(size=100), counts)
        covered += estimate.low <= 0 <= estimate.high
    assert 175 <= covered <= 199


def test_estimate_round_trips_through_json():
    estimate = Estimate(0.5, 0.4, 0.6)
    assert Estimate.from_json(estimate.to_json()) == estimate
    assert str(estimate) == "0.500 [0.400, 0.600]"
