"""The error tree."""

from __future__ import annotations

import inspect

import pytest

import indexers.errors as errors

LEAVES = {
    "MetricError": ValueError,
    "IndexKindError": ValueError,
    "DimensionError": ValueError,
    "DtypeError": TypeError,
    "NonFiniteError": ValueError,
    "ZeroVectorError": ValueError,
    "DuplicateIdError": ValueError,
    "UnknownIdError": KeyError,
    "IndexFileError": OSError,
    "IndexFormatError": ValueError,
}


@pytest.mark.parametrize(("name", "builtin"), sorted(LEAVES.items()))
def test_a_leaf_is_ours_and_the_builtin_a_caller_expects(name, builtin):
    leaf = getattr(errors, name)
    assert issubclass(leaf, errors.LatentDBError)
    assert issubclass(leaf, builtin)


def test_the_tree_at_the_top_names_every_error():
    classes = inspect.getmembers(errors, inspect.isclass)
    for name, _ in classes:
        assert name in errors.__doc__


def test_an_unknown_id_reads_as_a_sentence():
    assert str(errors.UnknownIdError("id 5 is not here")) == "id 5 is not here"
