"""The timm encoder against timm used by hand."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import timm
import timm.data
import tiny_models
from numpy.typing import NDArray
from photographs import photograph
from PIL import Image

from latentdb.errors import ModelError, SpaceSpecError
from latentdb.model import Transform
from latentdb.spaces import load_model
from latentdb.torch_compat import torch


def _with_config(folder: Path, copy: Path, **overlay: object) -> Path:
    """A copy of a model whose pretrained config says otherwise."""
    shutil.copytree(folder, copy)
    config = json.loads((copy / "config.json").read_text())
    config["pretrained_cfg"].update(overlay)
    (copy / "config.json").write_text(json.dumps(config))
    return copy


def _by_timm(folder: Path, photographs: list[Image.Image]) -> tuple[torch.Tensor, torch.Tensor]:
    """Normalised pictures and their vectors, by timm's own evaluation transform."""
    model = timm.create_model(f"local-dir:{folder}", pretrained=True).eval()
    library: Any = timm.data
    preprocess = library.create_transform(**library.resolve_data_config({}, model=model))
    images = torch.stack([preprocess(photograph) for photograph in photographs])
    with torch.inference_mode():
        return images, model(images)


@pytest.mark.parametrize("interpolation", ["bicubic", "bilinear"])
@pytest.mark.parametrize("crop_pct", [0.875, 0.9, 0.95])
def test_pixels_and_vectors_are_those_of_timm(
    tiny_model: Callable[[str], Path], tmp_path: Path, crop_pct: float, interpolation: str
) -> None:
    folder = _with_config(
        tiny_model("timm"), tmp_path / "vit", crop_pct=crop_pct, interpolation=interpolation
    )
    photographs = [photograph(*size) for size in ((32, 32), (36, 36), (64, 50), (101, 150))]
    images, expected = _by_timm(folder, photographs)
    encoder = load_model(f"vit=timm:{folder}", device="cpu")
    pixels = np.stack([encoder.transform.apply(photograph) for photograph in photographs])
    levels = (images * 0.25 + 0.5).permute(0, 2, 3, 1).numpy() * 255
    assert np.abs(pixels - levels).max() < 2.01
    vectors = encoder.embed(pixels).vectors
    error = np.linalg.norm(vectors - expected.numpy(), axis=1)
    assert (error < 5e-3 * np.linalg.norm(expected.numpy(), axis=1)).all()


def test_vectors_of_what_needs_no_resize_are_those_of_timm(
    tiny_model: Callable[[str], Path], tmp_path: Path, pictures: NDArray[np.uint8]
) -> None:
    folder = _with_config(tiny_model("timm"), tmp_path / "vit", crop_pct=1.0)
    _, expected = _by_timm(folder, [Image.fromarray(picture) for picture in pictures])
    encoder = load_model(f"vit=timm:{folder}", device="cpu")
    np.testing.assert_allclose(encoder.embed(pictures).vectors, expected.numpy(), atol=1e-5)


def test_the_crop_makes_another_space_unless_it_cuts_nothing_off(
    tiny_model: Callable[[str], Path],
) -> None:
    folder = tiny_model("timm")
    whole, cut, as_configured = (
        load_model(f"vit=timm:{folder}{query}", device="cpu").space
        for query in ("?crop_pct=1", "?crop_pct=0.8", "")
    )
    # 32 / 0.9, as the tiny model's config says.
    assert as_configured.settings["short_side"] == 35
    assert cut.settings["short_side"] == 40
    # A fingerprint as it was before there were crops.
    assert "short_side" not in whole.settings
    assert len({whole.fingerprint, cut.fingerprint, as_configured.fingerprint}) == 3


@pytest.mark.parametrize("overlay", [{"crop_mode": "squash"}, {"crop_pct": 1.1}])
def test_another_crop_is_refused_unless_one_is_given(
    tiny_model: Callable[[str], Path], tmp_path: Path, overlay: dict[str, object]
) -> None:
    folder = _with_config(tiny_model("timm"), tmp_path / "vit", **overlay)
    with pytest.raises(ModelError, match=r"only 'center' with at most 1 is supported"):
        load_model(f"vit=timm:{folder}", device="cpu")
    assert load_model(f"vit=timm:{folder}?crop_pct=1", device="cpu").transform == Transform(32)


@pytest.mark.parametrize("crop_pct", ["0", "1.5", "nan"])
def test_a_share_that_is_none_is_refused(tiny_model: Callable[[str], Path], crop_pct: str) -> None:
    with pytest.raises(SpaceSpecError, match="expected 0 < crop_pct ≤ 1"):
        load_model(f"vit=timm:{tiny_model('timm')}?crop_pct={crop_pct}", device="cpu")


def test_a_classifier_is_left_out(tmp_path: Path, pictures: NDArray[np.uint8]) -> None:
    shape = {"img_size": 32, "patch_size": 8, "depth": 1, "embed_dim": 24, "num_heads": 2}
    model = timm.create_model("vit_tiny_patch16_224", num_classes=7, **shape)
    timm.models.save_for_hf(model, tmp_path / "vit", model_args=shape, safe_serialization=True)
    encoder = load_model(f"vit=timm:{tmp_path / 'vit'}?size=32", device="cpu")
    assert encoder.embed(pictures).vectors.shape == (5, 24)


def test_other_weights_make_another_space(tmp_path: Path) -> None:
    fingerprints = set()
    for seed in (0, 1):
        folder = tiny_models.save_timm(tmp_path / str(seed) / "vit", seed=seed)
        fingerprints.add(load_model(f"vit=timm:{folder}", device="cpu").space.fingerprint)
    assert len(fingerprints) == 2


@pytest.mark.parametrize(
    ("missing", "text"),
    [("model.safetensors", "no weights in"), ("config.json", "cannot be loaded")],
)
def test_a_folder_that_lacks_a_part_is_refused(
    tiny_model: Callable[[str], Path], tmp_path: Path, missing: str, text: str
) -> None:
    copy = shutil.copytree(tiny_model("timm"), tmp_path / "copy")
    (copy / missing).unlink()
    with pytest.raises(ModelError, match=text):
        load_model(f"vit=timm:{copy}", device="cpu")
