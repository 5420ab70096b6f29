"""What moves a vector enters a backbone's settings, and nothing else does."""

from __future__ import annotations

import gc
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny_models
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file

from latentdb.errors import ModelError
from latentdb.inverters.backbones.backbone import DiffusersBackbone
from latentdb.inverters.options import DiffusersOptions
from latentdb.torch_compat import torch

SIZES = {
    "unconditional": (32, 4, 8),
    "ddpm_pixels": (16, 3, 16),
    "ldm_vq": (32, 3, 16),
    "stable_diffusion": (32, 4, 16),
    "sdxl": (32, 4, 16),
    "sd3": (32, 4, 16),
    "flux": (32, 4, 16),
    "flow_unconditional": (32, 4, 16),
}
"""Of each family: side of a picture, channels and side of its code."""
TOLD_TEXT = ("stable_diffusion", "sdxl", "sd3", "flux")


def load(folder: Path, **options: Any) -> DiffusersBackbone:
    return DiffusersBackbone(str(folder), DiffusersOptions(**options), device="cpu")


def output_of(backbone: DiffusersBackbone, timestep: float = 500) -> torch.Tensor:
    shape = (2, *backbone.latent_shape)
    x = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        return backbone.predict(x, timestep)


@pytest.mark.parametrize("name", SIZES)
def test_codes_and_pictures_have_the_family_s_shapes(
    name: str, tiny_model: Callable[[str], Path]
) -> None:
    size, channels, side = SIZES[name]
    backbone = load(tiny_model(name), size=size)
    assert backbone.latent_shape == (channels, side, side)
    assert backbone.transform.size == size
    pixels = np.random.default_rng(0).integers(0, 256, (2, size, size, 3), dtype=np.uint8)
    with torch.inference_mode():
        code = backbone.encode(pixels)
        pictures = backbone.decode(code)
    assert code.shape == (2, channels, side, side)
    assert pictures.shape == (2, 3, size, size)
    assert pictures.min() >= 0
    assert pictures.max() <= 1


@pytest.mark.parametrize("name", [name for name in SIZES if name != "flux"])
def test_without_a_size_pictures_are_as_large_as_in_training(
    name: str, tiny_model: Callable[[str], Path]
) -> None:
    assert load(tiny_model(name)).transform.size == SIZES[name][0]


@pytest.mark.parametrize(
    ("name", "size", "text"),
    [
        ("stable_diffusion", 34, "size=34 is not a multiple of 4"),
        ("sd3", 34, "size=34 is not a multiple of 4"),
        ("sd3", 68, "pos_embed_max_size"),
        ("flux", 30, "size=30 is not a multiple of 4"),
        ("ddpm_pixels", 17, "size=17 is not a multiple of 2"),
        ("ldm_vq", 0, "size=0 is not a multiple of 4"),
    ],
)
def test_sizes_that_a_network_cannot_take_are_refused(
    name: str, size: int, text: str, tiny_model: Callable[[str], Path]
) -> None:
    with pytest.raises(ModelError, match=text):
        load(tiny_model(name), size=size)


@pytest.mark.parametrize("name", TOLD_TEXT)
def test_a_prompt_moves_what_is_predicted_and_the_settings(
    name: str, tiny_model: Callable[[str], Path]
) -> None:
    backbones = [load(tiny_model(name), size=32, prompt=text) for text in ("", "a hat", "a cat")]
    outputs = [output_of(backbone) for backbone in backbones]
    assert not torch.equal(outputs[0], outputs[1])
    assert not torch.equal(outputs[1], outputs[2])
    said = [json.dumps(backbone.settings(), sort_keys=True) for backbone in backbones]
    assert len(set(said)) == 3


@pytest.mark.parametrize("name", SIZES)
def test_a_prompt_is_for_models_that_know_text(
    name: str, tiny_model: Callable[[str], Path]
) -> None:
    if name in TOLD_TEXT:
        return
    with pytest.raises(ModelError, match="knows no text"):
        load(tiny_model(name), prompt="a hat")


@pytest.mark.parametrize(
    ("name", "part"),
    [
        *(("stable_diffusion", part) for part in ("unet", "vae", "text_encoder")),
        *(("sdxl", part) for part in ("unet", "vae", "text_encoder", "text_encoder_2")),
        *(
            ("sd3", part)
            for part in ("transformer", "vae", "text_encoder", "text_encoder_2", "text_encoder_3")
        ),
        *(("flux", part) for part in ("transformer", "vae", "text_encoder", "text_encoder_2")),
        ("ldm_vq", "vqvae"),
        ("ddpm_pixels", "unet"),
    ],
)
def test_other_weights_in_any_part_are_another_model(
    name: str, part: str, tiny_model: Callable[[str], Path], tmp_path: Path
) -> None:
    size = SIZES[name][0]
    folder = shutil.copytree(tiny_model(name), tmp_path / name)
    before = load(folder, size=size).settings()
    (weights,) = (folder / part).glob("*.safetensors")
    tensors = load_file(weights)
    save_file({key: 1.001 * tensor for key, tensor in tensors.items()}, weights)
    after = load(folder, size=size).settings()
    assert {key for key in after if after[key] != before[key]} == {"weights"}


@pytest.mark.parametrize("part", ["tokenizer", "tokenizer_2", "tokenizer_3", "scheduler"])
def test_other_words_or_levels_are_another_model(
    part: str, tiny_model: Callable[[str], Path], tmp_path: Path
) -> None:
    folder = shutil.copytree(tiny_model("sd3"), tmp_path / "sd3")
    before = load(folder).settings()
    file = "scheduler_config.json" if part == "scheduler" else "tokenizer_config.json"
    path = folder / part / file
    path.write_text(json.dumps({**json.loads(path.read_text()), "a_new_key": 1}))
    assert load(folder).settings()["weights"] != before["weights"]


def test_an_encoder_that_the_index_leaves_out_is_another_model(
    tiny_model: Callable[[str], Path], tmp_path: Path
) -> None:
    folder = shutil.copytree(tiny_model("sd3"), tmp_path / "sd3")
    whole = load(folder).settings()
    path = folder / "model_index.json"
    gone = {"text_encoder_3": [None, None], "tokenizer_3": [None, None]}
    path.write_text(json.dumps({**json.loads(path.read_text()), **gone}))
    assert load(folder).settings()["weights"] != whole["weights"]


@pytest.mark.parametrize(
    ("options", "key"),
    [
        ({"size": 64}, "size"),
        ({"prompt": "a"}, "prompt"),
        ({"dtype": "bfloat16"}, "compute_dtype"),
        ({"tiling": True}, "vae_tiling"),
        ({"slicing": True}, None),
        ({"channels_last": True}, None),
    ],
)
def test_options_that_move_a_vector_and_no_others_are_settings(
    options: dict[str, Any], key: str | None, tiny_model: Callable[[str], Path]
) -> None:
    folder = tiny_model("stable_diffusion")
    before, after = load(folder).settings(), load(folder, **options).settings()
    changed = {name for name in after if after[name] != before.get(name)}
    assert changed == (set() if key is None else {key})


def test_another_autoencoder_is_read_from_its_folder_or_from_a_pipeline(
    tiny_model: Callable[[str], Path], tmp_path: Path, pictures: NDArray[np.uint8]
) -> None:
    folder = tiny_model("stable_diffusion")
    other = tiny_models.save_stable_diffusion(tmp_path / "other", seed=5)
    own, whole = load(folder), load(folder, vae=str(other))
    part = load(folder, vae=str(other / "vae"))
    with torch.inference_mode():
        codes = [backbone.encode(pictures) for backbone in (own, whole, part, load(other))]
    assert not torch.equal(codes[0], codes[1])
    assert torch.equal(codes[1], codes[2])
    assert torch.equal(codes[1], codes[3])
    assert {"vae_model", "vae_weights"} == whole.settings().keys() - own.settings().keys()
    assert whole.settings()["vae_model"] == "other"
    shutil.rmtree(shutil.copytree(folder, tmp_path / "bare") / "vae")
    bare = load(tmp_path / "bare", vae=str(other)).settings()
    assert bare["weights"] == whole.settings()["weights"]


def test_an_autoencoder_of_other_codes_is_refused(
    tiny_model: Callable[[str], Path], tmp_path: Path
) -> None:
    with pytest.raises(ModelError, match=r"codes of shape \(3, 16, 16\), the network takes"):
        load(tiny_model("stable_diffusion"), vae=str(tiny_model("ldm_vq") / "vqvae"))
    (tmp_path / "nothing").mkdir()
    with pytest.raises(ModelError, match=r"holds no config\.json, so it is no autoencoder"):
        load(tiny_model("stable_diffusion"), vae=str(tmp_path / "nothing" / ".."))


def test_a_blind_network_is_told_nothing_and_says_so(tmp_path: Path) -> None:
    told = load(tiny_models.save_flow_unconditional(tmp_path / "model"))
    (tmp_path / "blind").mkdir()
    blind = load(tiny_models.save_flow_unconditional(tmp_path / "blind" / "model", blind=True))
    assert torch.equal(output_of(blind, 100), output_of(blind, 900))
    assert torch.equal(output_of(blind, 900), output_of(told, 0))
    assert not torch.equal(output_of(told, 100), output_of(told, 900))
    assert blind.settings() == {**told.settings(), "noise_conditioned": False}


@pytest.mark.parametrize(("name", "key"), [("sdxl", "vae_scaling"), ("flux", "vae_shift")])
def test_scaling_and_shift_of_codes_are_settings(
    name: str, key: str, tiny_model: Callable[[str], Path], tmp_path: Path
) -> None:
    folder = shutil.copytree(tiny_model(name), tmp_path / name)
    before = load(folder, size=32)
    path, field = folder / "vae" / "config.json", f"{key.removeprefix('vae_')}_factor"
    config = json.loads(path.read_text())
    field = "scaling_factor" if key == "vae_scaling" else "shift_factor"
    path.write_text(json.dumps({**config, field: 0.5}))
    after = load(folder, size=32).settings()
    changed = {name for name in after if after[name] != before.settings()[name]}
    assert changed == {"weights", key}


def test_codes_are_normed_per_channel_where_the_autoencoder_says_how(
    tiny_model: Callable[[str], Path], tmp_path: Path, pictures: NDArray[np.uint8]
) -> None:
    folder = shutil.copytree(tiny_model("sdxl"), tmp_path / "sdxl")
    path = folder / "vae" / "config.json"
    mean, deviation = [0.1, 0.2, 0.3, 0.4], [1.0, 2.0, 4.0, 8.0]
    config = {**json.loads(path.read_text()), "latents_mean": mean, "latents_std": deviation}
    path.write_text(json.dumps(config))
    plain, normed = load(tiny_model("sdxl")), load(folder)
    with torch.inference_mode():
        code, other = plain.encode(pictures) / 0.13025, normed.encode(pictures)
        per_channel = [torch.tensor(values).view(1, 4, 1, 1) for values in (mean, deviation)]
        expected = (code - per_channel[0]) * 0.13025 / per_channel[1]
        torch.testing.assert_close(other, expected, atol=1e-5, rtol=1e-5)
        torch.testing.assert_close(
            normed.decode(other), plain.decode(code * 0.13025), atol=1e-4, rtol=1e-4
        )


def test_a_vq_model_that_names_no_scaling_does_not_scale(
    tiny_model: Callable[[str], Path], tmp_path: Path
) -> None:
    folder = shutil.copytree(tiny_model("ldm_vq"), tmp_path / "ldm")
    path = folder / "vqvae" / "config.json"
    config = json.loads(path.read_text())
    del config["scaling_factor"]
    path.write_text(json.dumps(config))
    assert load(folder).settings()["vae_scaling"] == 1.0
    assert load(tiny_model("ldm_vq")).settings()["vae_scaling"] == 0.5


def test_the_oldest_layout_has_the_network_beside_the_index(
    tiny_model: Callable[[str], Path], tmp_path: Path
) -> None:
    newer = tiny_model("ddpm_pixels")
    older = tmp_path / "older"
    older.mkdir()
    for file in ("model_index.json", "unet/config.json", "scheduler/scheduler_config.json"):
        shutil.copy(newer / file, older)
    shutil.copy(newer / "unet" / "diffusion_pytorch_model.safetensors", older)
    assert torch.equal(output_of(load(newer)), output_of(load(older)))
    assert len(str(load(older).settings()["weights"])) == 16


@pytest.mark.parametrize("name", TOLD_TEXT)
def test_text_encoders_are_let_go_of_once_the_prompt_is_embedded(
    name: str, tiny_model: Callable[[str], Path]
) -> None:
    folder = tiny_model(name)
    gc.collect()
    gc.disable()
    try:
        backbone = load(folder, size=32)
        alive = {type(held).__name__ for held in gc.get_objects()}
    finally:
        gc.enable()
    assert output_of(backbone).isfinite().all()
    encoders = {"CLIPTextModel", "CLIPTextModelWithProjection", "T5EncoderModel"}
    assert alive.isdisjoint(encoders)
