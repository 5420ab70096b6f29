"""Which candidate is taken."""

from __future__ import annotations

import numpy as np

from latentdb.stitch.selection import choose


def test_one_miss_in_thousands_does_not_decide_over_r2():
    recall, r2 = np.array([1.0, 0.9995, 0.9]), np.array([0.3, 0.6, 0.9])
    assert choose(recall, r2, n_validation=2000) == 1


def test_recall_decides_where_the_rows_can_tell():
    assert choose(np.array([0.8, 0.7]), np.array([0.1, 0.9]), n_validation=2000) == 0


def test_of_equal_recall_the_best_r2_is_taken():
    assert choose(np.array([0.5, 0.5]), np.array([0.1, 0.9]), n_validation=100) == 1
