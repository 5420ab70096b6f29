"""What strangers are told of names of files."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest
from store_batches import make_batch

from latentdb.filters import filter_ids
from latentdb.store import Store
from latentdb.store.names import located, shown_message, shown_name, shown_names
from latentdb.types import QuarantineRow


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        ("/home/someone/photos/a.jpg", "a.jpg"),
        ("/data/set.zip!inner/a.jpg", "set.zip!inner/a.jpg"),
        ("/a.jpg", "a.jpg"),
        ("../../photos/a.jpg", "photos/a.jpg"),
        ("photos/a.jpg", "photos/a.jpg"),
        ("uploads/1f/a.png", "uploads/1f/a.png"),
        ("", ""),
    ],
)
def test_a_name_is_told_without_folders_of_the_machine(source: str, shown: str) -> None:
    assert shown_name(source) == shown
    assert shown_names(pa.chunked_array([[source]])).to_pylist() == [shown]


def test_a_message_is_told_without_folders_of_the_machine() -> None:
    told = shown_message("Permission denied: /srv/my photos/a.jpg", "/srv/my photos/a.jpg")
    assert told == "Permission denied: a.jpg"
    assert shown_message("bad member in /srv/a.zip", "/srv/a.zip!b") == "bad member in a.zip"


def test_an_upload_lies_below_the_database(tmp_path: Path) -> None:
    (tmp_path / "uploads" / "1f").mkdir(parents=True)
    (tmp_path / "uploads/1f/a.png").touch()
    (tmp_path / "photos.png").touch()
    assert located(tmp_path, "uploads/1f/a.png") == str(tmp_path / "uploads/1f/a.png")
    for elsewhere in ("photos.png", "uploads/1f/b.png", "uploads/../photos.png"):
        assert located(tmp_path, elsewhere) == elsewhere


@pytest.fixture
def hiding(empty_store: Store) -> Store:
    """A database of files with absolute paths, opened for strangers."""
    batch = make_batch([3, 5])
    batch["items"] = [replace(row, source=f"/srv/secret/{row.id}.png") for row in batch["items"]]
    batch["quarantine"] = [QuarantineRow("/srv/secret/b", "", "unreadable", "/srv/secret/b gone")]
    empty_store.write_batch(**batch)
    opened = Store.open(empty_store.uri)
    opened.hide_paths()
    return opened


def test_strangers_see_no_folder_in_items_filters_and_quarantine(hiding: Store) -> None:
    for _ in range(12):  # from disk at first, then from memory
        assert [item.source for item in hiding.items([5, 3])] == ["5.png", "3.png"]
    assert filter_ids(hiding, "source like '%secret%'").tolist() == []
    assert filter_ids(hiding, "source = '3.png'").tolist() == [3]
    assert [(row.source, row.message) for row in hiding.quarantined()] == [("b", "b gone")]


def test_the_original_is_found_whatever_strangers_see(hiding: Store) -> None:
    assert hiding.original(3) == "/srv/secret/3.png"
