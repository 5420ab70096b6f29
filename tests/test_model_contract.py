"""What every encoder and inverter owes its callers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from indexers.errors import DimensionError, DtypeError
from latentdb.model import AbstractSpaceModel
from latentdb.spaces import load_model

SPECS = {
    "open_clip": "clip=open_clip:{open_clip}",
    "timm": "vit=timm:{timm}",
    "dinov2": "dino=transformers:{dinov2}",
    "clip_vision": "vision=transformers:{clip_vision}?pooling=pooled",
    "fixed_point": "noise=diffusers:{unconditional}?steps=4&psnr=true",
    "ddim": "noise=diffusers:{unconditional}?steps=4&inverter=ddim",
    "stable_diffusion": "sd=diffusers:{stable_diffusion}?steps=3&iterations=1&prompt=a face",
}
OTHER_SETTINGS = {
    "open_clip": ("clip=open_clip:{open_clip}?dtype=bfloat16",),
    "timm": ("vit=timm:{timm}?size=48", "vit=timm:{timm}?store=float16"),
    "dinov2": ("dino=transformers:{dinov2}?pooling=mean", "dino=transformers:{dinov2}?size=48"),
    "clip_vision": ("vision=transformers:{clip_vision}?pooling=cls",),
    "fixed_point": (
        "noise=diffusers:{unconditional}?steps=5",
        "noise=diffusers:{unconditional}?steps=4&iterations=2",
        "noise=diffusers:{unconditional}?steps=4&first_iterations=1",
        "noise=diffusers:{unconditional}?steps=4&tolerance=0.5",
        "noise=diffusers:{unconditional}?steps=4&last_timestep=900",
        "noise=diffusers:{unconditional}?steps=4&inverter=ddim",
        "noise=diffusers:{unconditional}?steps=4&size=48",
    ),
    "ddim": (
        "noise=diffusers:{unconditional}?steps=4&inverter=ddim&convention=cleaner",
        "noise=diffusers:{unconditional}?steps=4&inverter=ddim&spacing=leading",
    ),
    "stable_diffusion": ("sd=diffusers:{stable_diffusion}?steps=3&iterations=1&prompt=",),
}


@pytest.fixture(scope="module")
def load(tiny_model: Callable[[str], Path]) -> Callable[[str], AbstractSpaceModel]:
    names = ("open_clip", "timm", "dinov2", "clip_vision", "unconditional", "stable_diffusion")
    models: dict[str, AbstractSpaceModel] = {}

    def load_once(template: str) -> AbstractSpaceModel:
        if template not in models:
            folders = {name: tiny_model(name) for name in names if f"{{{name}}}" in template}
            models[template] = load_model(template.format(**folders), device="cpu")
        return models[template]

    return load_once


@pytest.fixture(params=SPECS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def model(kind: str, load: Callable[[str], AbstractSpaceModel]) -> AbstractSpaceModel:
    return load(SPECS[kind])


def test_vectors_are_finite_float32_rows_of_the_space(
    model: AbstractSpaceModel, pictures: NDArray[np.uint8]
) -> None:
    vectors = model.embed(pictures).vectors
    assert vectors.shape == (5, model.space.dim)
    assert vectors.dtype == np.float32
    assert vectors.flags.c_contiguous
    assert np.isfinite(vectors).all()


def test_different_pictures_get_different_vectors(
    model: AbstractSpaceModel, pictures: NDArray[np.uint8]
) -> None:
    vectors = model.embed(pictures).vectors
    assert len(np.unique(vectors.round(6), axis=0)) == 5


def test_quality_columns_are_those_of_the_space(
    model: AbstractSpaceModel, pictures: NDArray[np.uint8]
) -> None:
    quality = model.embed(pictures).quality
    assert tuple(quality) == model.space.quality
    assert all(column.shape == (5,) for column in quality.values())
    assert all(column.dtype == np.float32 for column in quality.values())


def test_a_picture_gets_the_same_vector_in_any_batch(
    model: AbstractSpaceModel, pictures: NDArray[np.uint8]
) -> None:
    together = model.embed(pictures).vectors
    alone = np.concatenate([model.embed(picture[None]).vectors for picture in pictures])
    scale = np.abs(together).max()
    np.testing.assert_allclose(alone / scale, together / scale, atol=2e-5)


def test_embed_does_not_modify_pictures(
    model: AbstractSpaceModel, pictures: NDArray[np.uint8]
) -> None:
    before = pictures.copy()
    model.embed(pictures)
    np.testing.assert_array_equal(pictures, before)


def test_embed_takes_read_only_and_strided_pictures(
    model: AbstractSpaceModel, pictures: NDArray[np.uint8]
) -> None:
    expected = model.embed(pictures).vectors
    frozen = np.repeat(pictures, 2, axis=0)
    frozen.flags.writeable = False
    np.testing.assert_allclose(model.embed(frozen[::2]).vectors, expected, atol=1e-4)


def test_no_pictures_give_no_vectors(
    model: AbstractSpaceModel, pictures: NDArray[np.uint8]
) -> None:
    embedded = model.embed(pictures[:0])
    assert embedded.vectors.shape == (0, model.space.dim)
    assert tuple(embedded.quality) == model.space.quality


def test_pictures_of_another_size_are_refused(
    model: AbstractSpaceModel, pictures: NDArray[np.uint8]
) -> None:
    with pytest.raises(DimensionError, match=r"expected pictures of shape \(n, 32, 32, 3\)"):
        model.embed(pictures[:, :16])


def test_pictures_in_float_are_refused(
    model: AbstractSpaceModel, pictures: NDArray[np.uint8]
) -> None:
    with pytest.raises(DtypeError, match="expected pictures in uint8, got float32"):
        model.embed((pictures / 255).astype(np.float32))


def test_transform_makes_what_embed_takes(model: AbstractSpaceModel) -> None:
    picture = Image.new("RGB", (100, 70), (200, 30, 60))
    pixels = model.transform.apply(picture)
    assert model.embed(pixels[None]).vectors.shape == (1, model.space.dim)


def test_spec_makes_the_same_space_again(
    model: AbstractSpaceModel, pictures: NDArray[np.uint8], tmp_path: Path, monkeypatch
) -> None:
    monkeypatch.chdir(tmp_path)
    again = load_model(model.space.spec, device="cpu")
    assert again.space == model.space
    np.testing.assert_array_equal(again.embed(pictures).vectors, model.embed(pictures).vectors)


def test_every_setting_that_moves_a_vector_makes_another_space(
    kind: str, model: AbstractSpaceModel, load: Callable[[str], AbstractSpaceModel]
) -> None:
    others = [load(template).space for template in OTHER_SETTINGS[kind]]
    fingerprints = {space.fingerprint for space in [model.space, *others]}
    assert len(fingerprints) == 1 + len(others)
