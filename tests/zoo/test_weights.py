"""The bundled weights: there, small, loadable, carded, and as good as their card says."""

from __future__ import annotations

import json

import numpy as np
import pytest

from latentdb.bundled import BUNDLED
from latentdb.model import AbstractInverter, AbstractTextEncoder
from latentdb.spaces import load_model
from latentdb.zoo.evaluate import FLOORS
from latentdb.zoo.faces import EVALUATION_SEED
from latentdb.zoo.measures import NOISE_SPACES, load_backbone
from latentdb.zoo.training import WEIGHTS
from latentdb.zoo.training_data import face_arrays

PIXELS = face_arrays(6, seed=EVALUATION_SEED, workers=1).pixels


def test_all_weights_together_are_under_25_megabytes() -> None:
    assert sum(file.stat().st_size for file in WEIGHTS.rglob("*") if file.is_file()) < 25e6


@pytest.mark.parametrize("name", BUNDLED)
def test_every_model_has_a_card_with_its_measures(name: str) -> None:
    folder = BUNDLED[name].path
    card = (folder / "README.md").read_text(encoding="utf-8")
    metrics = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
    for heading in ("Data", "Measured", "Limits", "Licence"):
        assert f"## {heading}" in card
    for measure, value in metrics.items():
        assert f"| {measure} | {value:.2f}"[:-1] in card


def test_every_floor_is_met_by_the_measures_beside_the_weights() -> None:
    measured: dict[str, float] = {}
    for model in BUNDLED.values():
        measured |= json.loads((model.path / "metrics.json").read_text(encoding="utf-8"))
    for name, floor in FLOORS.items():
        assert measured[name] >= floor


def test_the_autoencoder_keeps_held_out_faces() -> None:
    backbone = load_backbone("cpu")
    rebuilt = backbone.decode(backbone.encode(PIXELS)).permute(0, 2, 3, 1).detach().numpy()
    mse = ((rebuilt - PIXELS / 255.0) ** 2).mean()
    assert -10 * np.log10(mse) > FLOORS["autoencoder_psnr_db"]


@pytest.mark.parametrize(("space", "floor_db"), [("faces-noise", 15), ("faces-blind", 40)])
def test_noise_regenerates_its_picture(space: str, floor_db: float) -> None:
    model = load_model(f"short=bundled:{space}?steps=10&psnr=true", device="cpu")
    assert isinstance(model, AbstractInverter)
    embedded = model.embed(PIXELS[:2])
    assert embedded.vectors.shape == (2, 1024)
    assert embedded.quality["psnr"].min() > floor_db


def test_faces_blind_is_told_no_noise_level_and_says_so() -> None:
    told = [load_model(name, device="cpu").space.settings for name in NOISE_SPACES.values()]
    assert [settings.get("noise_conditioned", True) for settings in told] == [True, False]


def test_the_clip_tells_hats_from_bare_heads() -> None:
    faces = face_arrays(24, seed=EVALUATION_SEED, workers=1)
    encoder = load_model("faces-clip", device="cpu")
    assert isinstance(encoder, AbstractTextEncoder)
    texts = encoder.encode_text(["a face with a hat", "a face without a hat"])
    images = encoder.embed(faces.pixels).vectors
    cosines = images @ (texts / np.linalg.norm(texts, axis=1, keepdims=True)).T
    has_hat = faces.attributes[:, 2]
    assert ((cosines[:, 0] > cosines[:, 1]) == has_hat).mean() > 0.8


def test_the_self_supervised_model_knows_a_face_again_in_another_light() -> None:
    encoder = load_model("faces-ssl", device="cpu")
    dimmed = (PIXELS * 0.85).astype(np.uint8)
    plain, changed = encoder.embed(PIXELS).vectors, encoder.embed(dimmed).vectors
    plain = plain / np.linalg.norm(plain, axis=1, keepdims=True)
    changed = changed / np.linalg.norm(changed, axis=1, keepdims=True)
    assert (np.argmax(changed @ plain.T, axis=1) == np.arange(len(PIXELS))).mean() >= 0.8
