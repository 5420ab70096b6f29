"""The timm encoder against timm used by hand."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import timm
import timm.data
import tiny_models
from numpy.typing import NDArray
from PIL import Image

from latentdb.errors import ModelError
from latentdb.spaces import load_model
from latentdb.torch_compat import torch


def test_vectors_are_those_of_timm(
    tiny_model: Callable[[str], Path], pictures: NDArray[np.uint8]
) -> None:
    folder = tiny_model("timm")
    model = timm.create_model(f"local-dir:{folder}", pretrained=True).eval()
    # timm crops a border by default; ours keeps the whole short side.
    config = {**timm.data.resolve_data_config({}, model=model), "crop_pct": 1.0}
    preprocess = timm.data.create_transform(**config)
    images = torch.stack([preprocess(Image.fromarray(picture)) for picture in pictures])
    with torch.inference_mode():
        expected = model(images).numpy()
    encoder = load_model(f"vit=timm:{folder}", device="cpu")
    np.testing.assert_allclose(encoder.embed(pictures).vectors, expected, atol=1e-5)


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
