"""What is kept beside a map when it is fitted, and when an update leaves it alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import latentdb
from latentdb.database import LatentDB
from latentdb.space import Space
from latentdb.types import ItemRow, SpaceRows

DIMS = {"a": 6, "b": 5}


def add(db: LatentDB, ids: range) -> None:
    """Items whose vector in `b` is that in `a`, mapped, and a little more."""
    rng = np.random.default_rng(ids.start)
    X = rng.standard_normal((len(ids), 6))
    Y = X @ np.random.default_rng(99).standard_normal((6, 5))
    Y += 0.1 * rng.standard_normal(Y.shape)
    rows = {
        name: SpaceRows(np.array(ids), vectors.astype(np.float32))
        for name, vectors in (("a", X), ("b", Y))
    }
    items = [ItemRow(i, f"{i}.png", 8, 8, b"") for i in ids]
    db.store.write_batch(items=items, sources=[], vectors=rows, quarantine=[])


@pytest.fixture
def db(tmp_path: Path) -> LatentDB:
    """1,000 items in two spaces, and the map between them with its sums."""
    made = latentdb.create(tmp_path / "made.ldb")
    for name, dim in DIMS.items():
        made.store.add_space(Space(name, "embedding", dim, spec="none"))
    add(made, range(1000))
    made.stitch("a", "b", update=True)
    return made


def fitted_on(db: LatentDB) -> int:
    """Items that the profile of `a` was fitted on and held to."""
    profile = db.profile("a")
    assert profile is not None
    return profile.fitted_on.n_train + profile.fitted_on.n_held_out


def test_an_update_by_few_items_keeps_the_profile(db: LatentDB) -> None:
    add(db, range(1000, 1020))
    fitted = db.stitch("a", "b", update=True)
    assert fitted.fitted_on.n_train + fitted.fitted_on.n_held_out == 1020
    assert fitted_on(db) == 1000


def test_many_small_updates_leave_no_profile_a_tenth_behind(db: LatentDB) -> None:
    kept = []
    for start in range(1000, 1400, 20):
        add(db, range(start, start + 20))
        db.stitch("a", "b", update=True)
        kept.append(fitted_on(db))
        assert start + 20 <= 1.1 * fitted_on(db)
    assert 3 <= len(set(kept)) <= 5


def test_a_fit_that_is_no_update_and_one_of_another_seed_fit_the_profile(db: LatentDB) -> None:
    add(db, range(1000, 1010))
    db.stitch("a", "b")
    assert fitted_on(db) == 1010
    add(db, range(1010, 1020))
    db.stitch("a", "b", update=True, seed=1)
    assert fitted_on(db) == 1020
