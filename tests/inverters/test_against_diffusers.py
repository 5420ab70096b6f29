"""Our stepping against diffusers' schedulers, configured from the model's own config."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tiny_models
from numpy.typing import NDArray

from latentdb.inverters.backbones.backbone import DiffusersBackbone
from latentdb.inverters.base import AbstractTrajectoryInverter
from latentdb.inverters.options import DiffusersOptions
from latentdb.spaces import load_model
from latentdb.torch_compat import torch

# The class defaults of the inverse scheduler differ from the models' configs, which do not name
# every key: a PNDM config says nothing of clipping, and clipping latents would be wrong.
OVERRIDES = {"clip_sample": False}


@pytest.fixture(scope="module", params=["epsilon", "v_prediction"])
def unconditional(request: pytest.FixtureRequest, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("unconditional") / request.param
    return tiny_models.save_unconditional(folder, prediction=request.param)


def scheduler(name: str, folder: Path, spacing: str, steps: int):
    import diffusers

    made = getattr(diffusers, name).from_pretrained(
        folder, subfolder="scheduler", timestep_spacing=spacing, **OVERRIDES
    )
    made.set_timesteps(steps)
    return made


def load(folder: Path, options: str) -> tuple[AbstractTrajectoryInverter, DiffusersBackbone]:
    model = load_model(f"noise=diffusers:{folder}?{options}", device="cpu")
    assert isinstance(model, AbstractTrajectoryInverter)
    return model, DiffusersBackbone(str(folder), DiffusersOptions(), device="cpu")


def assert_inversion_agrees(
    folder: Path, spacing: str, steps: int, pictures: NDArray[np.uint8]
) -> None:
    model, backbone = load(folder, f"inverter=ddim&steps={steps}&spacing={spacing}")
    theirs = scheduler("DDIMInverseScheduler", folder, spacing, steps)
    with torch.inference_mode():
        x = backbone.encode(pictures)
        for timestep in theirs.timesteps:
            output = backbone.predict(x, int(timestep))
            x = theirs.step(output, int(timestep), x).prev_sample
    ours = model.embed(pictures).vectors
    np.testing.assert_allclose(ours, x.flatten(1).numpy(), rtol=1e-3, atol=1e-3)


def assert_sampling_agrees(folder: Path, spacing: str, steps: int) -> None:
    model, backbone = load(folder, f"steps={steps}&spacing={spacing}")
    theirs = scheduler("DDIMScheduler", folder, spacing, steps)
    noise = np.random.default_rng(0).standard_normal((2, model.space.dim), dtype=np.float32)
    with torch.inference_mode():
        x = torch.tensor(noise).view(2, *backbone.latent_shape)
        for timestep in theirs.timesteps:
            output = backbone.predict(x, int(timestep))
            x = theirs.step(output, int(timestep), x, eta=0.0).prev_sample
        pictures = (backbone.decode(x) * 255).permute(0, 2, 3, 1).numpy()
    np.testing.assert_allclose(model.decode(noise), pictures, atol=1.0)


@pytest.mark.parametrize("spacing", ["trailing", "leading"])
def test_plain_inversion_is_that_of_diffusers(
    unconditional: Path, spacing: str, pictures: NDArray[np.uint8]
) -> None:
    assert_inversion_agrees(unconditional, spacing, 5, pictures)


def test_a_predicted_sample_is_inverted_where_diffusers_divides_by_zero(
    tmp_path: Path, pictures: NDArray[np.uint8]
) -> None:
    folder = tiny_models.save_unconditional(tmp_path / "sample", prediction="sample")
    theirs = scheduler("DDIMInverseScheduler", folder, "trailing", 5)
    latents = torch.ones(1, 4, 8, 8)
    assert theirs.step(0 * latents, int(theirs.timesteps[0]), latents).prev_sample.isinf().all()
    model, _ = load(folder, "inverter=ddim&steps=5")
    assert np.isfinite(model.embed(pictures).vectors).all()
    assert_sampling_agrees(folder, "trailing", 5)


@pytest.mark.parametrize("spacing", ["trailing", "leading"])
def test_sampling_is_that_of_diffusers(unconditional: Path, spacing: str) -> None:
    assert_sampling_agrees(unconditional, spacing, 5)


@pytest.mark.parametrize("spacing", ["trailing", "leading"])
def test_stable_diffusion_is_inverted_as_by_diffusers(
    spacing: str, tiny_model: Callable[[str], Path], pictures: NDArray[np.uint8]
) -> None:
    assert_inversion_agrees(tiny_model("stable_diffusion"), spacing, 5, pictures)


def test_stable_diffusion_is_sampled_as_by_diffusers(tiny_model: Callable[[str], Path]) -> None:
    assert_sampling_agrees(tiny_model("stable_diffusion"), "leading", 5)


def test_empty_prompt_is_embedded_as_by_the_pipeline(tiny_model: Callable[[str], Path]) -> None:
    from diffusers import StableDiffusionPipeline

    folder = tiny_model("stable_diffusion")
    pipeline = StableDiffusionPipeline.from_pretrained(folder, local_files_only=True)
    expected, _ = pipeline.encode_prompt("a face", "cpu", 1, do_classifier_free_guidance=False)
    backbone = DiffusersBackbone(str(folder), DiffusersOptions(prompt="a face"), device="cpu")
    x = torch.randn(2, 4, 16, 16, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        theirs = pipeline.unet(x, 10, encoder_hidden_states=expected.expand(2, -1, -1)).sample
        torch.testing.assert_close(backbone.predict(x, 10), theirs)
