"""A folder with many kinds of bad file: the good ones go in, each bad one has its reason."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pooled_model import PooledEncoder

from latentdb.ingest import IngestOptions, ingest
from latentdb.store import Store

REASONS = {
    "bomb.png": "too_large",
    "bits.png": "corrupt",
    "broken_link.jpg": "unreadable",
    "cut.gif": "truncated",
    "cut.jpg": "truncated",
    "cut.png": "truncated",
    "cut.webp": "truncated",
    "dot.png": "too_small",
    "empty.jpg": "empty",
    "heading_only.jpg": "truncated",
    "noise.jpg": "not_an_image",
    "page.jpg": "not_an_image",
    "pipe.jpg": "unreadable",
    "song.webp": "not_an_image",
    "text.jpg": "not_an_image",
    "zeros.png": "not_an_image",
}


def fill_with_bad_files(folder: Path, draw, encode, header_only) -> None:
    whole = {kind: encode(draw(99), kind) for kind in ("PNG", "JPEG", "WEBP", "GIF")}
    flipped = bytearray(whole["PNG"])
    flipped[flipped.index(b"IDAT") + 12] ^= 0xFF
    contents = {
        "bomb.png": header_only(20_000, 20_000),
        "bits.png": bytes(flipped),
        "cut.gif": whole["GIF"][:-200],
        "cut.jpg": whole["JPEG"][: len(whole["JPEG"]) // 2],
        "cut.png": whole["PNG"][: len(whole["PNG"]) // 2],
        "cut.webp": whole["WEBP"][: len(whole["WEBP"]) // 2],
        "dot.png": encode(Image.new("RGB", (1, 1))),
        "empty.jpg": b"",
        "heading_only.jpg": whole["JPEG"][:12],
        "noise.jpg": np.random.default_rng(0).bytes(3000),
        "page.jpg": b"<!DOCTYPE html><html><body>404</body></html>",
        "song.webp": b"RIFF\x24\0\0\0WAVEfmt ",
        "text.jpg": b"these are words",
        "zeros.png": bytes(5000),
    }
    for name, data in contents.items():
        (folder / name).write_bytes(data)
    os.mkfifo(folder / "pipe.jpg")
    (folder / "broken_link.jpg").symlink_to("nowhere.jpg")


@pytest.mark.parametrize("n_good", [5, 40])
def test_good_files_go_in_and_bad_ones_are_listed(
    tmp_path, draw, encode, header_only, n_good: int
) -> None:
    folder = tmp_path / "set"
    (folder / "a_folder.jpg").mkdir(parents=True)
    for seed in range(n_good):
        draw(seed).save(folder / "a_folder.jpg" / f"{seed}.png")
    fill_with_bad_files(folder, draw, encode, header_only)
    store = Store.create(str(tmp_path / "db.ldb"))
    summary = ingest(store, {"pooled": PooledEncoder()}, folder)
    assert (summary.added, summary.quarantined) == (n_good, len(REASONS))
    listed = {Path(row.source).name: row.reason for row in store.quarantined()}
    assert listed == REASONS
    assert all(row.message for row in store.quarantined())
    assert len(store.item_ids()) == n_good
    assert store.check() == []


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_a_file_without_permission_is_unreadable(tmp_path: Path, draw) -> None:
    folder = tmp_path / "set"
    folder.mkdir()
    draw().save(folder / "a.png")
    (folder / "a.png").chmod(0)
    store = Store.create(str(tmp_path / "db.ldb"))
    assert ingest(store, {"pooled": PooledEncoder()}, folder).reasons == {"unreadable": 1}


def test_a_broken_member_of_a_zip_is_listed(tmp_path: Path, draw, encode) -> None:
    path = tmp_path / "set.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for seed in range(3):
            archive.writestr(f"{seed}.png", encode(draw(seed)))
    data = bytearray(path.read_bytes())
    data[data.index(b"IDAT") + 12] ^= 0xFF
    path.write_bytes(data)
    store = Store.create(str(tmp_path / "db.ldb"))
    summary = ingest(store, {"pooled": PooledEncoder()}, path, options=IngestOptions())
    assert (summary.added, summary.reasons) == (2, {"unreadable": 1})
    assert [row.source for row in store.quarantined()] == [f"{path}!0.png"]
