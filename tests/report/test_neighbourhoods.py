"""Agreement on neighbours, and what permuted items give."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from made_spaces import make_db, views

from latentdb.report.neighbourhoods import ranked_neighbours, study_neighbourhoods
from latentdb.report.options import QUICK
from latentdb.report.sample import Sample
from latentdb.stitch.neighbours import mutual_overlap

N = 300


def test_neighbours_are_ranked_by_cosine_and_exclude_oneself() -> None:
    rows = np.random.default_rng(0).standard_normal((50, 6)).astype(np.float32)
    found = ranked_neighbours(rows, 7)
    for i, row in enumerate(rows):
        cosine = rows @ row / np.linalg.norm(rows, axis=1) / np.linalg.norm(row)
        cosine[i] = -2.0
        assert found[i].tolist() == np.argsort(-cosine)[:7].tolist()


def test_one_space_twice_agrees_wholly_and_two_of_nothing_by_chance(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    rows, other = rng.standard_normal((N, 5)), rng.standard_normal((N, 5))
    spaces = {
        "one": ("embedding", rows),
        "twin": ("embedding", 3.0 * rows),
        "other": ("embedding", other),
    }
    db = make_db(tmp_path / "a.ldb", spaces, {})
    found = study_neighbourhoods(Sample(db.catalog, QUICK, seed=0))
    same, apart = found.pairs["one", "twin"][10], found.pairs["one", "other"][10]
    assert same.value.value == 1.0
    for one in (same, apart):
        assert one.null_mean == pytest.approx(one.chance, rel=0.1)
        assert one.null_max >= one.null_mean
    assert apart.value.value == pytest.approx(apart.chance, abs=0.01)


def test_the_null_is_of_items_permuted_before_neighbours_are_sought() -> None:
    rng = np.random.default_rng(2)
    left, right = (rng.standard_normal((80, 4)).astype(np.float32) for _ in range(2))
    order = rng.permutation(80)
    expected = mutual_overlap(ranked_neighbours(left, 5), ranked_neighbours(right[order], 5))
    from latentdb.report.neighbourhoods import _null

    mean, best = _null(ranked_neighbours(left, 5), ranked_neighbours(right, 5), [order])
    assert mean == best == pytest.approx(expected.mean())


def test_views_of_one_space_agree_the_more_the_less_is_private(tmp_path: Path) -> None:
    _, (a, b) = views(N, dims=[8, 9], shared=3, private=0.1)
    _, (c,) = views(N, dims=[9], shared=3, private=1.0)
    spaces = {"a": ("embedding", a), "b": ("embedding", b), "c": ("embedding", c)}
    db = make_db(tmp_path / "b.ldb", spaces, {})
    found = study_neighbourhoods(Sample(db.catalog, QUICK, seed=0)).pairs
    assert found["a", "b"][10].value.low > found["a", "c"][10].value.high
