"""Kinds that keep codes alone: what they read, and what they do without a reader."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexers.errors import DimensionError, IndexKindError, ParameterError
from indexers.index import build_index
from indexers.ivf_pq import IvfPqConfig
from indexers.metric import CosineMetric, EuclideanMetric
from indexers.persistence import load_index, save_index
from indexers.rabitq import RabitqConfig
from indexers.rotation import Rotation
from tests.indexers.conftest import DIM, METRICS, Kept, make_vectors

CODES = [IvfPqConfig(nlist=4, nprobe=4), RabitqConfig(nlist=4, nprobe=4)]
BY_KIND = {"argvalues": CODES, "ids": lambda config: config.kind}


@pytest.mark.parametrize("config", **BY_KIND)
def test_a_search_without_a_reader_says_what_is_missing(config, vectors, ids, queries):
    index = build_index(vectors, ids, metric=CosineMetric(), config=config)
    with pytest.raises(IndexKindError, match="pass reader= where it is built or loaded"):
        index.search(queries, 3)


@pytest.mark.parametrize("config", **BY_KIND)
@pytest.mark.parametrize("metric", sorted(METRICS))
def test_only_candidates_are_read(config, metric, vectors, ids, queries, kept):
    read = []

    def reader(asked):
        read.extend(asked)
        return kept(asked)

    index = build_index(vectors, ids, metric=METRICS[metric], config=config, reader=reader)
    index.search(queries[:1], 5)
    assert len(read) == len(set(read)) <= 40


@pytest.mark.parametrize("config", **BY_KIND)
def test_a_reader_that_gives_too_few_is_noticed(config, vectors, ids, queries):
    index = build_index(
        vectors, ids, metric=CosineMetric(), config=config, reader=lambda _: vectors[:2]
    )
    with pytest.raises(DimensionError, match="vectors from the reader, got 2"):
        index.search(queries, 3)


@pytest.mark.parametrize("config", **BY_KIND)
def test_its_file_is_a_fraction_of_the_vectors(config, tmp_path, ids, vectors):
    save_index(build_index(vectors, ids, metric=EuclideanMetric(), config=config), tmp_path)
    rows = next(tmp_path.rglob("rows.faiss"))
    assert rows.stat().st_size < vectors.nbytes / 4


@pytest.mark.parametrize("config", **BY_KIND)
def test_a_loaded_index_reads_by_the_reader_that_it_is_given(
    config, tmp_path, ids, vectors, kept, queries
):
    index = build_index(vectors, ids, metric=CosineMetric(), config=config, reader=kept)
    save_index(index, tmp_path)
    with pytest.raises(IndexKindError, match="reader="):
        load_index(tmp_path).search(queries, 1)
    loaded = load_index(tmp_path, mmap=True, reader=kept)
    np.testing.assert_array_equal(loaded.search(queries, 5).ids, index.search(queries, 5).ids)


@pytest.mark.parametrize("config", **BY_KIND)
@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_whatever_is_added_and_removed_a_filter_finds_what_it_can(config, data):
    vectors, kept = make_vectors(60, seed=5), Kept()
    ids = np.arange(60)
    kept.put(vectors, ids)
    first = data.draw(st.integers(1, 60))
    index = build_index(
        vectors[:first], ids[:first], metric=CosineMetric(), config=config, reader=kept
    )
    index.add(vectors[first:], ids[first:])
    gone = data.draw(st.sets(st.integers(0, 59), max_size=59))
    index.remove(np.array(sorted(gone), np.int64))
    allowed = data.draw(st.sets(st.integers(0, 70)))
    k = data.draw(st.integers(1, 70))
    found = index.search(vectors[:2], k, allowed_ids=np.array(sorted(allowed), np.int64)).ids
    reachable = (allowed - gone) & set(range(60))
    for row in found:
        hits = set(row[row >= 0].tolist())
        assert hits <= reachable
        assert len(hits) == min(k, len(reachable))


def test_more_bits_than_there_are_codes_for_are_refused():
    with pytest.raises(ParameterError, match="nbits of at most 9, got 10"):
        RabitqConfig(nbits=10)


def test_more_bits_need_more_bytes_and_find_more(vectors, ids, queries, kept):
    exact = EuclideanMetric().pairwise(queries, vectors)
    true = np.sort(exact, axis=1)[:, :10].sum()
    one, four = (
        build_index(
            vectors,
            ids,
            metric=EuclideanMetric(),
            config=RabitqConfig(nlist=4, nprobe=4, refine=1, nbits=bits),
            reader=kept,
        )
        for bits in (1, 4)
    )
    assert four.config.bytes_per_vector(DIM) > 2 * one.config.bytes_per_vector(DIM)
    sums = [index.search(queries, 10).distances.sum() for index in (one, four)]
    assert sums[0] >= sums[1] >= true - 1e-3


@pytest.mark.parametrize("dim", [1, 3, 64, 100])
def test_a_rotation_keeps_inner_products_and_changes_nothing_given(dim):
    rows = make_vectors(20, seed=1, dim=dim) if dim > 1 else np.ones((20, 1), np.float32)
    before = rows.copy()
    turned = Rotation(dim).apply(rows)
    np.testing.assert_allclose(turned @ turned.T, rows @ rows.T, rtol=1e-4, atol=1e-3)
    np.testing.assert_array_equal(rows, before)
