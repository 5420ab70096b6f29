"""The whole way: pictures in, items, vectors, labels and quarantine in the store."""

from __future__ import annotations

import io
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pooled_model import PooledEncoder

from latentdb.errors import LabelsError, QueryError, SourceError, SpaceExistsError
from latentdb.ingest import IngestOptions, ingest
from latentdb.ingest.decode import pixel_id
from latentdb.store import Store
from latentdb.types import IngestSummary


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.create(str(tmp_path / "db.ldb"))


@pytest.fixture
def model() -> PooledEncoder:
    return PooledEncoder()


def counts(summary: IngestSummary) -> dict[str, int]:
    names = ("added", "completed", "known", "duplicates", "quarantined")
    return {name: value for name in names if (value := getattr(summary, name))}


def labels_of(store: Store, item_id: int) -> dict[str, object]:
    return store.items([item_id])[0].labels


def test_a_folder_goes_in_with_its_vectors(store: Store, model, photos: Path, draw) -> None:
    summary = ingest(store, {"pooled": model}, photos)
    assert (counts(summary), summary.seen, summary.skipped) == ({"added": 6}, 6, 1)
    item_id = pixel_id(draw(0))
    item = store.items([item_id])[0]
    assert (item.source, item.width, item.height) == (f"{photos}/b.png", 40, 30)
    expected = model.embed(model.transform.apply(draw(0))[None])
    np.testing.assert_array_equal(store.vectors("pooled", [item_id]), expected.vectors)
    thumbnail = Image.open(io.BytesIO(store.thumbnail(item_id)))
    np.testing.assert_array_equal(np.asarray(thumbnail), np.asarray(draw(0)))
    assert store.check() == []


def test_a_second_run_does_nothing_again(store: Store, model, photos: Path) -> None:
    ingest(store, {"pooled": model}, photos)
    seen, version = model.seen, store.items_version()
    assert counts(ingest(store, {"pooled": model}, photos)) == {"known": 6}
    assert model.seen == seen
    assert store.items_version() == version


def test_a_new_space_is_filled_without_touching_the_others(store: Store, model, photos) -> None:
    ingest(store, {"pooled": model}, photos)
    seen, version = model.seen, store.version("pooled")
    other = PooledEncoder("other", dim=4)
    assert counts(ingest(store, {"pooled": model, "other": other}, photos)) == {"completed": 6}
    assert model.seen == seen
    assert store.version("pooled") == version
    np.testing.assert_array_equal(store.vector_ids("other"), store.item_ids())


def test_equal_pixels_are_one_item(store: Store, model, tmp_path: Path, draw) -> None:
    folder = tmp_path / "set"
    folder.mkdir()
    draw().save(folder / "a.png")
    draw().save(folder / "b.webp", lossless=True)
    (folder / "c.png").write_bytes((folder / "a.png").read_bytes())
    summary = ingest(store, {"pooled": model}, folder)
    assert counts(summary) == {"added": 1, "duplicates": 2}
    assert counts(ingest(store, {"pooled": model}, folder)) == {"known": 3}
    assert store.item_ids().tolist() == [pixel_id(draw())]


def test_more_duplicates_than_a_batch(store: Store, model, tmp_path: Path, draw) -> None:
    for at in range(9):
        draw().save(tmp_path / f"{at}.png")
    summary = ingest(store, {"pooled": model}, tmp_path, options=IngestOptions(batch_size=2))
    assert counts(summary) == {"added": 1, "duplicates": 8}


def test_a_deleted_item_comes_back(store: Store, model, photos: Path, draw) -> None:
    ingest(store, {"pooled": model}, photos)
    store.delete([pixel_id(draw(0))])
    assert counts(ingest(store, {"pooled": model}, photos)) == {"added": 1, "known": 5}


def test_the_limit_takes_the_first_files(store: Store, model, photos: Path) -> None:
    ingest(store, {"pooled": model}, photos, options=IngestOptions(limit=2))
    sources = {item.source for item in store.items(store.item_ids())}
    assert sources == {f"{photos}/a.PNG", f"{photos}/b.png"}


def test_labels_come_with_the_pictures(store: Store, model, photos: Path, draw) -> None:
    file = photos / "labels.csv"
    file.write_text("path,smile,name\na.PNG,1,Ann\nc.png,0,\nabsent.png,1,Bob\n")
    summary = ingest(store, {"pooled": model}, photos, options=IngestOptions(labels=file))
    assert (summary.unlabelled, summary.labels_unused) == (4, 1)
    assert store.label_columns() == {"smile": int, "name": str}
    assert labels_of(store, pixel_id(draw(1))) == {"smile": 1, "name": "Ann"}
    assert labels_of(store, pixel_id(draw(2)))["smile"] == 0


def test_labels_reach_items_that_were_there_before(store: Store, model, photos, draw) -> None:
    file = photos / "labels.csv"
    options = IngestOptions(labels=file)
    file.write_text("path,smile\na.PNG,1\nb.png,0\n")
    ingest(store, {"pooled": model}, photos, options=options)
    file.write_text("path,smile,hat\na.PNG,0,true\nb.png,,false\n")
    assert counts(ingest(store, {"pooled": model}, photos, options=options)) == {"known": 6}
    assert labels_of(store, pixel_id(draw(1))) == {"smile": 0, "hat": True}
    assert labels_of(store, pixel_id(draw(0))) == {"smile": 0, "hat": False}
    version = store.items_version()
    ingest(store, {"pooled": model}, photos, options=options)
    assert store.items_version() == version


@pytest.mark.parametrize(
    ("second", "match"),
    [("smile\na.PNG,yes", "'smile' is str, and in the database it is int"),
     ("width\na.PNG,3", "cannot be named 'width'"), ("tone\na.PNG,3", "cannot be named 'tone'"),
     ("Smile\na.PNG,3", "cannot be named 'Smile'")],
)  # fmt: skip
def test_labels_that_cannot_be_stored_are_refused_before_the_run(
    store: Store, model, photos: Path, second: str, match: str
) -> None:
    file = photos / "labels.csv"
    file.write_text("path,smile\na.PNG,1\n")
    ingest(store, {"pooled": model}, photos, options=IngestOptions(labels=file, limit=1))
    file.write_text(f"path,{second}\n")
    with pytest.raises(LabelsError, match=match):
        ingest(store, {"pooled": model}, photos, options=IngestOptions(labels=file))
    assert len(store.item_ids()) == 1


class Told:
    """A listener that remembers."""

    def __init__(self) -> None:
        self.files: int | None = -1
        self.done = self.quarantined = 0
        self.messages: list[str] = []

    def total(self, files: int | None) -> None:
        self.files = files

    def advance(self, *, files: int = 1, quarantined: int = 0) -> None:
        self.done += files
        self.quarantined += quarantined

    def message(self, text: str) -> None:
        self.messages.append(text)


def test_labels_of_a_data_set_that_clash_are_left_out_and_it_is_said(
    store: Store, model, tmp_path: Path, draw, encode
) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns = {"image": [encode(draw())], "width": [3], "smile": [1], "score": [float("nan")]}
    pq.write_table(pa.table(columns), tmp_path / "t.parquet")
    told = Told()
    ingest(store, {"pooled": model}, tmp_path / "t.parquet", progress=told)
    assert labels_of(store, pixel_id(draw())) == {"smile": 1}
    assert len(told.messages) == 1
    assert "'width' of the source is not kept" in told.messages[0]


def test_a_listener_hears_of_every_file(store: Store, model, photos: Path) -> None:
    (photos / "bad.jpg").write_text("no picture")
    told = Told()
    ingest(store, {"pooled": model}, photos, progress=told)
    assert (told.files, told.done, told.quarantined) == (7, 7, 1)


def test_a_quarantined_file_is_tried_again_only_when_asked(store, model, photos: Path) -> None:
    (photos / "bad.jpg").write_text("no picture")
    options = IngestOptions()
    for run in (options, options, replace(options, retry_quarantined=True)):
        summary = ingest(store, {"pooled": model}, photos, options=run)
        assert (summary.quarantined, summary.reasons) == (1, {"not_an_image": 1})
    assert [row.source for row in store.quarantined()] == [f"{photos}/bad.jpg"]


def test_a_verdict_that_hangs_on_an_option_is_judged_again(store, model, photos, draw) -> None:
    small = IngestOptions(max_megapixels=0.001)
    assert ingest(store, {"pooled": model}, photos, options=small).reasons == {"too_large": 6}
    assert counts(ingest(store, {"pooled": model}, photos)) == {"added": 6}
    assert store.quarantined() == []


def test_a_file_that_was_mended_leaves_quarantine(store, model, photos: Path, draw) -> None:
    (photos / "z.png").write_text("no picture")
    ingest(store, {"pooled": model}, photos)
    draw(50).save(photos / "z.png")
    assert counts(ingest(store, {"pooled": model}, photos)) == {"added": 1, "known": 6}
    assert store.quarantined() == []


def test_what_cannot_begin_raises(store: Store, model, photos: Path, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="there is no"):
        ingest(store, {"pooled": model}, tmp_path / "absent")
    with pytest.raises(QueryError, match="at least one space"):
        ingest(store, {}, photos)
    with pytest.raises(QueryError, match="'other' is that of space 'pooled'"):
        ingest(store, {"other": model}, photos)
    ingest(store, {"pooled": model}, photos)
    with pytest.raises(SpaceExistsError, match="pooled"):
        ingest(store, {"pooled": PooledEncoder(size=32)}, photos)
    with pytest.raises(QueryError, match="batch_size must be at least 1"):
        IngestOptions(batch_size=0)


def test_a_zip_goes_in_by_processes_of_its_own(store, model, tmp_path, draw, encode) -> None:
    with zipfile.ZipFile(tmp_path / "set.zip", "w") as archive:
        for seed in range(40):
            archive.writestr(f"{seed}.png", encode(draw(seed)))
    options = IngestOptions(workers=2, batch_size=8)
    summary = ingest(store, {"pooled": model}, tmp_path / "set.zip", options=options)
    assert counts(summary) == {"added": 40}
    assert sorted(store.item_ids()) == sorted(pixel_id(draw(seed)) for seed in range(40))
