"""Audits: what searches find now, against every row, by kind of question."""

from __future__ import annotations

import json

import numpy as np
import pytest
from asked_world import pictures_of, write

from indexers.index import train_index
from indexers.ivf import IvfConfig
from indexers.persistence import load_index, read_manifest, save_index
from latentdb.database import LatentDB
from latentdb.errors import UnknownSpaceError
from latentdb.index.row_times import rows_now, save_with_times


def folder_of(db: LatentDB, name: str):
    return db.catalog.indexes._folder.path / name


def search_with(db: LatentDB, config: IvfConfig) -> None:
    """As if somebody had written other settings."""
    folder = folder_of(db, "clip--cosine")
    extra = read_manifest(folder)["extra"]
    save_index(load_index(folder).at_effort(config), folder, manifest_extra=extra)


def test_a_sound_index_passes_what_it_was_tuned_for(asked_db: LatentDB) -> None:
    built = asked_db.build_index("clip", kind="ivf", target_recall=0.97)
    (audit,) = asked_db.upkeep.audit(questions=100)
    assert audit.target == 0.97
    assert list(audit.recall) == ["id", "text", "mapped", "shifted"]
    assert audit.alarm is None
    assert built.tuning is not None
    assert audit.before == built.tuning.recall
    assert "no new pictures" in audit.not_asked["image"]


def test_an_index_that_is_searched_with_less_effort_is_told_of(asked_db: LatentDB) -> None:
    asked_db.build_index("clip", kind="ivf")
    search_with(asked_db, IvfConfig(nprobe=2))
    (audit,) = asked_db.upkeep.audit("clip")
    assert audit.missing == ["text"]
    assert audit.alarm is not None
    assert "text questions" in audit.alarm
    assert "below 0.95" in audit.alarm
    assert "latentdb index DB --space clip" in audit.alarm


def test_an_index_whose_cells_are_of_other_data_is_told_of(asked_db: LatentDB) -> None:
    built = asked_db.build_index("clip", kind="ivf")
    assert built.tuning is not None
    space, folder = asked_db.store.space("clip"), folder_of(asked_db, "clip--cosine")
    sound = load_index(folder)
    rows = rows_now(asked_db.store, space)
    other = -pictures_of(1200, space.dim, seed=9)
    config = IvfConfig(nprobe=built.tuning.settings["nprobe"])
    bad = train_index(other, count=1200, metric=sound.metric, config=config)
    bad.add(asked_db.store.vectors("clip", rows.ids), rows.ids)
    save_with_times(bad, folder, rows, read_manifest(folder)["extra"])
    (audit,) = latest(asked_db).upkeep.audit()
    assert asked_db.check() == []
    assert audit.missing
    assert audit.recall["id"].value < built.tuning.recall["id"]


def latest(db: LatentDB) -> LatentDB:
    import latentdb

    return latentdb.open(db.uri)


def test_newer_rows_are_the_new_pictures_of_an_audit(asked_db: LatentDB) -> None:
    asked_db.build_index("clip", kind="ivf")
    write(asked_db, np.arange(5000, 5030), {"clip": pictures_of(30, 16, seed=5)})
    (audit,) = asked_db.upkeep.audit()
    assert audit.recall["image"].questions == 30
    assert "image" not in audit.not_asked


def test_deleted_rows_do_not_count(asked_db: LatentDB) -> None:
    asked_db.build_index("clip", kind="ivf", target_recall=0.99)
    asked_db.delete(asked_db.store.item_ids()[::3])
    (audit,) = asked_db.upkeep.audit(questions=60)
    assert audit.alarm is None


def test_exact_indexes_find_everything(asked_db: LatentDB) -> None:
    asked_db.build_index("clip", kind="sq8")
    asked_db.build_index("far", metric="nao", prior="fitted")
    audits = asked_db.upkeep.audit(questions=20)
    assert [str(one.index) for one in audits] == ["clip--cosine", "far--nao--fitted"]
    assert all(one.target == 1.0 and one.alarm is None for one in audits)
    assert {recall.value for one in audits for recall in one.recall.values()} == {1.0}


def test_a_target_of_its_own_may_be_given(asked_db: LatentDB) -> None:
    asked_db.build_index("clip", kind="ivf", target_recall=0.6)
    assert asked_db.upkeep.audit()[0].alarm is None
    assert asked_db.upkeep.audit(target=1.0)[0].missing


def test_one_space_is_audited_alone(asked_db: LatentDB) -> None:
    asked_db.build_index("clip")
    asked_db.build_index("far")
    assert [one.index.space for one in asked_db.upkeep.audit("far", questions=5)] == ["far"]
    with pytest.raises(UnknownSpaceError, match="no space 'nope'"):
        asked_db.upkeep.audit("nope")


def test_the_last_audit_is_kept_until_the_index_is_another(asked_db: LatentDB) -> None:
    asked_db.build_index("clip", kind="ivf")
    (audit,) = asked_db.upkeep.audit(questions=20)
    assert [one.audit for one in asked_db.catalog.indexes.loaded()] == [
        json.loads(json.dumps(audit.to_json()))
    ]
    asked_db.build_index("clip", kind="ivf")
    assert [one.audit for one in asked_db.catalog.indexes.loaded()] == [None]
