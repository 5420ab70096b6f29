"""Noise back to pictures, and models that cannot be inverted."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from indexers.errors import DimensionError, DtypeError, NonFiniteError
from latentdb.errors import ModelError
from latentdb.model import AbstractInverter
from latentdb.spaces import load_model


@pytest.fixture(scope="module")
def inverter(tiny_model: Callable[[str], Path]) -> AbstractInverter:
    model = load_model(f"noise=diffusers:{tiny_model('unconditional')}?steps=3", device="cpu")
    assert isinstance(model, AbstractInverter)
    return model


@pytest.fixture
def noise() -> NDArray[np.float32]:
    return np.random.default_rng(0).standard_normal((3, 256), dtype=np.float32)


def test_decode_gives_pictures_and_does_not_modify_noise(
    inverter: AbstractInverter, noise: NDArray[np.float32]
) -> None:
    before = noise.copy()
    pictures = inverter.decode(noise)
    assert pictures.shape == (3, 32, 32, 3)
    assert pictures.dtype == np.uint8
    np.testing.assert_array_equal(noise, before)


def test_decode_is_deterministic_and_takes_no_noise(
    inverter: AbstractInverter, noise: NDArray[np.float32]
) -> None:
    np.testing.assert_array_equal(inverter.decode(noise), inverter.decode(noise))
    assert inverter.decode(noise[:0]).shape == (0, 32, 32, 3)


@pytest.mark.parametrize(
    ("change", "error", "text"),
    [
        (lambda x: x[:, :9], DimensionError, r"has shape \(n, 256\), got \(3, 9\)"),
        (lambda x: x[0], DimensionError, r"has shape \(n, 256\), got \(256,\)"),
        (lambda x: x.astype(np.float64), DtypeError, "is float32, got float64"),
        (lambda x: x * np.float32(np.nan), NonFiniteError, "holds NaN or infinity"),
    ],
)
def test_decode_refuses_what_is_not_noise(
    inverter: AbstractInverter,
    noise: NDArray[np.float32],
    change: Callable[[NDArray[np.float32]], NDArray[np.float32]],
    error: type[Exception],
    text: str,
) -> None:
    with pytest.raises(error, match=text):
        inverter.decode(change(noise))


def copy_with(source: Path, folder: Path, part: str, changes: dict[str, object]) -> Path:
    shutil.copytree(source, folder)
    path = folder / part
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))
    return folder


@pytest.mark.parametrize(
    ("part", "changes", "text"),
    [
        ("model_index.json", {"unet": ["diffusers", "FluxTransformer2DModel"]}, "supported are"),
        ("model_index.json", {"vae": ["diffusers", "VQModel"]}, "not of a whole VQModel"),
        ("model_index.json", {"vae": ["diffusers", "AutoencoderDC"]}, "are AutoencoderKL"),
        ("model_index.json", {"unet": [None, None]}, "neither a unet nor a transformer"),
        ("model_index.json", {"noise_conditioned": "no"}, "it is true or false"),
        ("unet/config.json", {"in_channels": 3}, "cannot be loaded"),
    ],
)
def test_models_of_other_families_are_refused(
    tiny_model: Callable[[str], Path],
    tmp_path: Path,
    part: str,
    changes: dict[str, object],
    text: str,
) -> None:
    folder = copy_with(tiny_model("unconditional"), tmp_path / "model", part, changes)
    with pytest.raises(ModelError, match=text):
        load_model(f"noise=diffusers:{folder}", device="cpu")


@pytest.mark.parametrize("missing", ["model_index.json", "scheduler/scheduler_config.json"])
def test_a_folder_that_lacks_a_part_is_refused(
    tiny_model: Callable[[str], Path], tmp_path: Path, missing: str
) -> None:
    folder = shutil.copytree(tiny_model("unconditional"), tmp_path / "model")
    (folder / missing).unlink()
    with pytest.raises(ModelError, match=Path(missing).name):
        load_model(f"noise=diffusers:{folder}", device="cpu")


def test_a_prompt_for_a_model_without_text_is_refused(tiny_model: Callable[[str], Path]) -> None:
    with pytest.raises(ModelError, match="knows no text"):
        load_model(f"noise=diffusers:{tiny_model('unconditional')}?prompt=cat", device="cpu")


def test_a_size_that_the_network_cannot_halve_is_refused(
    tiny_model: Callable[[str], Path],
) -> None:
    with pytest.raises(ModelError, match="size=36 is not a multiple of 8"):
        load_model(f"noise=diffusers:{tiny_model('unconditional')}?size=36", device="cpu")


def test_half_precision_is_another_space_with_like_vectors(
    tiny_model: Callable[[str], Path], pictures: NDArray[np.uint8], inverter: AbstractInverter
) -> None:
    spec = f"noise=diffusers:{tiny_model('unconditional')}?steps=3&dtype=bfloat16"
    half = load_model(spec, device="cpu")
    assert half.space.fingerprint != inverter.space.fingerprint
    vectors, full = half.embed(pictures).vectors, inverter.embed(pictures).vectors
    assert vectors.dtype == np.float32
    assert np.abs(vectors - full).max() < 0.1 * np.abs(full).max()
