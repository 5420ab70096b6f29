"""The transformers encoder against transformers used by hand."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from latentdb.errors import ModelError
from latentdb.spaces import load_model
from latentdb.torch_compat import torch


@pytest.mark.parametrize("pooling", ["cls", "pooled", "mean"])
def test_vectors_are_those_of_dinov2(
    pooling: str, tiny_model: Callable[[str], Path], pictures: NDArray[np.uint8]
) -> None:
    from transformers import AutoImageProcessor, Dinov2Model

    folder = tiny_model("dinov2")
    processor = AutoImageProcessor.from_pretrained(folder, do_resize=False)
    images = [Image.fromarray(picture) for picture in pictures]
    with torch.inference_mode():
        output = Dinov2Model.from_pretrained(folder)(**processor(images, return_tensors="pt"))
    tokens = output.last_hidden_state
    poolings = {"cls": tokens[:, 0], "pooled": output.pooler_output, "mean": tokens[:, 1:].mean(1)}
    encoder = load_model(f"dino=transformers:{folder}?pooling={pooling}", device="cpu")
    vectors = encoder.embed(pictures).vectors
    np.testing.assert_allclose(vectors, poolings[pooling].numpy(), atol=1e-4)


def test_vectors_of_a_model_with_two_towers_are_those_of_its_vision_tower(
    tiny_model: Callable[[str], Path], pictures: NDArray[np.uint8]
) -> None:
    from transformers import AutoImageProcessor, CLIPVisionModel

    folder = tiny_model("clip_vision")
    inputs = AutoImageProcessor.from_pretrained(folder)(
        [Image.fromarray(picture) for picture in pictures], return_tensors="pt"
    )
    with torch.inference_mode():
        expected = CLIPVisionModel.from_pretrained(folder)(**inputs).pooler_output.numpy()
    encoder = load_model(f"clip=transformers:{folder}?pooling=pooled", device="cpu")
    np.testing.assert_allclose(encoder.embed(pictures).vectors, expected, atol=1e-4)


def test_a_pooling_that_the_model_has_not_is_refused(tmp_path: Path) -> None:
    from transformers import BitImageProcessor, ResNetConfig, ResNetModel

    config = ResNetConfig(embedding_size=8, hidden_sizes=[8, 8], depths=[1, 1])
    ResNetModel(config).save_pretrained(tmp_path / "resnet")
    BitImageProcessor(size={"shortest_edge": 32}, crop_size=32).save_pretrained(tmp_path / "resnet")
    with pytest.raises(ModelError, match="gives no tokens but maps of shape"):
        load_model(f"net=transformers:{tmp_path / 'resnet'}", device="cpu")
    model = load_model(f"net=transformers:{tmp_path / 'resnet'}?pooling=pooled", device="cpu")
    assert model.space.dim == 8
