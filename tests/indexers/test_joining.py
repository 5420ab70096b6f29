"""Indexes that share rows, or take them over."""

from __future__ import annotations

import numpy as np
import pytest

from indexers.errors import DuplicateIdError, IndexKindError, UnknownIdError
from indexers.flat import FlatConfig
from indexers.index import build_index
from indexers.joining import join_flat
from indexers.persistence import load_index, save_index
from indexers.sq8 import Sq8Config


def test_what_is_left_out_is_found_no_more_and_the_other_finds_it_still(
    vectors, ids, metric, config, kept
):
    index = build_index(vectors, ids, metric=metric, config=config, reader=kept)
    twin = index.without(ids[:40])
    assert len(twin) == len(index) - 40
    assert not np.isin(twin.search(vectors[:8], 20).ids, ids[:40]).any()
    assert index.search(vectors[:8], 1).ids[:, 0].tolist() == ids[:8].tolist()


def test_an_index_without_rows_answers_as_one_built_without_them(vectors, ids, metric):
    twin = build_index(vectors, ids, metric=metric, config=FlatConfig()).without(ids[:40])
    built = build_index(vectors[40:], ids[40:], metric=metric, config=FlatConfig())
    for queries in (vectors[:1], vectors[:9]):
        one, other = twin.search(queries, 10), built.search(queries, 10)
        assert (one.ids == other.ids).all()
        np.testing.assert_allclose(one.distances, other.distances, rtol=1e-6, atol=1e-6)


def test_indexes_that_share_rows_do_not_change_them(vectors, ids, metric):
    twin = build_index(vectors, ids, metric=metric, config=FlatConfig()).without(ids[:1])
    with pytest.raises(IndexKindError, match="shares its rows"):
        twin.add(vectors[:1], ids[:1])
    with pytest.raises(UnknownIdError, match="1 that are not"):
        twin.without(ids[:1])


def test_rows_are_left_out_of_an_index_that_is_mapped(vectors, ids, metric, config, kept, tmp_path):
    save_index(build_index(vectors, ids, metric=metric, config=config, reader=kept), tmp_path)
    twin = load_index(tmp_path, mmap=True, reader=kept).without(ids[:40])
    found = twin.search(vectors[:8], 20).ids
    assert (found >= 0).all()
    assert not np.isin(found, ids[:40]).any()


def test_joined_indexes_answer_as_one_built_of_all(vectors, ids, metric):
    parts = [
        build_index(vectors[at : at + 100], ids[at : at + 100], metric=metric, config=FlatConfig())
        for at in range(0, 400, 100)
    ]
    joined = join_flat([parts[0].without(ids[:7]), *parts[1:]])
    whole = build_index(vectors[7:], ids[7:], metric=metric, config=FlatConfig())
    assert set(joined.ids.tolist()) == set(ids[7:].tolist())
    for queries in (vectors[:1], vectors[:9]):
        one, other = joined.search(queries, 10), whole.search(queries, 10)
        assert (one.ids == other.ids).all()
        np.testing.assert_array_equal(one.distances, other.distances)


def test_only_flat_indexes_of_different_ids_are_joined(vectors, ids, metric):
    flat = build_index(vectors, ids, metric=metric, config=FlatConfig())
    other = build_index(vectors, ids, metric=metric, config=Sq8Config())
    with pytest.raises(IndexKindError, match="sq8"):
        join_flat([flat, other])
    with pytest.raises(DuplicateIdError, match="400 repeats"):
        join_flat([flat, flat])
