"""Checks of arrays that come in from outside."""

from __future__ import annotations

import numpy as np
import pytest

from indexers.errors import DimensionError, DtypeError, DuplicateIdError, NonFiniteError
from latentdb.arrays import as_ids, as_labels, as_matrix


def test_a_good_matrix_is_returned_as_it_is():
    matrix = np.ones((3, 2), np.float32)
    assert as_matrix(matrix, name="X", dim=2) is matrix


@pytest.mark.parametrize("shape", [(3,), (3, 4), (1, 3, 2)])
def test_wrong_shape_is_refused(shape):
    with pytest.raises(DimensionError, match=r"expected an array of shape \(n, 2\)"):
        as_matrix(np.ones(shape), name="X", dim=2)


def test_integers_are_refused():
    with pytest.raises(DtypeError, match="floating-point"):
        as_matrix(np.ones((3, 2), np.int64), name="X")


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_non_finite_rows_are_counted(bad):
    matrix = np.ones((4, 2))
    matrix[2, 1] = bad
    with pytest.raises(NonFiniteError, match=r"1 of 4 rows .* row 2"):
        as_matrix(matrix, name="X")


def test_labels_are_booleans_one_per_row():
    with pytest.raises(DimensionError, match="one label per row"):
        as_labels(np.ones(3, bool), n=4, name="hat")
    with pytest.raises(DtypeError, match="expected booleans"):
        as_labels(np.ones(4, int), n=4, name="hat")


def test_ids_are_distinct_integers_one_per_row():
    with pytest.raises(DuplicateIdError, match="id 7 is given 2 times"):
        as_ids([7, 7, 1], n=3)
    with pytest.raises(DtypeError, match="integers"):
        as_ids([0.5, 1.0], n=2)
    with pytest.raises(DimensionError, match="one id per row"):
        as_ids([1, 2], n=3)
