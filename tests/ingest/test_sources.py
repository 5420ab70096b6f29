"""Every kind of source yields the same candidates each time, with the bytes behind them."""

from __future__ import annotations

import io
import json
import os
import pickle
import tarfile
import zipfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from latentdb.errors import PictureError, SourceError
from latentdb.ingest.sources import AbstractSource, Candidate, open_source

PHOTO_KEYS = ["a.PNG", "b.png", "e.jpg", "f.gif", "inner/c.png", "inner/d.webp"]
ENOUGH = 1 << 20


def read(candidate: Candidate) -> bytes:
    return candidate.recipe.read(ENOUGH)


def keys_of(source: AbstractSource) -> list[str]:
    return [candidate.key for candidate in source]


@pytest.fixture
def zipped(photos: Path) -> Path:
    path = photos.parent / "set.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for key in [*PHOTO_KEYS, "labels.csv", "film.mp4", ".cache/hidden.png"]:
            archive.write(photos / key, key)
    return path


def tar_of(path: Path, members: dict[str, bytes]) -> Path:
    with tarfile.open(path, "w:gz" if path.suffix == ".gz" else "w") as archive:
        for name, data in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return path


def parquet_of(path: Path, columns: dict[str, pa.Array | list[object]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(columns), path)
    return path


def test_a_folder_yields_its_pictures_sorted(photos: Path) -> None:
    source = open_source(photos)
    assert keys_of(source) == PHOTO_KEYS
    assert source.total == 6
    assert source.keys() == PHOTO_KEYS


def test_a_folder_counts_files_of_other_kinds_but_not_companions(photos: Path) -> None:
    assert open_source(photos).skipped == 1


def test_names_start_with_the_path_as_written(
    photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(photos.parent)
    assert next(iter(open_source("photos"))).source == "photos/a.PNG"


def test_a_prefix_stands_where_the_path_would(photos: Path, zipped: Path) -> None:
    assert next(iter(open_source(photos, prefix="set"))).source == "set/a.PNG"
    assert next(iter(open_source(zipped, prefix="set"))).source == "set/a.PNG"


def test_a_recipe_reads_the_file_after_a_trip_through_pickle(photos: Path) -> None:
    for candidate in open_source(photos):
        again = pickle.loads(pickle.dumps(candidate))
        assert read(again) == (photos / candidate.key).read_bytes()


def test_a_single_picture_is_a_source(photos: Path) -> None:
    assert keys_of(open_source(photos / "e.jpg")) == ["e.jpg"]


def test_a_glob_yields_what_it_matches(photos: Path) -> None:
    assert keys_of(open_source(f"{photos}/**/*.png")) == ["b.png", "inner/c.png"]


def test_a_glob_of_folders_yields_what_is_in_them(photos: Path) -> None:
    assert keys_of(open_source(f"{photos}/inn*")) == ["c.png", "d.webp"]


def test_a_glob_passes_over_what_is_no_picture(photos: Path) -> None:
    source = open_source(f"{photos}/*")
    assert keys_of(source) == ["a.PNG", "b.png", "e.jpg", "f.gif"]
    assert source.skipped == 1


def test_a_folder_named_like_a_picture_is_walked(tmp_path: Path, photos: Path) -> None:
    photos.rename(tmp_path / "x.jpg")
    assert keys_of(open_source(tmp_path)) == [f"x.jpg/{key}" for key in PHOTO_KEYS]


def test_a_database_among_the_pictures_is_passed_over(photos: Path) -> None:
    inside = photos / "photos.ldb"
    inside.mkdir()
    for name in ("latentdb.json", "thumbnail.png", "part.lance"):
        (inside / name).touch()
    source = open_source(photos)
    assert (keys_of(source), source.skipped) == (PHOTO_KEYS, 1)


def test_a_zip_yields_its_pictures(photos: Path, zipped: Path) -> None:
    source = open_source(zipped)
    assert [candidate.source for candidate in source] == [f"{zipped}!{key}" for key in PHOTO_KEYS]
    assert [read(candidate) for candidate in source] == [
        (photos / key).read_bytes() for key in PHOTO_KEYS
    ]
    assert (source.total, source.skipped) == (6, 1)


def test_a_zip_member_with_a_wrong_checksum_is_unreadable(zipped: Path) -> None:
    whole = zipped.read_bytes()
    at = whole.index(b"WEBP")
    zipped.write_bytes(whole[:at] + b"XXXX" + whole[at + 4 :])
    with pytest.raises(PictureError, match=r"CRC|decompress") as caught:
        read(list(open_source(zipped))[-1])
    assert caught.value.reason == "unreadable"


@pytest.mark.parametrize("name", ["shard.tar", "shard.tar.gz"])
def test_a_tar_yields_its_pictures_with_webdataset_labels(
    tmp_path: Path, photos: Path, name: str
) -> None:
    picture = (photos / "b.png").read_bytes()
    fields = json.dumps({"smile": True, "age": 31, "box": [1, 2]}).encode()
    members = {
        "d/0001.png": picture, "d/0001.json": fields, "d/0001.cls": b"7\n", "d/0001.txt": b"a face",
        "d/0002.txt": b"another", "d/0002.jpg": picture, "d/readme.md": b"hello",
    }  # fmt: skip
    first, second = open_source(tar_of(tmp_path / name, members))
    assert first.labels == {"smile": True, "age": 31, "cls": 7, "txt": "a face"}
    assert second.labels == {"txt": "another"}
    assert read(first) == read(second) == picture
    assert second.source == f"{tmp_path / name}!d/0002.jpg"


@pytest.mark.parametrize("name", ["shard.tar", "shard.tar.gz"])
def test_a_tar_that_breaks_off_yields_what_it_has(tmp_path: Path, photos: Path, name: str) -> None:
    members = {f"{i}.png": os.urandom(8000) for i in range(4)}
    path = tar_of(tmp_path / name, members)
    path.write_bytes(path.read_bytes()[:14_000])
    outcomes = []
    for candidate in open_source(path):
        try:
            outcomes.append(read(candidate) == members[candidate.key])
        except PictureError as error:
            outcomes.append(error.reason)
    assert outcomes[0] is True
    assert outcomes[-1] == "unreadable"


def test_parquet_in_the_hugging_face_layout(tmp_path: Path, photos: Path) -> None:
    rows = [{"bytes": (photos / key).read_bytes(), "path": key} for key in PHOTO_KEYS]
    columns = {
        "image": rows,
        "label": [0, 1, 2, 3, 4, None],
        "name": list("abcdef"),
        "box": [[1]] * 6,
    }
    source = open_source(parquet_of(tmp_path / "train.parquet", columns))
    found = list(source)
    assert [candidate.key for candidate in found] == PHOTO_KEYS
    assert [read(candidate) for candidate in found] == [row["bytes"] for row in rows]
    assert found[5].labels == {"label": None, "name": "f"}
    assert source.total == 6


def test_parquet_with_a_binary_column(tmp_path: Path) -> None:
    path = parquet_of(tmp_path / "t.parquet", {"raw": [b"1", b"2"], "ok": [True, False]})
    found = list(open_source(path))
    assert [read(candidate) for candidate in found] == [b"1", b"2"]
    assert found[1].source == f"{path}!1"
    assert found[1].labels == {"ok": False}


def test_parquet_rows_without_bytes_read_the_file_beside_or_say_so(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"beside")
    image = pa.array(
        [{"bytes": None, "path": "a.png"}, None],
        pa.struct([("bytes", pa.binary()), ("path", pa.string())]),
    )
    beside, nothing = open_source(parquet_of(tmp_path / "t.parquet", {"image": image}))
    assert read(beside) == b"beside"
    with pytest.raises(PictureError, match="holds no picture"):
        read(nothing)


def test_parquet_without_pictures_names_its_columns(tmp_path: Path) -> None:
    path = parquet_of(tmp_path / "t.parquet", {"x": [1], "text": ["a"]})
    with pytest.raises(SourceError, match=r"no column of pictures.*x \(int64\), text \(string\)"):
        open_source(path)


def test_a_folder_of_shards_is_read_as_one_source(tmp_path: Path) -> None:
    for name in ("deep/b.parquet", "a.parquet"):
        parquet_of(tmp_path / name, {"image": [name.encode()]})
    source = open_source(tmp_path)
    assert [read(candidate) for candidate in source] == [b"a.parquet", b"deep/b.parquet"]
    assert source.total == 2


def test_something_unknown_is_refused_with_the_kinds_there_are(tmp_path: Path) -> None:
    (tmp_path / "notes.pdf").write_bytes(b"%PDF")
    with pytest.raises(SourceError, match=r"no known kind.*folder.*\.parquet"):
        open_source(tmp_path / "notes.pdf")
    with pytest.raises(SourceError, match="there is no"):
        open_source(tmp_path / "absent")
    with pytest.raises(SourceError, match="nothing matches"):
        open_source(f"{tmp_path}/*.png")


@pytest.mark.parametrize("name", ["x.zip", "x.tar", "x.parquet"])
def test_a_container_that_is_none_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"nothing of the kind")
    with pytest.raises(SourceError, match="cannot be read as"):
        open_source(tmp_path / name)


def test_a_pipe_and_a_dangling_link_are_unreadable(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.png")
    (tmp_path / "b.png").symlink_to(tmp_path / "gone.png")
    reasons = []
    for candidate in open_source(tmp_path):
        with pytest.raises(PictureError, match=r"regular file|No such file") as caught:
            read(candidate)
        reasons.append(caught.value.reason)
    assert reasons == ["unreadable", "unreadable"]


def test_a_file_of_more_bytes_than_any_picture_needs_is_not_read(photos: Path) -> None:
    with pytest.raises(PictureError, match="more than the 10") as caught:
        next(iter(open_source(photos))).recipe.read(10)
    assert caught.value.reason == "too_large"
