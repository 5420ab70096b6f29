"""Hits that are near the question and unlike one another."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest

import latentdb
from indexers.metric import CosineMetric, make_metric
from indexers.types import MetricName
from latentdb.database import LatentDB
from latentdb.diversity import candidates_for, choose_diverse
from latentdb.space import Space
from latentdb.types import ItemRow, SpaceRows

COUNT, DIM = 200, 8


@pytest.fixture
def db(tmp_path: Path) -> LatentDB:
    """Twenty groups of ten items that are nearly the same."""
    made = latentdb.create(tmp_path / "made.ldb")
    made.store.add_space(Space("a", "embedding", DIM, spec="none"))
    rng = np.random.default_rng(0)
    groups = np.repeat(rng.standard_normal((COUNT // 10, DIM)), 10, axis=0)
    rows = groups + 0.01 * rng.standard_normal((COUNT, DIM))
    ids = np.arange(COUNT, dtype=np.int64)
    items = [ItemRow(int(i), f"{i}.png", 8, 8, b"", {"kin": int(i) // 10}) for i in ids]
    vectors = {"a": SpaceRows(ids, rows.astype(np.float32))}
    made.store.write_batch(items=items, sources=[], vectors=vectors, quarantine=[])
    return made


def _groups(db: LatentDB, diverse: float | None) -> list[object]:
    answer = db.search(id=5, space="a", k=8, diverse=diverse)
    return [hit.labels["kin"] for hit in answer.hits]


def test_1_gives_the_nearest_in_their_order(db: LatentDB) -> None:
    assert db.search(id=5, space="a", diverse=1.0).hits == db.search(id=5, space="a").hits


def test_a_smaller_trade_off_shows_more_groups(db: LatentDB) -> None:
    assert len(set(_groups(db, None))) == 1
    assert len(set(_groups(db, 0.5))) > 3
    assert len(set(_groups(db, 0.0))) >= len(set(_groups(db, 0.5)))


@pytest.mark.parametrize("diverse", [0.0, 0.3, 0.9])
def test_the_nearest_comes_first(db: LatentDB, diverse: float) -> None:
    nearest = db.search(id=5, space="a", k=1).hits[0]
    assert db.search(id=5, space="a", diverse=diverse).hits[0] == nearest


def test_the_answer_says_how_many_candidates_there_were(db: LatentDB) -> None:
    answer = db.search(id=5, space="a", k=8, diverse=0.5)
    assert answer.exact
    assert (answer.query["diverse"], answer.query["candidates"]) == (0.5, candidates_for(8))
    few = db.search(id=5, space="a", k=8, diverse=0.5, where="kin = 3")
    assert (few.query["candidates"], len(few.hits)) == (10, 8)


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
@pytest.mark.parametrize("trade_off", [0.2, 0.5, 0.8])
def test_each_choice_is_the_best_by_the_formula(metric: MetricName, trade_off: float) -> None:
    rows = np.random.default_rng(1).standard_normal((12, DIM)).astype(np.float32)
    measure = make_metric(metric)
    distances = np.sort(measure.rows(rows[0] + 1, rows))
    chosen = choose_diverse(measure, distances, rows, k=5, trade_off=trade_off).tolist()
    assert len(set(chosen)) == 5
    for size in range(1, 5):
        before, worth = chosen[:size], {}
        for one in set(range(12)) - set(before):
            alike = max(-float(measure.distance(rows[one], rows[other])) for other in before)
            worth[one] = -trade_off * distances[one] - (1 - trade_off) * alike
        assert chosen[size] == max(worth, key=worth.__getitem__)


def test_it_beats_the_nearest_on_its_own_terms(db: LatentDB) -> None:
    def spread(diverse: float | None) -> float:
        ids = [hit.id for hit in db.search(id=5, space="a", k=6, diverse=diverse).hits]
        rows = db.store.vectors("a", ids)
        return min(
            float(CosineMetric().distance(*pair)) for pair in itertools.combinations(rows, 2)
        )

    assert spread(0.3) > 10 * spread(None)


def test_fewer_candidates_than_wanted_are_all_taken() -> None:
    rows = np.eye(3, dtype=np.float32)
    chosen = choose_diverse(CosineMetric(), np.arange(3.0), rows, k=9, trade_off=0.5)
    assert sorted(chosen.tolist()) == [0, 1, 2]
