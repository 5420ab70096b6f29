"""Folders and configs that cannot be run say what is wrong with them and what to do."""

from __future__ import annotations

import importlib.util
import json
import math
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from latentdb.errors import ModelError
from latentdb.inverters.backbones.scheduler_config import read_schedule
from latentdb.inverters.flow_schedule import FlowSchedule
from latentdb.inverters.noise_schedule import NoiseSchedule
from latentdb.spaces import load_model

NETWORK = "transformer/diffusion_pytorch_model.safetensors"


@pytest.fixture
def sd3(tiny_model: Callable[[str], Path], tmp_path: Path) -> Path:
    return shutil.copytree(tiny_model("sd3"), tmp_path / "sd3")


def refusal(folder: Path) -> str:
    with pytest.raises(ModelError) as raised:
        load_model(f"noise=diffusers:{folder}", device="cpu")
    return str(raised.value)


@pytest.mark.parametrize(
    ("part", "text"),
    [
        ("text_encoder_2", "has no folder text_encoder_2/"),
        ("tokenizer_3", "has no folder tokenizer_3/"),
        ("vae", "has no folder vae/"),
        ("transformer", "download the pipeline whole"),
        (NETWORK, "expected diffusion_pytorch_model.safetensors"),
        ("text_encoder/model.safetensors", "expected model.safetensors; download"),
        ("tokenizer_3/tokenizer.json", "expected tokenizer.json, or vocab.json and merges.txt"),
        ("transformer/config.json", "config.json"),
    ],
)
def test_a_part_that_is_missing_is_named(sd3: Path, part: str, text: str) -> None:
    path = sd3 / part
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    assert text in refusal(sd3)


def test_weights_of_a_variant_only_are_named(sd3: Path) -> None:
    weights = sd3 / NETWORK
    weights.rename(weights.with_name("diffusion_pytorch_model.fp16.safetensors"))
    said = refusal(sd3)
    assert "only diffusion_pytorch_model.fp16.safetensors; download the full weights" in said
    assert "copy them to diffusion_pytorch_model.safetensors" in said


def test_a_download_that_was_not_finished_is_noticed(sd3: Path) -> None:
    shard = "diffusion_pytorch_model-00002-of-00002.safetensors"
    index = (sd3 / NETWORK).with_suffix(".safetensors.index.json")
    index.write_text(json.dumps({"metadata": {}, "weight_map": {"a": shard}}))
    assert f"lacks {shard}" in refusal(sd3)


def test_weights_that_are_not_all_there_are_not_made_up(
    tiny_model: Callable[[str], Path], tmp_path: Path
) -> None:
    from safetensors.torch import load_file, save_file

    folder = shutil.copytree(tiny_model("stable_diffusion"), tmp_path / "sd")
    for part in ("unet/diffusion_pytorch_model", "text_encoder/model"):
        path = folder / f"{part}.safetensors"
        whole = path.read_bytes()
        tensors = load_file(path)
        lost = sorted(tensors)[0]
        del tensors[lost]
        save_file(tensors, path, metadata={"format": "pt"})
        assert f"1 are missing, such as {lost}" in refusal(folder)
        path.write_bytes(whole)


def rewritten(path: Path, rename: Callable[[str], str]) -> None:
    """The same weights under other names."""
    from safetensors.torch import load_file, save_file

    tensors = {rename(key): tensor for key, tensor in load_file(path).items()}
    save_file(tensors, path, metadata={"format": "pt"})


def older_attention(key: str) -> str:
    """As Stable Diffusion 1.5's autoencoder is on the hub."""
    older = {"to_q": "query", "to_k": "key", "to_v": "value", "to_out.0": "proj_attn"}
    for new, old in older.items():
        if ".attentions." in key:
            key = key.replace(f".{new}.", f".{old}.")
    return key


def older_text(key: str) -> str:
    """As transformers 4 wrote a text model."""
    return f"text_model.{key.removeprefix('text_model.')}"


def test_weights_as_older_libraries_named_them_are_whole(
    tiny_model: Callable[[str], Path], tmp_path: Path, pictures: NDArray[np.uint8]
) -> None:
    new = tiny_model("stable_diffusion")
    old = shutil.copytree(new, tmp_path / "sd")
    rewritten(old / "vae" / "diffusion_pytorch_model.safetensors", older_attention)
    rewritten(old / "text_encoder" / "model.safetensors", older_text)
    vectors = [
        load_model(f"noise=diffusers:{folder}?inverter=ddim&steps=2&prompt=a", device="cpu")
        .embed(pictures)
        .vectors
        for folder in (new, old)
    ]
    np.testing.assert_array_equal(vectors[0], vectors[1])


def test_a_torn_file_is_named(sd3: Path) -> None:
    (sd3 / NETWORK).write_bytes(b"torn")
    assert "sd3' cannot be loaded" in refusal(sd3)


def test_words_that_another_package_reads_name_it(sd3: Path) -> None:
    if importlib.util.find_spec("sentencepiece") is not None:
        pytest.skip("sentencepiece is here")
    tokenizer = sd3 / "tokenizer_3"
    (tokenizer / "tokenizer.json").unlink()
    (tokenizer / "spiece.model").write_bytes(b"words")
    assert "pip install sentencepiece protobuf" in refusal(sd3)


def test_a_pipeline_that_never_had_its_text_encoder_is_refused(
    tiny_model: Callable[[str], Path], tmp_path: Path
) -> None:
    # So is SDXL's refiner, which has the second one only.
    folder = shutil.copytree(tiny_model("sdxl"), tmp_path / "refiner")
    index = json.loads((folder / "model_index.json").read_text())
    index.update(text_encoder=[None, None], tokenizer=[None, None])
    (folder / "model_index.json").write_text(json.dumps(index))
    assert "refiner goes without text_encoder and tokenizer" in refusal(folder)


@pytest.mark.parametrize(
    ("key", "value"), [("addition_embed_type", "image"), ("class_embed_type", "timestep")]
)
def test_a_unet_that_takes_more_than_text_is_refused(
    key: str, value: str, tiny_model: Callable[[str], Path], tmp_path: Path
) -> None:
    folder = shutil.copytree(tiny_model("stable_diffusion"), tmp_path / "sd")
    path = folder / "unet" / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), key: value}))
    assert f"'{key}': '{value}'" in refusal(folder)


def schedule_of(tmp_path: Path, tokens: int = 256, **config: Any) -> NoiseSchedule | FlowSchedule:
    path = tmp_path / "scheduler_config.json"
    path.write_text(json.dumps(config))
    return read_schedule(path, tokens=tokens)


@pytest.mark.parametrize(
    ("class_name", "config"),
    [
        ("EDMEulerScheduler", {"sigma_data": 0.5, "prediction_type": "epsilon"}),
        ("CMStochasticIterativeScheduler", {"sigma_min": 0.002}),
        ("ScoreSdeVeScheduler", {"sigma_max": 1348.0}),
        ("IPNDMScheduler", {"trained_betas": None}),
        ("DDIMScheduler", {"prediction_type": "epsilon"}),
        (None, {"beta_schedule": "linear"}),
    ],
)
def test_levels_of_other_families_are_refused(
    tmp_path: Path, class_name: str | None, config: dict[str, Any]
) -> None:
    with pytest.raises(ModelError, match=r"neither of the DDPM family .* nor of flow matching"):
        schedule_of(tmp_path, _class_name=class_name, **config)


def test_a_flow_model_under_a_sampler_of_the_ddpm_family_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="prediction_type 'flow_prediction'"):
        schedule_of(
            tmp_path,
            _class_name="DPMSolverMultistepScheduler",
            beta_schedule="linear",
            prediction_type="flow_prediction",
        )


@pytest.mark.parametrize("name", ["LCMScheduler", "EulerDiscreteScheduler", "PNDMScheduler"])
def test_of_a_sampler_only_the_training_is_read(tmp_path: Path, name: str) -> None:
    betas = {"beta_schedule": "scaled_linear", "beta_start": 0.00085, "beta_end": 0.012}
    schedule = schedule_of(tmp_path, _class_name=name, prediction_type="sample", **betas)
    assert isinstance(schedule, NoiseSchedule)
    assert schedule.prediction == "sample"
    assert schedule.alphas_cumprod[0] == pytest.approx(1 - 0.00085, rel=1e-6)


@pytest.mark.parametrize(
    ("tokens", "kind", "shift"),
    [
        (256, "exponential", math.exp(0.5)),
        (4096, "exponential", math.exp(1.15)),
        (4096, "linear", 1.15),
        (2176, "linear", 0.825),
    ],
)
def test_a_flow_model_shifts_its_times_by_the_tokens_of_a_picture(
    tmp_path: Path, tokens: int, kind: str, shift: float
) -> None:
    from diffusers.pipelines.flux.pipeline_flux import calculate_shift

    schedule = schedule_of(
        tmp_path,
        tokens,
        _class_name="FlowMatchEulerDiscreteScheduler",
        use_dynamic_shifting=True,
        time_shift_type=kind,
    )
    assert isinstance(schedule, FlowSchedule)
    assert schedule.shift == pytest.approx(shift)
    mu = calculate_shift(tokens)
    assert schedule.shift == pytest.approx(math.exp(mu) if kind == "exponential" else mu)


def test_times_that_run_the_other_way_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="invert_sigmas"):
        schedule_of(tmp_path, _class_name="FlowMatchEulerDiscreteScheduler", invert_sigmas=True)
