"""Index files: whole or absent, whatever happens to them."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from indexers import files
from indexers.errors import IndexFileError, IndexFormatError, IndexKindError
from indexers.flat import FlatConfig
from indexers.index import build_index
from indexers.metric import EuclideanMetric
from indexers.persistence import ids_hash, load_index, read_manifest, save_index
from tests.indexers.conftest import make_vectors


@pytest.fixture
def index(vectors, ids, metric, config, kept):
    return build_index(vectors, ids, metric=metric, config=config, reader=kept)


@pytest.fixture
def saved(tmp_path):
    index = build_index(
        make_vectors(30, seed=1), np.arange(30), metric=EuclideanMetric(), config=FlatConfig()
    )
    save_index(index, tmp_path, manifest_extra={"table_version": 7})
    return tmp_path


def version_of(folder):
    return folder / (folder / "CURRENT").read_text().strip()


@pytest.mark.parametrize("mmap", [False, True], ids=["read", "mapped"])
def test_a_loaded_index_answers_as_the_saved_one(index, queries, ids, kept, tmp_path, mmap):
    index.remove(ids[:30])
    save_index(index, tmp_path)
    loaded = load_index(tmp_path, mmap=mmap, reader=kept)
    before, after = index.search(queries, 10), loaded.search(queries, 10)
    np.testing.assert_array_equal(before.ids, after.ids)
    np.testing.assert_array_equal(before.distances, after.distances)
    assert loaded.config == index.config
    assert loaded.metric.settings() == index.metric.settings()
    assert len(loaded) == len(index)


def test_a_loaded_index_can_grow(index, kept, tmp_path):
    save_index(index, tmp_path)
    loaded = load_index(tmp_path, reader=kept)
    loaded.add(*kept.put(make_vectors(2, seed=8), [1, 2]))
    assert loaded.search(make_vectors(2, seed=8), 1).ids[:, 0].tolist() == [1, 2]


def test_a_mapped_index_refuses_to_change(index, ids, tmp_path):
    save_index(index, tmp_path)
    loaded = load_index(tmp_path, mmap=True)
    with pytest.raises(IndexKindError, match="mmap=False"):
        loaded.add(make_vectors(1, seed=8), [1])
    with pytest.raises(IndexKindError, match="mmap=False"):
        loaded.remove(ids[:1])


def test_the_manifest_says_what_was_indexed(saved):
    manifest = read_manifest(saved)
    assert manifest["extra"] == {"table_version": 7}
    assert manifest["count"] == 30
    assert manifest["ids_hash"] == ids_hash(np.arange(30)[::-1])
    assert manifest["config"] == {"kind": "flat"}
    assert manifest["metric"] == {"name": "euclidean"}


def test_saving_again_replaces_and_sweeps(saved):
    (saved / "tmp-dead").mkdir()
    (saved / "tmp-dead" / "rows.faiss").write_bytes(b"half")
    (saved / ("v-" + "0" * 32)).mkdir()
    save_index(load_index(saved), saved)
    names = sorted(path.name for path in saved.iterdir())
    assert names == sorted(["CURRENT", "LOCK", version_of(saved).name])


def test_nothing_there_is_said_so(tmp_path):
    with pytest.raises(IndexFileError, match="found no CURRENT"):
        load_index(tmp_path)


@pytest.mark.parametrize(
    "name", ["rows.faiss", "ids.npy", "norms.npy", "errors.npy", "manifest.json"]
)
@pytest.mark.parametrize("damage", ["missing", "truncated", "flipped", "empty"])
def test_a_damaged_file_is_noticed(saved, name, damage):
    path = version_of(saved) / name
    content = bytearray(path.read_bytes())
    if damage == "missing":
        path.unlink()
    elif damage == "truncated":
        path.write_bytes(content[:-7])
    elif damage == "empty":
        path.write_bytes(b"")
    else:
        content[len(content) // 2] ^= 1
        path.write_bytes(content)
    with pytest.raises(IndexFileError, match=r"missing|torn|checksum|changed"):
        load_index(saved)


@pytest.mark.parametrize("content", ["", "v-123\n", "../../etc\n", "v-" + "a" * 32 + "\n"])
def test_a_wrong_pointer_is_noticed(saved, content):
    (saved / "CURRENT").write_text(content)
    with pytest.raises(IndexFileError, match=r"to name a version|which is not in"):
        load_index(saved)


def claim_format(folder, number):
    path = version_of(folder) / "manifest.json"
    manifest = json.loads(path.read_text())
    path.write_text(json.dumps({**manifest, "format_version": number}))


def test_a_newer_format_is_refused(saved):
    claim_format(saved, 99)
    with pytest.raises(IndexFormatError, match="index format 99, this version reads up to 2"):
        load_index(saved)


def test_an_older_format_is_to_be_built_again(saved):
    claim_format(saved, 1)
    with pytest.raises(IndexFileError, match="format 1, this version reads 2; build the index"):
        load_index(saved)


def test_a_second_writer_is_refused(saved):
    index = load_index(saved)
    with (
        files._only_writer(saved),
        pytest.raises(IndexFileError, match="another process is writing"),
    ):
        save_index(index, saved)


def test_a_folder_that_cannot_be_written_is_said_so(saved, tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    with pytest.raises(IndexFileError, match="could not write the index"):
        save_index(load_index(saved), blocked)


class Crash(BaseException):
    """A crash: nothing catches it."""


def crash_at(monkeypatch, step):
    """Raise at the step-th system call that a save makes."""
    left = [step]
    calls = [(os, "fsync"), (os, "open"), (Path, "rename"), (Path, "replace"), (Path, "write_text")]
    calls += [(Path, "mkdir"), (Path, "unlink"), (shutil, "rmtree"), (np, "save")]
    for owner, name in calls:
        real = getattr(owner, name)

        def guarded(*args, _real=real, **kwargs):
            left[0] -= 1
            if left[0] == 0:
                raise Crash
            return _real(*args, **kwargs)

        monkeypatch.setattr(owner, name, guarded)
    return left


def test_a_crash_at_any_step_leaves_the_old_index_or_the_new(saved, monkeypatch):
    old = load_index(saved)
    new = build_index(
        make_vectors(40, seed=2), np.arange(40), metric=EuclideanMetric(), config=FlatConfig()
    )
    counts, step = [], 0
    while not counts or counts[-1] != "done":
        step += 1
        with monkeypatch.context() as patch:
            crash_at(patch, step)
            try:
                save_index(new, saved)
                counts.append("done")
            except Crash:
                counts.append("crashed")
        assert len(load_index(saved)) in {30, 40}
        save_index(old, saved)
        assert len(load_index(saved)) == 30
    assert len(counts) > 10


WRITER = """
import sys, numpy as np
from indexers.index import build_index
from indexers.flat import FlatConfig
from indexers.metric import EuclideanMetric
from indexers.persistence import save_index
print("ready", flush=True)
count = 0
while True:
    count += 1
    rows = np.full((200, 64), count, np.float32)
    ix = build_index(rows, np.arange(200) + count, metric=EuclideanMetric(), config=FlatConfig())
    save_index(ix, sys.argv[1], manifest_extra={"count": count})
"""


def test_killing_the_writer_leaves_a_whole_index(tmp_path):
    rng = np.random.default_rng(0)
    last = 0
    for _ in range(3):
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(tmp_path)], stdout=subprocess.PIPE
        )
        writer.stdout.readline()
        while not (tmp_path / "CURRENT").exists():
            assert writer.poll() is None
            time.sleep(0.01)
        time.sleep(rng.uniform(0.0, 0.3))
        writer.send_signal(signal.SIGKILL)
        writer.wait()
        writer.stdout.close()
        index, count = load_index(tmp_path), read_manifest(tmp_path)["extra"]["count"]
        assert (index.vectors(index.ids) == count).all()
        last = count
    assert last > 0
