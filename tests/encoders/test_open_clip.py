"""The open_clip encoder against open_clip used by hand."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import open_clip
import pytest
from numpy.typing import NDArray
from PIL import Image

from latentdb.errors import ModelError
from latentdb.model import AbstractTextEncoder
from latentdb.spaces import load_model
from latentdb.torch_compat import torch

TEXTS = ["a face with a hat", "no hat", "a face with a hat"]


@pytest.fixture(scope="module")
def folder(tiny_model: Callable[[str], Path]) -> Path:
    return tiny_model("open_clip")


@pytest.fixture(scope="module")
def encoder(folder: Path) -> AbstractTextEncoder:
    model = load_model(f"clip=open_clip:{folder}", device="cpu")
    assert isinstance(model, AbstractTextEncoder)
    return model


def test_vectors_are_those_of_open_clip_not_normalised(
    encoder: AbstractTextEncoder, folder: Path, pictures: NDArray[np.uint8]
) -> None:
    model, preprocess = open_clip.create_model_from_pretrained(f"local-dir:{folder}")
    images = torch.stack([preprocess(Image.fromarray(picture)) for picture in pictures])
    with torch.inference_mode():
        expected = model.encode_image(images).numpy()
    np.testing.assert_allclose(encoder.embed(pictures).vectors, expected, atol=1e-5)
    assert np.abs(np.linalg.norm(expected, axis=1) - 1).min() > 0.01


def test_text_is_encoded_as_by_open_clip(encoder: AbstractTextEncoder, folder: Path) -> None:
    model = open_clip.create_model(f"local-dir:{folder}")
    tokenizer = open_clip.get_tokenizer(
        f"local-dir:{folder}", bpe_path=str(folder / "bpe_tiny.txt.gz")
    )
    with torch.inference_mode():
        expected = model.encode_text(tokenizer(TEXTS)).numpy()
    np.testing.assert_allclose(encoder.encode_text(TEXTS), expected, atol=1e-5)


def test_text_vectors_are_rows_of_the_picture_space(encoder: AbstractTextEncoder) -> None:
    vectors = encoder.encode_text(TEXTS)
    assert encoder.space.has_text
    assert vectors.shape == (3, encoder.space.dim)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(vectors[0], vectors[2], atol=1e-6)
    assert np.abs(vectors[0] - vectors[1]).max() > 1e-3


def test_words_are_not_remembered_for_ever(
    encoder: AbstractTextEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("latentdb.encoders.open_clip._MOST_WORDS", 40)
    tokenizer = encoder._tokenizer  # type: ignore[attr-defined]
    before = encoder.encode_text(TEXTS)
    for start in range(0, 200, 10):
        encoder.encode_text(
            [f"word{chr(97 + i % 26)}{chr(97 + i // 26)}" for i in range(start, start + 10)]
        )
        assert len(tokenizer.cache) <= 50
    np.testing.assert_array_equal(encoder.encode_text(TEXTS), before)


def test_no_texts_give_no_vectors(encoder: AbstractTextEncoder) -> None:
    assert encoder.encode_text([]).shape == (0, encoder.space.dim)


def test_other_vocabulary_or_weights_make_another_space(
    encoder: AbstractTextEncoder, folder: Path, tmp_path: Path
) -> None:
    copy = shutil.copytree(folder, tmp_path / folder.name)
    same = load_model(f"clip=open_clip:{copy}", device="cpu").space
    assert same.fingerprint == encoder.space.fingerprint
    (copy / "bpe_tiny.txt.gz").write_bytes(b"\x1f\x8b" + bytes(8))
    with pytest.raises(ModelError, match="cannot be loaded"):
        load_model(f"clip=open_clip:{copy}", device="cpu")


def test_architecture_with_a_checkpoint_file_is_loaded(
    folder: Path, encoder: AbstractTextEncoder, tmp_path: Path, pictures: NDArray[np.uint8]
) -> None:
    config = json.loads((folder / "open_clip_config.json").read_text())["model_cfg"]
    config["text_cfg"]["tokenizer_kwargs"]["bpe_path"] = str(folder / "bpe_tiny.txt.gz")
    (tmp_path / "tiny-test-clip.json").write_text(json.dumps(config))
    open_clip.add_model_config(tmp_path / "tiny-test-clip.json")
    checkpoint = folder / "open_clip_model.safetensors"
    model = load_model(f"c=open_clip:tiny-test-clip?pretrained={checkpoint}", device="cpu")
    assert model.embed(pictures).vectors.shape == (5, encoder.space.dim)
    assert load_model(model.space.spec, device="cpu").space == model.space


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("ViT-B-32", "an architecture without weights: add .pretrained=FILE, or one of the tags"),
        ("ViT-B-32?pretrained=nonsense", "neither a file nor a tag of ViT-B-32"),
        ("/no/such/folder", "is not a folder"),
    ],
)
def test_sources_without_weights_are_refused(source: str, text: str) -> None:
    with pytest.raises(ModelError, match=text):
        load_model(f"clip=open_clip:{source}", device="cpu")


def test_a_checkpoint_beside_a_folder_is_refused(folder: Path) -> None:
    with pytest.raises(ModelError, match="brings its own weights"):
        load_model(f"clip=open_clip:{folder}?pretrained=openai", device="cpu")


@pytest.mark.parametrize(
    ("missing", "text"),
    [
        ("open_clip_config.json", "holds no open_clip_config.json"),
        ("open_clip_model.safetensors", "no weights in"),
    ],
)
def test_a_folder_that_lacks_a_part_is_refused(
    folder: Path, tmp_path: Path, missing: str, text: str
) -> None:
    copy = shutil.copytree(folder, tmp_path / "copy")
    (copy / missing).unlink()
    with pytest.raises(ModelError, match=text):
        load_model(f"clip=open_clip:{copy}", device="cpu")


def test_torn_weights_are_refused(folder: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(folder, tmp_path / "copy")
    weights = copy / "open_clip_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])
    with pytest.raises(ModelError, match="cannot be loaded"):
        load_model(f"clip=open_clip:{copy}", device="cpu")
