"""Recall by distance."""

from __future__ import annotations

import numpy as np
import pytest

from indexers.errors import DimensionError, ParameterError
from indexers.recall import recall_at_k


def test_ties_are_not_punished():
    assert recall_at_k([[1.0, 2.0, 2.0]], [[1.0, 2.0, 2.0, 2.0]], 3) == 1.0


def test_a_farther_hit_does_not_count():
    assert recall_at_k([[1.0, 2.0, 9.0]], [[1.0, 2.0, 3.0]], 3) == pytest.approx(2 / 3)


def test_padding_is_no_hit_and_no_truth():
    assert recall_at_k([[1.0, np.inf]], [[1.0, 2.0]], 2) == 0.5
    assert recall_at_k([[1.0, np.inf]], [[1.0, np.inf]], 2) == 1.0


def test_no_truth_is_found_whole():
    assert recall_at_k(np.empty((0, 3)), np.empty((0, 3)), 3) == 1.0


def test_float32_rounding_is_forgiven():
    assert recall_at_k([[3e-7]], [[0.0]], 1) == 1.0


def test_wrong_arguments_are_refused():
    with pytest.raises(DimensionError, match="n_queries"):
        recall_at_k([1.0], [[1.0]], 1)
    with pytest.raises(ParameterError, match="relative_tolerance"):
        recall_at_k([[1.0]], [[1.0]], 1, relative_tolerance=-1)
