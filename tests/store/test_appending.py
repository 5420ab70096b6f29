"""Appending rows to one space under the writer's lock."""

from __future__ import annotations

import numpy as np
import pytest
from store_batches import BatchMaker, vectors_of

from indexers.errors import DuplicateIdError, NonFiniteError
from latentdb.space import Space
from latentdb.store import Store
from latentdb.types import SpaceRows


def rows(ids: list[int], dim: int = 4) -> SpaceRows:
    return SpaceRows(np.array(ids, dtype=np.int64), vectors_of(ids, dim))


@pytest.fixture
def bare(empty_store: Store, batch: BatchMaker) -> Store:
    """Items 1, 2 and 3 without any vector."""
    empty_store.write_batch(**batch([1, 2, 3]) | {"vectors": {}})
    return empty_store


def test_appended_rows_are_read_back(bare: Store, clip: Space) -> None:
    with bare.appending(clip.name) as appender:
        appender.append(rows([3, 1]))
        appender.append(rows([2]))
    stored = bare.vectors(clip.name, [1, 2, 3])
    assert np.array_equal(stored, vectors_of([1, 2, 3], 4).astype(np.float16))
    assert {problem.severity for problem in bare.check()} <= {"note"}


def test_a_row_that_is_there_is_refused(bare: Store, clip: Space) -> None:
    with bare.appending(clip.name) as appender:
        appender.append(rows([1]))
        with pytest.raises(DuplicateIdError, match="1 ids have a vector in space 'tiny-clip'"):
            appender.append(rows([2, 1]))
    with (
        bare.appending(clip.name) as appender,
        pytest.raises(DuplicateIdError, match="such as 1; leave those rows out"),
    ):
        appender.append(rows([1]))
    assert bare.vector_ids(clip.name).tolist() == [1]


def test_rows_that_do_not_fit_are_refused(bare: Store, clip: Space) -> None:
    broken = SpaceRows(np.array([1]), np.full((1, 4), np.nan, np.float32))
    with bare.appending(clip.name) as appender:
        with pytest.raises(NonFiniteError, match="1 vectors for space 'tiny-clip' are not finite"):
            appender.append(broken)
        appender.append(SpaceRows(np.array([], np.int64), np.empty((0, 4), np.float32)))
    assert len(bare.vector_ids(clip.name)) == 0


def test_ids_as_stored_are_in_the_order_of_their_rows(bare: Store, clip: Space) -> None:
    with bare.appending(clip.name) as appender:
        appender.append(rows([3, 1, 2]))
    assert bare.vector_ids(clip.name, as_stored=True).tolist() == [3, 1, 2]
    assert bare.vector_ids(clip.name).tolist() == [1, 2, 3]
