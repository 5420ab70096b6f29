"""Model upgrade: served at once, backfilled, cut over, rolled back, finished."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from migrated import COUNT, HERE, SAMPLE, Faces, faults, make_faces, nearest, ready, started

import latentdb
from latentdb.database import LatentDB
from latentdb.errors import MigrationError, SpaceMismatchError, StoreFormatError
from latentdb.ingest import IngestOptions
from latentdb.migrate import BackfillOptions
from latentdb.query import read_picture
from latentdb.zoo.faces import write_folder

CHILD = Path(__file__).parent / "migrate_child.py"


@pytest.fixture(scope="module")
def faces(tmp_path_factory: pytest.TempPathFactory) -> Faces:
    return make_faces(tmp_path_factory.mktemp("migrate"))


@pytest.fixture
def db(faces: Faces, tmp_path: Path) -> LatentDB:
    return faces.copy(tmp_path)


def hits(db: LatentDB, **parts: object) -> list[int]:
    return [hit.id for hit in db.search(**parts).hits]


def test_only_a_sample_is_embedded_before_the_new_space_is_served(
    db: LatentDB, faces: Faces
) -> None:
    status = started(db, faces).status()
    assert (status.migration.state, status.vectors, status.missing) == (
        "serving",
        SAMPLE,
        COUNT - SAMPLE,
    )
    assert status.migration.pictures.source == SAMPLE
    assert faults(db) == []


def test_a_question_to_the_new_space_is_mapped_and_answered_by_the_old_one(
    db: LatentDB, faces: Faces
) -> None:
    started(db, faces)
    picture = faces.folder / "face_00003.png"
    answer = db.search(image=picture, space="clip2", k=5)
    said = answer.query["served_through"]
    assert (answer.space, said["space"], said["by_map"]) == ("clip", "clip", True)
    assert 0 <= said["recall_loss"]["low"] <= said["recall_loss"]["value"] <= 1
    model = db.model("clip2")
    born = model.embed(model.transform.apply(read_picture(picture))[None]).vectors
    mapped = db.map("clip2", "clip").transform(born, restore_norm=True)[0]
    rows = db.store.all_vectors("clip")
    expected = rows.ids[nearest(rows.vectors, mapped, 5)]
    assert [hit.id for hit in answer.hits] == expected.tolist()


def test_an_item_without_a_new_vector_asks_with_its_own_old_one(db: LatentDB, faces: Faces) -> None:
    started(db, faces)
    item = int(np.setdiff1d(db.store.vector_ids("clip"), db.store.vector_ids("clip2"))[0])
    answer = db.search(id=item, space="clip2", k=4)
    assert not answer.query["served_through"]["by_map"]
    assert [hit.id for hit in answer.hits] == hits(db, id=item, space="clip", k=4)


def test_several_parts_are_asked_in_the_old_space_from_the_start(
    db: LatentDB, faces: Faces
) -> None:
    started(db, faces)
    item, other = (int(one) for one in db.store.vector_ids("clip")[:2])
    asked = {"text": "a hat", "id": item, "unlike": [other], "k": 4}
    answer = db.search(**asked, space="clip2")
    said = answer.query["served_through"]
    assert (said["by_map"], said["recall_loss"]) == (False, None)
    assert [hit.id for hit in answer.hits] == hits(db, **asked, space="clip")


def test_text_is_served_too_and_the_old_space_stays_the_default(db: LatentDB, faces: Faces) -> None:
    before = hits(db, text="a hat")
    started(db, faces)
    assert db.search(text="a hat", space="clip2").query["served_through"]["space"] == "clip"
    answer = db.search(text="a hat")
    assert "served_through" not in answer.query
    assert [hit.id for hit in answer.hits] == before


def test_backfilled_vectors_are_those_the_model_gives(db: LatentDB, faces: Faces) -> None:
    status = ready(db, faces).status()
    assert (status.migration.state, status.missing) == ("ready", 0)
    assert status.migration.pictures.source == COUNT
    model = db.model("clip2")
    items = db.items(db.store.item_ids()[:8])
    pixels = np.stack([model.transform.apply(db.picture(item.id)) for item in items])
    stored = db.store.vectors("clip2", [item.id for item in items])
    np.testing.assert_allclose(stored, model.embed(pixels).vectors, atol=1e-5)
    assert faults(db) == []


def test_once_complete_the_new_space_answers_by_itself_when_named(
    db: LatentDB, faces: Faces
) -> None:
    ready(db, faces)
    answer = db.search(text="a hat", space="clip2")
    assert answer.space == "clip2"
    assert "served_through" not in answer.query
    assert db.search(text="a hat").space == "clip"


def test_a_migration_between_widths_and_without_text(db: LatentDB, faces: Faces) -> None:
    migration = db.migrate_space("dino", faces.dinov2, sample=SAMPLE, options=HERE)
    answer = db.search(image=faces.folder / "face_00001.png", space="dinov2", k=3)
    assert (answer.space, len(answer.hits)) == ("dino", 3)
    loss = migration.status().migration.loss
    assert loss.texts is None
    migration.backfill(options=HERE)
    migration.cut_over()
    assert list(db.spaces()) == ["clip", "dinov2", "dino"]
    assert db.map("clip", "dinov2").target_ref.dim == 20


def test_cut_over_hands_over_indexes_directions_maps_and_the_default(
    db: LatentDB, faces: Faces
) -> None:
    record = ready(db, faces).cut_over().migration
    assert set(record.refitted) == {"direction hat", "direction smiling", "map clip2 → dino"}
    assert record.to_refit == ()
    assert [(one.space, one.kind) for one in db.indexes()] == [("clip", "hnsw"), ("clip2", "hnsw")]
    assert db.direction("smiling", "clip2").orthogonal_to == ("hat",)
    assert list(db.spaces()) == ["clip2", "dino", "clip"]
    assert db.search(text="a hat").space == "clip2"
    assert db.rank("hat").space == "clip2"
    assert faults(db) == []


def test_after_cut_over_the_old_name_is_answered_by_the_new_space(
    db: LatentDB, faces: Faces
) -> None:
    ready(db, faces).cut_over()
    answer = db.search(text="a hat", space="clip", directions={"smiling": 1.0})
    assert answer.space == "clip2"
    assert answer.query["role"] == {"asked": "clip", "answered": "clip2"}
    item = int(db.store.item_ids()[0])
    assert hits(db, id=item, space="clip") == hits(db, id=item, space="clip2")
    assert db.rank("hat", space="clip").space == "clip2"


def test_after_cut_over_an_old_vector_goes_through_the_map(db: LatentDB, faces: Faces) -> None:
    ready(db, faces).cut_over()
    item = int(db.store.item_ids()[0])
    vector = db.store.vectors("clip", [item])[0]
    answer = db.search(vector=vector, space="clip", k=10)
    assert (answer.query["from"], answer.space) == ("clip", "clip2")
    assert answer.query["map"]["method"] == "ridge"


def test_rolling_back_after_cut_over_gives_the_old_answers_again(
    db: LatentDB, faces: Faces
) -> None:
    before = [hits(db, text="a hat"), hits(db, text="glasses", space="clip")]
    ranked = [hit.id for hit in db.rank("hat", space="clip").hits]
    migration = ready(db, faces)
    migration.cut_over()
    assert migration.roll_back().migration.state == "ready"
    assert [hits(db, text="a hat"), hits(db, text="glasses", space="clip")] == before
    assert [hit.id for hit in db.rank("hat", space="clip").hits] == ranked
    assert list(db.spaces()) == ["clip", "dino", "clip2"]
    assert faults(db) == []
    assert migration.cut_over().migration.state == "cut_over"


def test_rolled_back_early_it_starts_again_without_embedding_anew(
    db: LatentDB, faces: Faces
) -> None:
    migration = started(db, faces)
    assert migration.roll_back().migration.state == "rolled_back"
    assert len(db.store.vector_ids("clip2")) == SAMPLE
    again = started(db, faces).status()
    assert again.migration.pictures.source == SAMPLE
    assert again.vectors == SAMPLE
    assert faults(db) == []


def test_finish_drops_the_old_space_and_its_name_goes_on(db: LatentDB, faces: Faces) -> None:
    old = db.store.vectors("clip", db.store.item_ids()[:1])[0]
    migration = ready(db, faces)
    migration.cut_over()
    assert migration.finish().migration.state == "finished"
    assert list(db.spaces()) == ["clip2", "dino"]
    assert {one.space for one in db.indexes()} == {"clip2"}
    assert {one.space for one in db.directions()} == {"clip2"}
    assert [(one.source, one.target) for one in db.maps()] == [("clip2", "dino")]
    assert db.search(text="a hat", space="clip").space == "clip2"
    with pytest.raises(SpaceMismatchError, match="replaced by 'clip2' and dropped"):
        db.search(vector=old, space="clip")
    assert faults(db) == []
    assert latentdb.open(db.uri).search(text="a hat").space == "clip2"


@pytest.mark.parametrize("got_to", ["indexes", "rows"])
def test_a_finish_that_was_killed_is_ended_by_another(
    db: LatentDB, faces: Faces, got_to: str
) -> None:
    migration = ready(db, faces)
    migration.cut_over()
    db.catalog.migrations.update(migration.record(), lambda there: there.moved("finishing"))
    db.catalog.indexes.drop("clip")
    if got_to == "rows":
        db.store.delete([])
        db.store._tables.table("space_clip").delete("true")
    reopened = latentdb.open(db.uri, device="cpu")
    assert faults(reopened) == []
    assert reopened.search(text="a hat").space == "clip2"
    assert reopened.migration().finish().migration.state == "finished"
    assert list(reopened.spaces()) == ["clip2", "dino"]
    assert faults(reopened) == []


def test_new_pictures_get_vectors_in_both_spaces_while_a_way_back_is_open(
    db: LatentDB, faces: Faces, tmp_path: Path
) -> None:
    write_folder(tmp_path / "more", 4, seed=77)
    started(db, faces)
    options = IngestOptions(workers=0)
    assert set(db.ingest(tmp_path / "more", spaces=["clip2"], options=options).spaces) == {
        "clip",
        "clip2",
    }
    assert (len(db.store.vector_ids("clip")), len(db.store.vector_ids("clip2"))) == (94, SAMPLE + 4)


def test_a_shared_space_is_listed_and_goes_with_its_member(db: LatentDB, faces: Faces) -> None:
    db.share(["clip", "dino"], name="both", dim=4)
    migration = ready(db, faces)
    left = [one for one in migration.cut_over().migration.to_refit if "both" in one.what]
    assert [one.command.split("--method gcca ")[1] for one in left] == [
        "--space clip2 --space dino --name both-clip2"
    ]
    migration.finish()
    assert list(db.spaces()) == ["clip2", "dino"]
    db.ingest(faces.folder, options=IngestOptions(workers=0))
    assert faults(db) == []


def test_kill_minus_nine_during_the_backfill_loses_nothing(db: LatentDB, faces: Faces) -> None:
    started(db, faces)
    rng = random.Random(0)
    counts = [len(db.store.vector_ids("clip2"))]
    for _ in range(2):
        command = [sys.executable, str(CHILD), db.uri]
        child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
        time.sleep(rng.uniform(0.2, 0.6))
        child.kill()
        child.wait()
        counts.append(len(db.store.vector_ids("clip2")))
        assert faults(db) == []
        assert db.search(text="a hat", space="clip2", k=3).space in ("clip", "clip2")
    assert counts == sorted(counts)
    status = db.migration().backfill(options=HERE)
    assert (status.migration.state, status.missing) == ("ready", 0)
    assert faults(db) == []


@pytest.mark.parametrize(
    ("step", "says"),
    [
        ("backfill", "'cut_over'; to backfill it must be serving or ready"),
        ("cut_over", "'cut_over'; to cut over it must be serving or ready"),
        ("prepare", "to prepare it it must be starting; next comes .* --finish"),
    ],
)
def test_steps_out_of_turn_are_refused(db: LatentDB, faces: Faces, step: str, says: str) -> None:
    migration = ready(db, faces)
    migration.cut_over()
    with pytest.raises(MigrationError, match=says):
        getattr(migration, step)()
    assert migration.record().state == "cut_over"


def test_cut_over_waits_for_the_backfill_and_finish_for_cut_over(
    db: LatentDB, faces: Faces
) -> None:
    migration = started(db, faces)
    with pytest.raises(MigrationError, match="30 items have no vector in space 'clip2' yet"):
        migration.cut_over()
    with pytest.raises(MigrationError, match="must be cut_over or finishing"):
        migration.finish()
    assert migration.cut_over(allow_missing=True).migration.state == "cut_over"
    assert migration.roll_back().migration.state == "serving"


def test_a_finished_migration_has_no_way_back(db: LatentDB, faces: Faces) -> None:
    migration = ready(db, faces)
    migration.cut_over()
    migration.finish()
    with pytest.raises(MigrationError, match="'finished'; to roll back it must be"):
        migration.roll_back()
    with pytest.raises(MigrationError, match="no open migration"):
        db.migration()


def test_spaces_that_do_not_go_together_are_refused(db: LatentDB, faces: Faces) -> None:
    with pytest.raises(MigrationError, match="text questions would find no model"):
        db.migrate_space("clip", faces.dinov2)
    with pytest.raises(MigrationError, match="they are the same"):
        db.migrate_space("clip", "clip")
    assert list(db.spaces()) == ["clip", "dino"]
    started(db, faces)
    with pytest.raises(MigrationError, match="end it first"):
        db.migrate_space("clip2", "clip")


def test_a_backfill_stops_when_its_migration_is_rolled_back(db: LatentDB, faces: Faces) -> None:
    migration = started(db, faces)

    class RollsBack:
        """Rolls the migration back at the first picture."""

        def total(self, files: int | None) -> None:  # noqa: ARG002
            migration.roll_back()

        def advance(self, *, files: int = 1, quarantined: int = 0) -> None:
            """Say nothing."""

        def message(self, text: str) -> None:
            """Say nothing."""

    with pytest.raises(MigrationError, match="the backfill stops"):
        migration.backfill(options=replace(HERE, commit_rows=4), progress=RollsBack())
    assert migration.record().state == "rolled_back"
    assert faults(db) == []


def test_a_torn_file_of_migrations_is_named(db: LatentDB, faces: Faces) -> None:
    started(db, faces)
    (Path(db.uri) / "migrations.json").write_text('{"format": 1')
    with pytest.raises(StoreFormatError, match=r"migrations\.json cannot be understood"):
        db.search(text="a hat")


def test_bad_settings_of_a_backfill_are_refused() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        BackfillOptions(batch_size=0)
    with pytest.raises(ValueError, match="commit_seconds must be above 0"):
        BackfillOptions(commit_seconds=0)
