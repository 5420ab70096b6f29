"""Our sampling against the pipelines of diffusers: same folder, same noise, same number of steps.

The pipelines run whole, with their own schedulers, text encoders and autoencoders; only guidance
is off, as it is here.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny_models
from numpy.typing import NDArray

from latentdb.inverters.backbones.backbone import DiffusersBackbone
from latentdb.inverters.options import DiffusersOptions
from latentdb.torch_compat import torch

STEPS = 4


def backbone_of(folder: Path, **options: Any) -> DiffusersBackbone:
    return DiffusersBackbone(str(folder), DiffusersOptions(**options), device="cpu")


def sampled(backbone: DiffusersBackbone, noise: torch.Tensor, spacing: str) -> torch.Tensor:
    """Latents that our levels and steps lead to."""
    grid = backbone.schedule.grid(STEPS, spacing)
    with torch.inference_mode():
        for step in reversed(range(STEPS)):
            output = backbone.predict(noise, grid.levels[step + 1].timestep)
            noise = grid.denoise(step, noise, output)
    return noise


def noise_of(*shape: int) -> torch.Tensor:
    return torch.randn(2, *shape, generator=torch.Generator().manual_seed(0))


def pipeline_of(name: str, folder: Path, *, is_ddpm: bool = True, **parts: Any) -> Any:
    import diffusers

    pipeline = getattr(diffusers, name).from_pretrained(folder, local_files_only=True, **parts)
    pipeline.set_progress_bar_config(disable=True)
    if is_ddpm:
        pipeline.scheduler = diffusers.DDIMScheduler.from_config(
            pipeline.scheduler.config, timestep_spacing="trailing", clip_sample=False
        )
    return pipeline


def assert_pictures_agree(
    backbone: DiffusersBackbone, latents: torch.Tensor, theirs: NDArray[np.float32]
) -> None:
    with torch.inference_mode():
        ours = backbone.decode(latents).permute(0, 2, 3, 1).numpy()
    np.testing.assert_allclose(ours, theirs, atol=1e-4)


@pytest.mark.parametrize("prediction", ["epsilon", "v_prediction", "sample"])
@pytest.mark.parametrize("guidance_width", [None, 9])
def test_stable_diffusion_samples_what_its_pipeline_does(
    tmp_path: Path, prediction: str, guidance_width: int | None
) -> None:
    folder = tiny_models.save_stable_diffusion(
        tmp_path / "sd", prediction=prediction, guidance_width=guidance_width
    )
    pipeline, noise = pipeline_of("StableDiffusionPipeline", folder), noise_of(4, 16, 16)
    asked = {"guidance_scale": 1.0, "num_inference_steps": STEPS, "latents": noise}
    theirs = pipeline(["a hat"] * 2, output_type="latent", **asked).images
    backbone = backbone_of(folder, prompt="a hat")
    ours = sampled(backbone, noise, "trailing")
    torch.testing.assert_close(ours, theirs, atol=1e-4, rtol=1e-4)
    assert_pictures_agree(backbone, ours, pipeline(["a hat"] * 2, output_type="np", **asked).images)


def test_sdxl_samples_what_its_pipeline_does(tiny_model: Callable[[str], Path]) -> None:
    folder = tiny_model("sdxl")
    pipeline, noise = pipeline_of("StableDiffusionXLPipeline", folder), noise_of(4, 16, 16)
    theirs = pipeline(
        ["a hat"] * 2,
        guidance_scale=1.0,
        num_inference_steps=STEPS,
        latents=noise,
        output_type="latent",
    ).images
    ours = sampled(backbone_of(folder, prompt="a hat"), noise, "trailing")
    torch.testing.assert_close(ours, theirs, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("zero_empty", [True, False])
def test_sdxl_takes_an_empty_prompt_as_its_pipeline_takes_the_unconditional_one(
    tmp_path: Path, zero_empty: bool
) -> None:
    folder = tiny_models.save_sdxl(tmp_path / "sdxl", zero_empty=zero_empty)
    pipeline, noise = pipeline_of("StableDiffusionXLPipeline", folder), noise_of(4, 16, 16)
    _, hidden, _, pooled = pipeline.encode_prompt("a", do_classifier_free_guidance=True)
    theirs = pipeline(
        prompt_embeds=hidden.expand(2, -1, -1),
        pooled_prompt_embeds=pooled.expand(2, -1),
        guidance_scale=1.0,
        num_inference_steps=STEPS,
        latents=noise,
        output_type="latent",
    ).images
    backbone = backbone_of(folder)
    assert backbone.settings()["empty_prompt"] == ("zeros" if zero_empty else "text")
    ours = sampled(backbone, noise, "trailing")
    torch.testing.assert_close(ours, theirs, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("with_t5", [True, False])
@pytest.mark.parametrize("spacing", ["trailing", "linspace"])
def test_stable_diffusion_3_samples_what_its_pipeline_does(
    tmp_path: Path, with_t5: bool, spacing: str
) -> None:
    folder = tiny_models.save_sd3(tmp_path / "sd3", with_t5=with_t5)
    absent = {} if with_t5 else {"text_encoder_3": None, "tokenizer_3": None}
    pipeline = pipeline_of("StableDiffusion3Pipeline", folder, is_ddpm=False, **absent)
    noise = noise_of(4, 16, 16)
    trailing = {"sigmas": np.linspace(1, 1 / STEPS, STEPS)} if spacing == "trailing" else {}
    asked = {"guidance_scale": 1.0, "num_inference_steps": STEPS, "latents": noise, **trailing}
    theirs = pipeline(["a hat"] * 2, output_type="latent", **asked).images
    backbone = backbone_of(folder, prompt="a hat")
    ours = sampled(backbone, noise, spacing)
    torch.testing.assert_close(ours, theirs, atol=1e-4, rtol=1e-4)
    assert_pictures_agree(backbone, ours, pipeline(["a hat"] * 2, output_type="np", **asked).images)


@pytest.mark.parametrize("guided", [True, False])
def test_flux_samples_what_its_pipeline_does(tmp_path: Path, guided: bool) -> None:
    folder = tiny_models.save_flux(tmp_path / "flux", guided=guided)
    pipeline = pipeline_of("FluxPipeline", folder, is_ddpm=False)
    noise = noise_of(4, 16, 16)
    asked = {
        "guidance_scale": 1.0,
        "num_inference_steps": STEPS,
        "latents": pipeline._pack_latents(noise, 2, 4, 16, 16),
        "height": 32,
        "width": 32,
        "max_sequence_length": 512 if guided else 256,
    }
    packed = pipeline(["a hat"] * 2, output_type="latent", **asked).images
    theirs = pipeline._unpack_latents(packed, 32, 32, pipeline.vae_scale_factor)
    backbone = backbone_of(folder, prompt="a hat", size=32)
    ours = sampled(backbone, noise, "trailing")
    torch.testing.assert_close(ours, theirs, atol=1e-4, rtol=1e-4)
    assert_pictures_agree(backbone, ours, pipeline(["a hat"] * 2, output_type="np", **asked).images)


def drawn_like_the_pipeline(*shape: int) -> tuple[torch.Tensor, torch.Generator]:
    """Noise, and a generator that draws it again."""
    noise = torch.randn(2, *shape, generator=torch.Generator().manual_seed(3))
    return noise, torch.Generator().manual_seed(3)


def test_ddpm_on_pixels_samples_what_the_ddim_pipeline_does(
    tiny_model: Callable[[str], Path],
) -> None:
    from diffusers import DDIMPipeline

    folder = tiny_model("ddpm_pixels")
    parts = pipeline_of("DDPMPipeline", folder)
    pipeline = DDIMPipeline(parts.unet, parts.scheduler)
    # The pipeline makes a scheduler of its own, from the config.
    pipeline.scheduler = parts.scheduler
    pipeline.set_progress_bar_config(disable=True)
    noise, generator = drawn_like_the_pipeline(3, 16, 16)
    theirs = pipeline(
        batch_size=2, generator=generator, num_inference_steps=STEPS, output_type="np"
    ).images
    backbone = backbone_of(folder)
    assert_pictures_agree(backbone, sampled(backbone, noise, "trailing"), theirs)


def test_latent_diffusion_with_a_vq_model_samples_what_its_pipeline_does(
    tiny_model: Callable[[str], Path],
) -> None:
    folder = tiny_model("ldm_vq")
    pipeline = pipeline_of("LDMPipeline", folder)
    noise, generator = drawn_like_the_pipeline(3, 16, 16)
    theirs = pipeline(
        batch_size=2, generator=generator, num_inference_steps=STEPS, output_type="np"
    ).images
    backbone = backbone_of(folder)
    assert_pictures_agree(backbone, sampled(backbone, noise, "trailing"), theirs)


@pytest.mark.parametrize("blind", [True, False])
def test_a_flow_unet_samples_what_the_scheduler_and_the_unet_do(
    tmp_path: Path, blind: bool
) -> None:
    from diffusers import FlowMatchEulerDiscreteScheduler, UNet2DModel

    folder = tiny_models.save_flow_unconditional(tmp_path / "flow", blind=blind)
    unet = UNet2DModel.from_pretrained(folder, subfolder="unet")
    scheduler = FlowMatchEulerDiscreteScheduler.from_pretrained(folder, subfolder="scheduler")
    scheduler.set_timesteps(sigmas=np.linspace(1, 1 / STEPS, STEPS))
    noise = theirs = noise_of(4, 16, 16)
    with torch.inference_mode():
        for timestep in scheduler.timesteps:
            output = unet(theirs, 0 if blind else timestep).sample
            theirs = scheduler.step(output, timestep, theirs).prev_sample
    ours = sampled(backbone_of(folder), noise, "trailing")
    torch.testing.assert_close(ours, theirs, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("name", ["sd3", "flux", "sdxl", "stable_diffusion"])
def test_codes_are_those_that_image_to_image_pipelines_make(
    name: str, tiny_model: Callable[[str], Path], pictures: NDArray[np.uint8]
) -> None:
    from diffusers import AutoencoderKL
    from diffusers.image_processor import VaeImageProcessor

    folder = tiny_model(name)
    vae = AutoencoderKL.from_pretrained(folder, subfolder="vae").eval()
    pixels = VaeImageProcessor(vae_scale_factor=2).preprocess(pictures.astype(np.float32) / 255)
    with torch.inference_mode():
        code = vae.encode(pixels).latent_dist.mode()
        theirs = (code - (vae.config.shift_factor or 0.0)) * vae.config.scaling_factor
        ours = backbone_of(folder, size=32).encode(pictures)
    torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=1e-5)
