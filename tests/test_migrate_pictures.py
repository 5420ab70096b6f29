"""Pictures of stored items are read again from where they came, or from their thumbnails."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from latentdb.ingest import IngestOptions, ingest
from latentdb.ingest.decode import decode_picture
from latentdb.migrate.pictures import Picture, PictureReader
from latentdb.model import AbstractEncoder, Embedded, Pixels, Transform
from latentdb.space import Space
from latentdb.store import Store


class MeanColour(AbstractEncoder):
    """A space of three dimensions."""

    space = Space("mean", "embedding", 3, spec="none")
    transform = Transform(16)

    def embed(self, pixels: Pixels) -> Embedded:
        return Embedded(pixels.mean(axis=(1, 2)).astype(np.float32))


def draw(seed: int, side: int) -> Image.Image:
    corners = np.random.default_rng(seed).integers(0, 256, (3, 3, 3), dtype=np.uint8)
    return Image.fromarray(corners).resize((side, side), Image.Resampling.BICUBIC)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Two small pictures and one that is larger than any thumbnail."""
    folder = tmp_path / "photos!of 2024"
    folder.mkdir()
    for seed, side in enumerate([40, 40, 300]):
        draw(seed, side).save(folder / f"{seed}.png")
    return folder


def stored(tmp_path: Path, source: Path) -> Store:
    store = Store.create(str(tmp_path / "db.ldb"))
    ingest(store, {"mean": MeanColour()}, source, options=IngestOptions(workers=0))
    return store


def read(store: Store, **settings: bool) -> dict[str, Picture]:
    """Pictures of all items by the last part of their names."""
    ids = store.item_ids()
    names = {item.id: item.source[-5:] for item in store.items(ids)}
    reader = PictureReader(store, MeanColour.transform, workers=0, **settings)
    return {names[picture.id]: picture for picture in reader.read(ids)}


def test_files_are_read_again(tmp_path: Path, photos: Path) -> None:
    found = read(stored(tmp_path, photos))
    assert {picture.origin for picture in found.values()} == {"source"}
    expected = MeanColour.transform.apply(decode_picture((photos / "2.png").read_bytes()))
    np.testing.assert_array_equal(found["2.png"].pixels, expected)


def test_thumbnails_stand_in_for_files_that_are_gone(tmp_path: Path, photos: Path) -> None:
    store = stored(tmp_path, photos)
    shutil.rmtree(photos)
    found = read(store)
    assert [found[f"{n}.png"].origin for n in range(3)] == [
        "whole_thumbnail",
        "whole_thumbnail",
        "thumbnail",
    ]
    assert "No such file" in found["2.png"].why


def test_without_thumbnails_only_whole_ones_are_used(tmp_path: Path, photos: Path) -> None:
    store = stored(tmp_path, photos)
    shutil.rmtree(photos)
    found = read(store, use_thumbnails=False)
    assert found["2.png"].pixels is None
    assert found["1.png"].pixels is not None


def test_a_file_that_was_replaced_is_not_taken_for_the_picture(
    tmp_path: Path, photos: Path
) -> None:
    store = stored(tmp_path, photos)
    draw(9, 300).save(photos / "2.png")
    found = read(store)["2.png"]
    assert (found.origin, found.why) == ("thumbnail", "its file now holds another picture")


def test_members_of_a_zip_are_read_again(tmp_path: Path, photos: Path) -> None:
    archive = tmp_path / "set.zip"
    with zipfile.ZipFile(archive, "w") as file:
        for path in photos.iterdir():
            file.write(path, f"a!b/{path.name}")
    store = stored(tmp_path, archive)
    assert {picture.origin for picture in read(store).values()} == {"source"}
    archive.write_bytes(b"torn")
    assert read(store)["2.png"].origin == "thumbnail"


def test_rows_of_parquet_are_read_again_but_not_those_that_left_it(
    tmp_path: Path, photos: Path
) -> None:
    table = tmp_path / "train.parquet"
    rows = [{"bytes": path.read_bytes(), "path": path.name} for path in sorted(photos.iterdir())]
    pq.write_table(pa.table({"image": rows}), table)
    store = stored(tmp_path, table)
    assert {picture.origin for picture in read(store).values()} == {"source"}
    pq.write_table(pa.table({"image": rows[:2]}), table)
    gone = read(store)["2.png"]
    assert (gone.origin, gone.why) == ("thumbnail", f"{table} no longer holds it")
