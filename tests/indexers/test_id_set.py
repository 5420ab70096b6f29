"""A filter that is kept gives the answers of one that is made anew."""

from __future__ import annotations

import gc
import weakref

import numpy as np
import pytest

from indexers.errors import ParameterError
from indexers.id_set import IdSet
from indexers.index import build_index
from tests.indexers.conftest import make_vectors


def add(index, kept, vectors, ids):
    kept.put(vectors, ids)
    index.add(vectors, ids)


def test_a_set_answers_as_its_ids_do_while_the_index_changes(
    vectors, ids, metric, config, kept, queries
):
    index = build_index(vectors, ids, metric=metric, config=config, reader=kept)
    allowed = IdSet(ids[::2])
    for change in (
        lambda: index.remove(ids[:100]),
        lambda: add(index, kept, make_vectors(50, seed=9), ids[:50]),
        lambda: None,
    ):
        stored = index.search(queries, 5, allowed_ids=allowed)
        anew = index.search(queries, 5, allowed_ids=ids[::2])
        np.testing.assert_array_equal(stored.ids, anew.ids)
        change()


def test_a_set_is_turned_into_positions_once(vectors, ids, metric, config, kept):
    index = build_index(vectors, ids, metric=metric, config=config, reader=kept)
    allowed = IdSet(ids[:7])
    selection = index._table.select(allowed)
    assert index._table.select(allowed) is selection
    assert selection.count == 7


def test_nothing_is_kept_of_a_set_that_is_gone(vectors, ids, metric, config, kept):
    index = build_index(vectors, ids, metric=metric, config=config, reader=kept)
    allowed = IdSet(ids[:7])
    stored = weakref.ref(index._table.select(allowed).mask)
    del allowed
    gc.collect()
    assert stored() is None


@pytest.mark.parametrize("bad", [np.array([0.5]), np.array([[1]])])
def test_a_set_is_of_integers_in_one_row(bad):
    with pytest.raises(ParameterError, match="one-dimensional array of integers"):
        IdSet(bad)
