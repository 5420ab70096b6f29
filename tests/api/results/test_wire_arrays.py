"""Arrays and pictures cross the wire to the bit; anything else is refused."""

from __future__ import annotations

import base64
import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from numpy.typing import NDArray
from PIL import Image

from latentdb.errors import WireError
from latentdb.wire.arrays import DTYPES, array_from_wire, array_to_wire
from latentdb.wire.pictures import picture_from_wire, picture_to_wire


@given(
    st.sampled_from(DTYPES).flatmap(
        lambda dtype: arrays(np.dtype(dtype), array_shapes(min_dims=1, max_dims=2, min_side=0))
    )
)
def test_an_array_comes_back_to_the_bit(array: NDArray[Any]) -> None:
    there = json.loads(json.dumps(array_to_wire(array), allow_nan=False))
    back = array_from_wire(there, "it", array.dtype.name, array.shape)
    assert (back.dtype, back.shape, back.tobytes()) == (array.dtype, array.shape, array.tobytes())


def test_an_array_of_any_layout_is_sent_row_by_row() -> None:
    array = np.arange(12, dtype=np.float32).reshape(3, 4).T[:, ::-1]
    back = array_from_wire(array_to_wire(array), "it", "float32", (4, 3))
    np.testing.assert_array_equal(back, array)
    assert back.flags.writeable


GOOD = array_to_wire(np.zeros((2, 3), np.float32))
REFUSED: dict[str, tuple[Any, str]] = {
    "a list": ([0, 0], "an object of dtype, shape and base64"),
    "another field": ({**GOOD, "order": "F"}, "no others"),
    "another dtype": ({**GOOD, "dtype": "float64"}, "an array of float32"),
    "another shape": ({**GOOD, "shape": [3, 2]}, r"shape \(any, 3\), got"),
    "another rank": ({**GOOD, "shape": [6]}, r"shape \(any, 3\), got"),
    "a negative shape": ({**GOOD, "shape": [-2, 3]}, r"shape \(any, 3\), got"),
    "a shape of texts": ({**GOOD, "shape": ["2", 3]}, r"shape \(any, 3\), got"),
    "a shape beyond its bytes": ({**GOOD, "shape": [2**30, 3]}, "and brings 24"),
    "bytes missing": ({**GOOD, "base64": "AAAA"}, "which are 24 bytes, and brings 3"),
    "no base64": ({**GOOD, "base64": "é%"}, "is no base64"),
    "bytes that are a number": ({**GOOD, "base64": 7}, "a string of base64"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_such_array_is_refused(name: str) -> None:
    data, message = REFUSED[name]
    with pytest.raises(WireError, match=message):
        array_from_wire(data, "it", "float32", (None, 3))


def test_a_picture_comes_back_pixel_by_pixel() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (5, 7, 3), dtype=np.uint8)
    back = picture_from_wire(picture_to_wire(Image.fromarray(noise)), "it")
    np.testing.assert_array_equal(np.asarray(back), noise)


@pytest.mark.parametrize("data", [7, "é", base64.b64encode(b"no picture").decode()])
def test_what_is_no_picture_is_refused(data: object) -> None:
    with pytest.raises(WireError, match="it is a picture"):
        picture_from_wire(data, "it")
