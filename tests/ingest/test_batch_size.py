"""How many pictures a model gets at once, where nobody says."""

from __future__ import annotations

import numpy as np
import pytest

from latentdb.ingest.batch_size import FIRST_BATCH, USUAL_BATCH, fitting_batch
from latentdb.ingest.embedding import Embedder
from latentdb.memory import Taken, free_bytes, watched
from latentdb.model import AbstractEncoder, Embedded, Pixels, Transform
from latentdb.space import Space

MB, GB = 1 << 20, 1 << 30
SMALL = 64 * 64 * 3


class Recorder(AbstractEncoder):
    """Takes some megabytes a picture for as long as it runs, and remembers its batches."""

    def __init__(self, megabytes: int = 0) -> None:
        self.batches: list[int] = []
        self._megabytes = megabytes

    @property
    def space(self) -> Space:
        return Space(name="recorder", kind="embedding", dim=1, spec="", settings={})

    @property
    def transform(self) -> Transform:
        return Transform(8)

    def embed(self, pixels: Pixels) -> Embedded:
        self.batches.append(len(pixels))
        np.ones((len(pixels) * self._megabytes * MB // 8,))
        return Embedded(np.ones((len(pixels), 1), np.float32))


@pytest.mark.parametrize(
    ("taken", "expected"),
    [
        ([], USUAL_BATCH),
        ([Taken(False, 0, GB)], USUAL_BATCH),
        ([Taken(False, 4 * MB, 64 * GB)], USUAL_BATCH),
        ([Taken(False, 4 * 64 * MB, 2 * GB)], 16),
        ([Taken(False, 4 * GB, GB)], 1),
        ([Taken(True, 4 * MB, 64 * GB), Taken(False, 0, GB)], 256),
        ([Taken(True, 4 * GB, 100 * GB), Taken(False, 4 * MB, GB)], 64),
        ([Taken(True, 0, 2 * GB), Taken(False, 4 * MB, 64 * GB)], USUAL_BATCH),
    ],
)
def test_a_batch_takes_a_share_of_what_is_free(taken: list[Taken], expected: int) -> None:
    assert fitting_batch(taken, n=4, picture_bytes=SMALL) == expected


def test_large_pictures_come_in_smaller_batches() -> None:
    assert fitting_batch([Taken(True, MB, 64 * GB)], n=4, picture_bytes=3 * 1024**2) == 64


def test_memory_that_is_taken_and_given_back_is_seen() -> None:
    free = free_bytes()
    if free is None:
        pytest.skip("only Linux tells")
    with watched() as taken:
        np.ones(200 * MB // 8)
    (here,) = [place for place in taken if not place.is_gpu]
    assert 190 * MB < here.peak_bytes < 400 * MB
    assert 0 < here.free_bytes < 1 << 50


def test_the_first_batch_is_small_and_the_next_as_large_as_memory_holds() -> None:
    recorder = Recorder()
    embedder = Embedder(recorder, batch_size=None, tell=print)
    embedder.embed([np.zeros((8, 8, 3), np.uint8)] * 100)
    assert recorder.batches[0] == FIRST_BATCH
    assert max(recorder.batches[1:]) == embedder.batch_size == USUAL_BATCH


def test_a_hungry_model_gets_fewer_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    if free_bytes() is None:
        pytest.skip("only Linux tells")
    monkeypatch.setattr("latentdb.memory.free_bytes", lambda: 512 * MB)
    recorder = Recorder(megabytes=30)
    embedder = Embedder(recorder, batch_size=None, tell=print)
    embedder.embed([np.zeros((8, 8, 3), np.uint8)] * 20)
    assert embedder.batch_size in (4, 8)


def test_a_size_that_was_given_is_kept() -> None:
    recorder = Recorder()
    Embedder(recorder, batch_size=7, tell=print).embed([np.zeros((8, 8, 3), np.uint8)] * 16)
    assert recorder.batches == [7, 7, 2]
