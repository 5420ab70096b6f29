"""Energies from neighbours lie within their bounds, and the bounds close with more neighbours."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexers.errors import DimensionError, ParameterError
from latentdb.geometry.marginal_energy import (
    EnergyCorpus,
    NearField,
    NoisePrior,
    marginal_energy,
    rest,
    widened_energies,
)

N = 400


def made(kind, dim, rng):
    """Rows of a kind that bounds find easy or hard."""
    rows = rng.normal(size=(N, dim))
    if kind == "clusters":
        rows = rng.normal(size=(8, dim))[rng.integers(8, size=N)] + 0.3 * rows
    if kind == "heavy tails":
        rows *= np.exp(rng.normal(size=(N, 1)))
    if kind == "one norm":
        rows /= np.linalg.norm(rows, axis=1, keepdims=True) / np.sqrt(dim)
    if kind == "far from the origin":
        rows += 3.0
    if kind == "doubled":
        rows[N // 2 :] = rows[: N // 2]
    return rows


def search_in(rows):
    def search(points, k):
        distances = np.linalg.norm(points[:, None] - rows, axis=2)
        found = np.argsort(distances, axis=1)[:, :k]
        # A rounding less, as any search has to take off.
        return found, np.take_along_axis(distances, found, axis=1)[:, -1] * (1 - 1e-12)

    return search


def require_within(got, exact):
    slack = 1e-9 * (1 + np.abs(exact))
    assert (got.lower <= exact + slack).all()
    assert (exact <= got.upper + slack).all()
    assert (got.lower <= got.energy + slack).all()
    assert (got.energy <= got.upper + slack).all()


KINDS = ["white", "clusters", "heavy tails", "one norm", "far from the origin", "doubled"]


@settings(max_examples=40, deadline=None)
@given(
    schedule=st.sampled_from([NoisePrior.flow_matching, NoisePrior.exploding]),
    kind=st.sampled_from(KINDS),
    dim=st.integers(1, 40),
    k=st.sampled_from([1, 2, 9, 60, N]),
    anchor=st.sampled_from([1.0, 0.7, 0.2, 1.6]),
    time=st.sampled_from([0.0, 0.1, 0.6, 1.0]),
    is_known=st.booleans(),
    seed=st.integers(0, 99),
)
def test_the_energy_is_within_the_bounds(schedule, kind, dim, k, anchor, time, is_known, seed):
    rng = np.random.default_rng(seed)
    rows = made(kind, dim, rng)
    queries = (1 - time) * rows[:5] + time * rng.normal(size=(5, dim))
    own = np.arange(5) if is_known else np.full(5, -1)
    corpus, prior = EnergyCorpus(rows), schedule(dim)
    exact = marginal_energy(queries, corpus, prior, own_rows=own).energy
    found = search_in(rows)(queries / anchor, k)
    got = NearField(corpus, prior).energies(
        queries, *found, anchors=np.full(5, anchor), own_rows=own
    )
    require_within(got, exact)
    if k == N:
        np.testing.assert_allclose(got.energy, exact, rtol=1e-9)
        assert (got.widths < 1e-6).all()


@pytest.mark.parametrize("kind", KINDS)
def test_the_bounds_hold_without_a_covariance_too(kind, monkeypatch):
    monkeypatch.setattr(rest, "_MOST_DIMENSIONS", 3)
    rows = made(kind, 6, np.random.default_rng(1))
    corpus, prior = EnergyCorpus(rows), NoisePrior.flow_matching(6)
    exact = marginal_energy(rows[:20], corpus, prior, own_rows=np.arange(20)).energy
    found = search_in(rows)(rows[:20], 12)
    got = NearField(corpus, prior).energies(rows[:20], *found, own_rows=np.arange(20))
    require_within(got, exact)


def test_a_covariance_narrows_the_bounds_of_white_rows(monkeypatch):
    rows = made("white", 32, np.random.default_rng(1))
    corpus, prior, own = EnergyCorpus(rows), NoisePrior.flow_matching(32), np.arange(20)
    found = search_in(rows)(rows[:20], 12)
    with_it = NearField(corpus, prior).energies(rows[:20], *found, own_rows=own)
    monkeypatch.setattr(rest, "_MOST_DIMENSIONS", 3)
    without = NearField(corpus, prior).energies(rows[:20], *found, own_rows=own)
    assert with_it.widths.mean() < without.widths.mean()


def test_bounds_hold_at_a_level_of_pure_noise():
    rows = made("clusters", 4, np.random.default_rng(6))
    prior = NoisePrior.variance_preserving(np.linspace(0.99, 0.0, 12))
    exact = marginal_energy(rows[:9], EnergyCorpus(rows), prior, own_rows=np.arange(9)).energy
    field = NearField(EnergyCorpus(rows), prior)
    for k in (3, N):
        found = search_in(rows)(rows[:9], k)
        require_within(field.energies(rows[:9], *found, own_rows=np.arange(9)), exact)


def test_widening_ends_within_the_tolerance():
    rows = made("clusters", 24, np.random.default_rng(2))
    corpus, prior = EnergyCorpus(rows), NoisePrior.flow_matching(24)
    asked = []

    def search(points, k):
        asked.append((len(points), k))
        return search_in(rows)(points, k)

    own = np.arange(30)
    got = widened_energies(
        rows[:30], NearField(corpus, prior), search, tolerance=1e-3, own_rows=own, k=(4, N)
    )
    require_within(got, marginal_energy(rows[:30], corpus, prior, own_rows=own).energy)
    assert got.widths.max() <= 1e-3
    assert asked[0] == (30, 4)
    assert [k for _, k in asked] == sorted(k for _, k in asked)
    assert asked[-1][0] <= asked[1][0]


def test_no_search_is_made_twice():
    rows = made("white", 24, np.random.default_rng(2))
    field = NearField(EnergyCorpus(rows), NoisePrior.exploding(24))
    asked = []

    def search(points, k):
        asked.append(k)
        return search_in(rows)(points, k)

    own = np.arange(3)
    widened_energies(rows[:3], field, search, tolerance=0.0, own_rows=own, k=(4, 64))
    assert asked == [4, 16, 64]


def test_a_search_at_the_query_over_its_signal_bounds_best():
    rng = np.random.default_rng(4)
    rows = made("clusters", 128, rng)
    queries = 0.5 * rows[:10] + 0.5 * rng.normal(size=(10, 128))
    field = NearField(EnergyCorpus(rows), NoisePrior.flow_matching(128))
    plain = field.energies(queries, *search_in(rows)(queries, 8))
    anchored = field.energies(queries, *search_in(rows)(queries / 0.5, 8), anchors=np.full(10, 0.5))
    assert anchored.widths.mean() < plain.widths.mean() / 5


def test_padding_counts_nothing():
    rows = made("white", 5, np.random.default_rng(5))
    corpus, prior = EnergyCorpus(rows), NoisePrior.flow_matching(5)
    found, radii = search_in(rows)(rows[:4], 6)
    field = NearField(corpus, prior)
    padded = np.concatenate([found, np.full((4, 3), -1)], axis=1)
    np.testing.assert_allclose(
        field.energies(rows[:4], padded, radii).energy,
        field.energies(rows[:4], found, radii).energy,
    )


def test_what_does_not_go_together_is_refused():
    rows = made("white", 5, np.random.default_rng(5))
    field = NearField(EnergyCorpus(rows), NoisePrior.flow_matching(5))
    with pytest.raises(DimensionError, match=r"radii \(n,\) of 2 queries"):
        field.energies(rows[:2], np.zeros((3, 1), np.int64), np.zeros(2))
    with pytest.raises(ParameterError, match="1 ≤ first ≤ most"):
        widened_energies(rows[:2], field, search_in(rows), tolerance=0.1, k=(8, 4))
