"""Batches through a model: less at a time when memory runs out, and one bad picture alone."""

from __future__ import annotations

from typing import final

import numpy as np
import pytest
from pooled_model import PooledEncoder

from latentdb.errors import ModelError
from latentdb.ingest.embedding import Embedder
from latentdb.model import AbstractEncoder, Embedded, Pixels, Transform
from latentdb.space import Space
from latentdb.torch_compat import torch

PETABYTE = 1 << 50


@final
class Hungry(torch.nn.Module):
    """Averages pixels, and asks torch for a petabyte of scratch from `limit` pictures on."""

    def __init__(self, limit: int) -> None:
        super().__init__()
        self.limit = limit

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        torch.empty(PETABYTE * (len(pixels) >= self.limit), dtype=torch.uint8)
        return pixels.float().mean(dim=(1, 2))


@final
class HungryEncoder(AbstractEncoder):
    def __init__(self, limit: int) -> None:
        self._module = Hungry(limit)

    @property
    def space(self) -> Space:
        return Space("hungry", "embedding", 3, "hungry=test:hungry")

    @property
    def transform(self) -> Transform:
        return Transform(8)

    def embed(self, pixels: Pixels) -> Embedded:
        return Embedded(self._module(torch.from_numpy(pixels)).numpy())


@final
class PickyEncoder(AbstractEncoder):
    """Averages pixels; black pictures raise, white ones give NaN."""

    space = Space("picky", "embedding", 3, "picky=test:picky")
    transform = Transform(8)

    def embed(self, pixels: Pixels) -> Embedded:
        means = pixels.mean(axis=(1, 2), dtype=np.float32)
        if (means == 0).all(axis=1).any():
            raise ValueError("a black picture has no direction")
        means[(means == 255).all(axis=1)] = np.nan
        return Embedded(means)


def tones(*values: int) -> list[Pixels]:
    return [np.full((8, 8, 3), value, dtype=np.uint8) for value in values]


def test_a_batch_that_does_not_fit_is_halved_until_it_does() -> None:
    told: list[str] = []
    embedder = Embedder(HungryEncoder(limit=6), batch_size=16, tell=told.append)
    pictures = tones(*range(1, 41))
    done = embedder.embed(pictures)
    np.testing.assert_allclose(done.embedded.vectors[:, 0], range(1, 41))
    np.testing.assert_array_equal(done.rows, range(40))
    assert embedder.batch_size == 4
    assert [text.split(": ")[1] for text in told] == [
        "memory ran out with 16 pictures at once, going on with 8",
        "memory ran out with 8 pictures at once, going on with 4",
    ]


def test_the_smaller_batch_is_kept_for_the_rest_of_the_run() -> None:
    told: list[str] = []
    embedder = Embedder(HungryEncoder(limit=3), batch_size=4, tell=told.append)
    embedder.embed(tones(1, 2, 3, 4))
    embedder.embed(tones(1, 2, 3, 4))
    assert len(told) == 1


def test_memory_that_is_too_small_for_one_picture_stops_the_run() -> None:
    embedder = Embedder(HungryEncoder(limit=1), batch_size=4, tell=lambda _: None)
    with pytest.raises(ModelError, match="fails on every picture of a batch of 4"):
        embedder.embed(tones(1, 2, 3, 4))


def test_one_picture_that_does_not_fit_into_memory_is_reported() -> None:
    done = Embedder(HungryEncoder(limit=1), batch_size=4, tell=lambda _: None).embed(tones(1))
    assert "allocate memory" in done.failures[0]
    assert done.embedded.vectors.shape == (0, 3)


def test_pictures_that_a_model_fails_on_are_found_among_the_others() -> None:
    done = Embedder(PickyEncoder(), batch_size=4, tell=lambda _: None).embed(
        tones(9, 0, 7, 255, 5, 4)
    )
    assert done.rows.tolist() == [0, 2, 4, 5]
    np.testing.assert_allclose(done.embedded.vectors[:, 0], [9, 7, 5, 4])
    assert done.failures == {
        1: "a black picture has no direction",
        3: "the vector has values that are not numbers",
    }


def test_quality_stays_beside_its_vector() -> None:
    embedder = Embedder(PooledEncoder(size=8), batch_size=2, tell=lambda _: None)
    done = embedder.embed(tones(0, 51, 255))
    np.testing.assert_allclose(done.embedded.quality["tone"], [0.0, 0.2, 1.0], rtol=1e-6)


@final
class LyingEncoder(AbstractEncoder):
    space = Space("lying", "embedding", 5, "lying=test:lying")
    transform = Transform(8)

    def embed(self, pixels: Pixels) -> Embedded:
        return Embedded(np.zeros((len(pixels), 4), dtype=np.float32))


def test_a_model_that_breaks_its_contract_stops_the_run() -> None:
    embedder = Embedder(LyingEncoder(), batch_size=2, tell=lambda _: None)
    with pytest.raises(ModelError, match=r"shape \(2, 4\).*its space says \(2, 5\)"):
        embedder.embed(tones(1, 2))
