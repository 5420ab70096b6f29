"""Preprocessing against Pillow's resize of the whole picture, cropped afterwards."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from photographs import photograph
from PIL import Image

from latentdb.model import Transform


@pytest.mark.parametrize("resample", ["bicubic", "bilinear", "lanczos"])
@pytest.mark.parametrize("shape", [(32, 32), (36, 36), (64, 50), (50, 65), (191, 190)])
def test_the_square_is_that_of_the_resized_picture(shape: tuple[int, int], resample: str) -> None:
    picture = photograph(*shape)
    sides = [36 * side // min(shape) for side in shape]
    left, top = (round((side - 32) / 2) for side in sides)
    whole = picture.resize(sides, Image.Resampling[resample.upper()])
    expected = np.asarray(whole.crop((left, top, left + 32, top + 32)), np.int16)
    pixels = Transform(32, resample, short_side=36).apply(picture)
    # Pillow rounds between its two passes, whose order depends on what is left out.
    assert np.abs(pixels - expected).max() <= 2


@settings(deadline=None, max_examples=60)
@given(
    width=st.integers(2, 300),
    height=st.integers(2, 300),
    size=st.integers(1, 40),
    margin=st.none() | st.integers(0, 20),
)
def test_every_picture_becomes_a_square_of_its_own_pixels(
    width: int, height: int, size: int, margin: int | None
) -> None:
    short_side = None if margin is None else size + margin
    picture = Image.new("RGB", (width, height), (200, 30, 60))
    pixels = Transform(size, short_side=short_side).apply(picture)
    np.testing.assert_array_equal(pixels, np.broadcast_to([200, 30, 60], (size, size, 3)))


def test_a_strip_is_not_resized_where_it_is_cut_off() -> None:
    strip = Image.new("RGB", (2_000_000, 2), (9, 9, 9))
    assert Transform(224, short_side=248).apply(strip).shape == (224, 224, 3)


def test_without_a_margin_a_picture_of_the_size_is_left_as_it_is() -> None:
    picture = photograph(32, 32)
    np.testing.assert_array_equal(Transform(32).apply(picture), np.asarray(picture))
