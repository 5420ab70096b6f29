"""Scores against the number of pairs: nested samples, one set of held-out items."""

from __future__ import annotations

import numpy as np
import pytest

import latentdb
from indexers.errors import ParameterError
from latentdb.space import Space
from latentdb.stitch.from_store import stitch_spaces
from latentdb.stitch.sensitivity import sensitivity_to_n
from latentdb.types import ItemRow, SpaceRows


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    rng = np.random.default_rng(0)
    ids = np.sort(rng.choice(2**62, size=1000, replace=False))
    X = rng.normal(size=(1000, 60)).astype(np.float32)
    Y = (X @ rng.normal(size=(60, 20)) + 6.0 * rng.normal(size=(1000, 20))).astype(np.float32)
    made = latentdb.create(tmp_path_factory.mktemp("sensitivity") / "made.ldb").store
    vectors = {}
    for name, rows in (("a", X), ("b", Y)):
        made.add_space(Space(name, "embedding", rows.shape[1], "none", {"of": name}))
        vectors[name] = SpaceRows(ids, rows)
    items = [ItemRow(int(i), f"{i}.png", 8, 8, b"", {}) for i in ids]
    made.write_batch(items=items, sources=[], vectors=vectors, quarantine=[])
    return made


def test_more_pairs_score_higher_on_the_same_held_out_items(store):
    found = sensitivity_to_n(store, "a", "b")
    assert [one.n_fitted for one in found] == [50, 100, 200, 400, 800]
    assert {one.scores.n_held_out for one in found} == {200}
    r2 = [one.scores.r2.value for one in found]
    assert r2[-1] > r2[0] + 0.1
    assert np.all(np.diff(r2) > 0)


def test_all_pairs_give_the_scores_of_the_map_itself(store):
    last = sensitivity_to_n(store, "a", "b", seed=3)[-1].scores
    own = stitch_spaces(store, "a", "b", seed=3).scores
    assert last.r2 == own.r2
    assert last.recall_at_10 == own.recall_at_10


@pytest.mark.parametrize("sizes", [[], [49], [100, 801]])
def test_sizes_that_cannot_be_fitted_are_refused(store, sizes):
    with pytest.raises(ParameterError, match="from 50 to the 800 that are not held out"):
        sensitivity_to_n(store, "a", "b", sizes=sizes)
