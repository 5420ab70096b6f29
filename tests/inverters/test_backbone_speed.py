"""Options that save memory or time give the same vectors, but for rounding."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny_models
from numpy.typing import NDArray

from latentdb.errors import ModelError
from latentdb.spaces import load_model
from latentdb.torch_compat import torch

FAMILIES = {"stable_diffusion": "", "sdxl": "", "sd3": "", "flux": "&size=32", "unconditional": ""}


def embedded(folder: Path, options: str, pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
    spec = f"noise=diffusers:{folder}?inverter=ddim&steps=3{options}"
    return load_model(spec, device="cpu").embed(pictures).vectors


@pytest.mark.parametrize(
    ("name", "option"),
    [
        *((name, option) for name in FAMILIES for option in ("slicing", "channels_last")),
        ("sdxl", "tiling"),
    ],
)
def test_frugal_vectors_are_the_same_within_rounding(
    name: str, option: str, tiny_model: Callable[[str], Path], pictures: NDArray[np.uint8]
) -> None:
    folder, options = tiny_model(name), FAMILIES[name]
    plain = embedded(folder, options, pictures)
    frugal = embedded(folder, f"{options}&{option}=true", pictures)
    np.testing.assert_allclose(frugal, plain, atol=1e-4 * np.abs(plain).max())


def test_tiles_are_another_space_since_several_of_them_move_vectors(
    tiny_model: Callable[[str], Path],
) -> None:
    folder = tiny_model("stable_diffusion")
    large = np.random.default_rng(0).integers(0, 256, (1, 64, 64, 3), dtype=np.uint8)
    plain, tiled = (embedded(folder, f"&size=64{more}", large) for more in ("", "&tiling=true"))
    assert np.abs(tiled - plain).max() > 1e-3
    spaces = [
        load_model(f"noise=diffusers:{folder}?size=64{more}", device="cpu").space
        for more in ("", "&tiling=true", "&slicing=true&channels_last=true")
    ]
    assert spaces[0].fingerprint != spaces[1].fingerprint
    assert spaces[0].fingerprint == spaces[2].fingerprint


@pytest.mark.parametrize("option", ["slicing", "tiling"])
@pytest.mark.parametrize(("name", "what"), [("ddpm_pixels", "none"), ("ldm_vq", "VQModel")])
def test_what_cannot_be_cut_is_not_silently_whole(
    option: str, name: str, what: str, tiny_model: Callable[[str], Path]
) -> None:
    with pytest.raises(ModelError, match=f"{option}=true goes with AutoencoderKL.*: {what}"):
        load_model(f"noise=diffusers:{tiny_model(name)}?{option}=true", device="cpu")


@pytest.mark.slow
def test_a_compiled_network_gives_the_same_vectors_within_rounding(
    tiny_model: Callable[[str], Path], pictures: NDArray[np.uint8]
) -> None:
    folder = tiny_model("unconditional")
    plain = embedded(folder, "", pictures)
    compiled = embedded(folder, "&compile=true", pictures)
    np.testing.assert_allclose(compiled, plain, atol=1e-3 * np.abs(plain).max())


def dtype_of_vae(model: Any) -> torch.dtype:
    return model._backbone._autoencoder.dtype


def test_an_autoencoder_that_overflows_in_half_precision_runs_in_full(
    tiny_model: Callable[[str], Path], tmp_path: Path, pictures: NDArray[np.uint8]
) -> None:
    spec = "noise=diffusers:{}?inverter=ddim&steps=2&dtype=float16"
    sdxl = load_model(spec.format(tiny_model("sdxl")), device="cpu")
    assert dtype_of_vae(sdxl) == torch.float32
    assert np.isfinite(sdxl.embed(pictures).vectors).all()
    fixed = tiny_models.latent_diffusion.kl(scaling_factor=0.13025, force_upcast=False)
    fixed.save_pretrained(tmp_path / "fixed")
    other = load_model(f"{spec.format(tiny_model('sdxl'))}&vae={tmp_path / 'fixed'}", device="cpu")
    assert dtype_of_vae(other) == torch.float16
    older = load_model(spec.format(tiny_model("stable_diffusion")), device="cpu")
    assert dtype_of_vae(older) == torch.float16
