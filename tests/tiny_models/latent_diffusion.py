"""Tiny pipelines of the DDPM family, written by the real pipeline classes where there are any."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from latentdb.torch_compat import torch
from tiny_models.text import clip_encoder, clip_projector, clip_tokenizer

STAGES = {"block_out_channels": (8, 8), "layers_per_block": 1, "norm_num_groups": 4}
PLAIN_UNET = {"down_block_types": ("DownBlock2D",) * 2, "up_block_types": ("UpBlock2D",) * 2}
_TEXT_UNET = {
    "down_block_types": ("CrossAttnDownBlock2D", "DownBlock2D"),
    "up_block_types": ("UpBlock2D", "CrossAttnUpBlock2D"),
    "attention_head_dim": 4,
}
_CODER = {
    "down_block_types": ("DownEncoderBlock2D",) * 2,
    "up_block_types": ("UpDecoderBlock2D",) * 2,
}


def kl(*, seed: int = 0, **config: Any) -> Any:
    """An `AutoencoderKL` of four channels that halves a picture once."""
    from diffusers import AutoencoderKL

    torch.manual_seed(seed)
    return AutoencoderKL(**STAGES, **_CODER, latent_channels=4, **config)


def save_unconditional(folder: Path, *, prediction: str = "v_prediction", seed: int = 0) -> Path:
    """An unconditional latent diffusion model: 4×8×8 codes of 32 pixels."""
    from diffusers import AutoencoderTiny, DDIMScheduler, UNet2DModel

    torch.manual_seed(seed)
    unet = UNet2DModel(sample_size=8, in_channels=4, out_channels=4, **STAGES, **PLAIN_UNET)
    vae = AutoencoderTiny(
        encoder_block_out_channels=(8, 8, 8),
        decoder_block_out_channels=(8, 8, 8),
        num_encoder_blocks=(1, 1, 1),
        num_decoder_blocks=(1, 1, 1),
        scaling_factor=0.8,
    )
    schedule = DDIMScheduler(
        beta_schedule="squaredcos_cap_v2", prediction_type=prediction, clip_sample=False
    )
    save_parts(folder, unet=unet, vae=vae, scheduler=schedule)
    # diffusers derives this key while building and warns about it while loading.
    config = json.loads((folder / "vae" / "config.json").read_text())
    del config["block_out_channels"]
    (folder / "vae" / "config.json").write_text(json.dumps(config))
    return folder


def save_parts(folder: Path, **parts: Any) -> None:
    """Parts and an index, for pipelines that diffusers has no class of."""
    for part, model in parts.items():
        model.save_pretrained(folder / part)
    index = {part: ["diffusers", type(model).__name__] for part, model in parts.items()}
    (folder / "model_index.json").write_text(json.dumps(index))


def save_ddpm_pixels(folder: Path, *, seed: int = 0) -> Path:
    """DDPM on pixels of 16, as google/ddpm-celebahq-256 is on 256."""
    from diffusers import DDPMPipeline, DDPMScheduler, UNet2DModel

    torch.manual_seed(seed)
    unet = UNet2DModel(sample_size=16, in_channels=3, out_channels=3, **STAGES, **PLAIN_UNET)
    DDPMPipeline(unet, DDPMScheduler()).save_pretrained(folder)
    return folder


def save_ldm_vq(folder: Path, *, seed: int = 0) -> Path:
    """Unconditional latent diffusion on a `VQModel`'s codes, as CompVis/ldm-celebahq-256."""
    from diffusers import DDIMScheduler, LDMPipeline, UNet2DModel, VQModel

    torch.manual_seed(seed)
    vqvae = VQModel(**STAGES, **_CODER, latent_channels=3, num_vq_embeddings=32, scaling_factor=0.5)
    unet = UNet2DModel(sample_size=16, in_channels=3, out_channels=3, **STAGES, **PLAIN_UNET)
    schedule = DDIMScheduler(
        beta_start=0.0015, beta_end=0.0195, beta_schedule="scaled_linear", clip_sample=False
    )
    LDMPipeline(vqvae, unet, schedule).save_pretrained(folder)
    return folder


def save_stable_diffusion(
    folder: Path, *, prediction: str = "epsilon", guidance_width: int | None = None, seed: int = 0
) -> Path:
    """Stable Diffusion in miniature, by the real pipeline class and with its real scheduler."""
    from diffusers import PNDMScheduler, StableDiffusionPipeline, UNet2DConditionModel

    torch.manual_seed(seed)
    StableDiffusionPipeline(
        vae=kl(seed=seed),
        text_encoder=clip_encoder(layers=1),
        tokenizer=clip_tokenizer(),
        unet=UNet2DConditionModel(
            **STAGES,
            **_TEXT_UNET,
            sample_size=16,
            cross_attention_dim=16,
            time_cond_proj_dim=guidance_width,
        ),
        scheduler=PNDMScheduler(
            beta_start=0.00085,
            beta_end=0.012,
            beta_schedule="scaled_linear",
            skip_prk_steps=True,
            set_alpha_to_one=False,
            steps_offset=1,
            prediction_type=prediction,
        ),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    ).save_pretrained(folder)
    return folder


def save_sdxl(folder: Path, *, zero_empty: bool = True, seed: int = 0) -> Path:
    """Stable Diffusion XL in miniature, by the real pipeline class and with its real scheduler."""
    from diffusers import EulerDiscreteScheduler, StableDiffusionXLPipeline, UNet2DConditionModel

    torch.manual_seed(seed)
    sizes, width = 8, 16
    StableDiffusionXLPipeline(
        vae=kl(seed=seed, scaling_factor=0.13025, force_upcast=True),
        text_encoder=clip_encoder(),
        text_encoder_2=clip_projector(),
        tokenizer=clip_tokenizer(),
        tokenizer_2=clip_tokenizer(),
        unet=UNet2DConditionModel(
            **STAGES,
            **_TEXT_UNET,
            sample_size=16,
            cross_attention_dim=2 * width,
            addition_embed_type="text_time",
            addition_time_embed_dim=sizes,
            projection_class_embeddings_input_dim=6 * sizes + width,
        ),
        scheduler=EulerDiscreteScheduler(
            beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", steps_offset=1
        ),
        force_zeros_for_empty_prompt=zero_empty,
        add_watermarker=False,
    ).save_pretrained(folder)
    return folder
