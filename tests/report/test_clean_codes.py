"""The clean codes that the controls probe are those that inversion begins at."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from latentdb.inverters.base import AbstractTrajectoryInverter
from latentdb.spaces import load_model


def test_noise_is_where_clean_codes_lead(
    tiny_model: Callable[[str], Path], pictures: NDArray[np.uint8]
) -> None:
    model = load_model(f"noise=diffusers:{tiny_model('unconditional')}?steps=3", device="cpu")
    assert isinstance(model, AbstractTrajectoryInverter)
    codes = model.encode(pictures)
    assert (codes.shape, codes.dtype) == ((5, model.space.dim), np.float32)
    noise = model.follow(codes, start=0, stop=model.grid.steps)
    np.testing.assert_allclose(noise, model.embed(pictures).vectors, atol=1e-5)
    assert model.encode(pictures[:0]).shape == (0, model.space.dim)
