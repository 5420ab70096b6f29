"""Noise rows lie at the level that they claim, or are named."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from edit_faces import COUNT, make_database

from latentdb.database import LatentDB
from latentdb.energy.levels import LevelCheck
from latentdb.errors import ModelError, NotEnoughDataError


@pytest.fixture(scope="module")
def db(tmp_path_factory, tiny_model: Callable[[str], Path]) -> LatentDB:
    return make_database(tmp_path_factory.mktemp("levels"), tiny_model)


def test_every_noise_row_is_looked_at(db):
    done = []
    found = db.check_levels("noise", progress=done.append)
    assert (len(found.ids), sum(done)) == (COUNT, COUNT)
    assert found.claimed == pytest.approx(db.model("noise").grid.levels[-1].flow_time)
    for times in (found.flow_times, found.own, found.fresh):
        assert ((times >= 0) & (times <= 1)).all()
    assert np.median(found.fresh) > 0.9


def test_a_condition_chooses_rows(db):
    found = db.check_levels("noise", where="hat")
    assert all(item.labels["hat"] for item in db.items(found.ids))
    assert 1 < len(found.ids) < COUNT
    with pytest.raises(NotEnoughDataError, match="at least 2, got 0"):
        db.check_levels("noise", where="width > 9999")


def test_embeddings_claim_no_level(db):
    with pytest.raises(ModelError, match="'dino' is not of noise"):
        db.check_levels("dino")


def test_rows_outside_of_fresh_noise_come_farthest_first():
    fresh = np.linspace(0.9, 1.0, 101)
    times = np.array([0.99, 0.5, 0.9051, 0.7])
    check = LevelCheck("noise", 1.0, np.arange(4), times, times, fresh)
    assert check.off.tolist() == [1, 3]
    said = check.to_json()
    assert said["off"] == [{"id": 1, "flow_time": 0.5}, {"id": 3, "flow_time": 0.7}]
    assert (said["checked"], said["median_of_fresh_noise"]) == (4, pytest.approx(0.95))
