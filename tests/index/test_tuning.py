"""Tuning: the least effort at which every kind of question finds enough."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from asked_world import pictures_of, write

from indexers.errors import ParameterError
from indexers.flat import FlatConfig
from indexers.hnsw import HnswConfig
from indexers.index import build_index
from indexers.ivf import IvfConfig
from indexers.metric import make_metric, make_prior
from indexers.persistence import load_index, read_manifest, save_index
from indexers.types import SearchResult
from latentdb.database import LatentDB
from latentdb.index.exam import Exam, K, Recall
from latentdb.index.questions import Questions, QuestionSet
from latentdb.index.truth import exact_neighbours
from latentdb.index.tuning import Tuning, tune
from latentdb.space import Space
from latentdb.types import ItemRow, SpaceRows


def folder_of(db: LatentDB, name: str):
    return db.catalog.indexes._folder.path / name


def test_an_index_that_pictures_are_found_by_is_tuned_until_texts_are(asked_db: LatentDB) -> None:
    tuning = asked_db.build_index("clip", kind="ivf").tuning
    assert tuning is not None
    fine_for_pictures = next(one for one in tuning.tried if one["recall"]["image"] >= 0.95)
    assert fine_for_pictures["recall"]["text"] < 0.85
    assert tuning.settings["nprobe"] > fine_for_pictures["settings"]["nprobe"]
    assert tuning.recall["text"] > 0.9
    assert tuning.target_met


def test_searches_use_the_effort_that_was_chosen(asked_db: LatentDB) -> None:
    built = asked_db.build_index("clip", kind="ivf")
    assert built.tuning is not None
    live = asked_db.catalog.indexes.live(asked_db.store.space("clip"), "cosine", None)
    assert live.index.config == IvfConfig(**built.tuning.settings)
    manifest = read_manifest(folder_of(asked_db, "clip--cosine"))
    assert manifest["config"]["nprobe"] == built.tuning.settings["nprobe"]
    assert manifest["extra"]["tuning"] == built.tuning.to_json()
    assert manifest["extra"]["recall_at_10"] == min(built.tuning.recall.values())


def test_an_answer_tells_the_recall_of_its_own_kind_of_question(asked_db: LatentDB) -> None:
    tuning = asked_db.build_index("clip", kind="ivf").tuning
    assert tuning is not None

    def told(**question) -> float:
        return asked_db.search(space="clip", k=3, **question).recall_at_10

    assert told(text="a cap") == tuning.recall["text"]
    assert told(id=7) == tuning.recall["id"]
    assert told(id=7, from_space="far") == tuning.recall["mapped"]
    assert told(vector=asked_db.store.vectors("clip", [7])[0]) == tuning.least


def test_every_row_is_in_the_index_once_it_was_measured(asked_db: LatentDB) -> None:
    built = asked_db.build_index("clip", kind="hnsw")
    assert (built.count, built.newer_rows) == (1200, 0)
    index = load_index(folder_of(asked_db, "clip--cosine"))
    assert sorted(index.ids.tolist()) == asked_db.store.vector_ids("clip").tolist()


def test_recall_is_reported_on_questions_that_nothing_was_chosen_by(asked_db: LatentDB) -> None:
    tuning = asked_db.build_index("clip", kind="ivf").tuning
    assert tuning is not None
    assert tuning.questions["id"] == 200
    assert tuning.questions["image"] == 60
    assert tuning.to_json()["tried"][-1]["recall"] != tuning.recall


def test_a_higher_target_takes_more_effort(asked_db: LatentDB) -> None:
    low, high = (
        asked_db.build_index("clip", kind="ivf", target_recall=target).tuning
        for target in (0.6, 0.99)
    )
    assert low is not None
    assert high is not None
    assert low.settings["nprobe"] < high.settings["nprobe"]


def test_settings_that_are_given_stay_and_are_measured(asked_db: LatentDB) -> None:
    built = asked_db.build_index("clip", kind=IvfConfig(nprobe=1))
    assert built.tuning is not None
    assert built.tuning.settings == {"nprobe": 1}
    assert not built.target_met
    assert built.to_json()["target_met"] is False
    tuned = asked_db.build_index("clip", kind=IvfConfig(nprobe=1), target_recall=0.95)
    assert tuned.target_met


def test_exact_kinds_are_not_measured(asked_db: LatentDB) -> None:
    built = asked_db.build_index("clip", kind="sq8")
    assert built.tuning is None
    assert built.target_met
    assert built.recall_at_10 == 1.0


@pytest.mark.parametrize("target", [0.0, 1.5, float("nan")])
def test_a_target_is_a_share(asked_db: LatentDB, target: float) -> None:
    with pytest.raises(ParameterError, match="above 0 and at most 1"):
        asked_db.build_index("clip", kind="hnsw", target_recall=target)


def test_a_tuning_is_read_back_as_it_was_written(asked_db: LatentDB) -> None:
    tuning = asked_db.build_index("clip", kind="hnsw").tuning
    assert tuning is not None
    assert Tuning.from_json(tuning.to_json()).to_json() == tuning.to_json()


def test_an_index_that_cannot_reach_its_target_keeps_its_best() -> None:
    rng = np.random.default_rng(0)
    vectors = rng.standard_normal((3000, 64)).astype(np.float32)
    ids, metric = np.arange(3000), make_metric("cosine")
    index = build_index(vectors, ids, metric=metric, config=HnswConfig(m=2, ef_construction=4))
    exact = build_index(vectors, ids, metric=metric, config=FlatConfig())
    asked = Questions({"id": QuestionSet(vectors[:40], ids[:40])})
    config, tuning = tune(index, Exam.of(asked, exact.search), target=0.99)
    assert not tuning.target_met
    assert config == replace(index.config, **tuning.settings)
    assert max(one["recall"]["id"] for one in tuning.tried) < 0.99


def test_after_a_refresh_search_is_measured_again_and_no_less_thorough(asked_db: LatentDB) -> None:
    before = asked_db.build_index("clip", kind="ivf").tuning
    write(asked_db, np.arange(5000, 5200), {"clip": pictures_of(200, 16, seed=5)})
    after = asked_db.upkeep.refresh_index("clip").tuning
    assert before is not None
    assert after is not None
    assert after.settings["nprobe"] >= before.settings["nprobe"]
    assert after.recall["image"] == before.recall["image"]
    assert after.questions["text"] == before.questions["text"]


def test_check_tells_an_index_that_is_searched_otherwise_than_it_was_tuned(
    asked_db: LatentDB,
) -> None:
    asked_db.build_index("clip", kind="ivf")
    folder = folder_of(asked_db, "clip--cosine")
    extra = read_manifest(folder)["extra"]
    lazy = load_index(folder).at_effort(IvfConfig(nprobe=1))
    save_index(lazy, folder, manifest_extra=extra)
    problems = asked_db.check()
    assert [problem.kind for problem in problems] == ["torn_index"]
    assert "was tuned to {'nprobe':" in problems[0].detail
    assert asked_db.check(repair=True) == []
    assert asked_db.indexes()[0].target_met


def test_recall_misses_a_target_only_beyond_its_error() -> None:
    near = Recall.of(np.array([0.9, 1.0, 0.9, 1.0]))
    assert near == Recall(0.95, 0.0289, 4)
    assert not near.misses(0.96)
    assert near.misses(1.0)
    assert Recall(0.90, 0.01, 200).misses(0.95)
    assert not Recall(1.0, 0.0, 200).misses(1.0)


@pytest.mark.parametrize("metric", ["cosine", "euclidean", "nao"])
def test_true_neighbours_are_those_of_a_flat_index(tmp_path, monkeypatch, metric) -> None:
    import latentdb

    monkeypatch.setattr("latentdb.index.truth._BLOCK_VALUES", 64 * 12)
    db = latentdb.create(tmp_path / "t.ldb")
    db.store.add_space(Space("v", "noise", 12, spec="none"))
    rng = np.random.default_rng(0)
    ids, rows = np.arange(300), rng.standard_normal((300, 12)).astype(np.float32)
    items = [ItemRow(int(i), f"{i}.png", 1, 1, b"") for i in ids]
    db.store.write_batch(
        items=items, sources=[], vectors={"v": SpaceRows(ids, rows)}, quarantine=[]
    )
    by = make_metric(metric, make_prior("chi", dim=12)) if metric == "nao" else make_metric(metric)
    queries = rng.standard_normal((7, 12)).astype(np.float32)

    def same(found: SearchResult, some: np.ndarray) -> None:
        flat = build_index(rows[some], ids[some], metric=by, config=FlatConfig())
        expected = flat.search(queries, K)
        np.testing.assert_array_equal(found.ids, expected.ids)
        np.testing.assert_allclose(found.distances, expected.distances, atol=1e-6)

    same(exact_neighbours(db.store, "v", by, queries, K), ids)
    some = ids[::3]
    same(exact_neighbours(db.store, "v", by, queries, K, among=some), some)
