"""Tiny pipelines of flow matching, written by the real pipeline classes where there are any."""

from __future__ import annotations

import json
from pathlib import Path

from latentdb.torch_compat import torch
from tiny_models.latent_diffusion import PLAIN_UNET, STAGES, kl, save_parts
from tiny_models.text import (
    clip_encoder,
    clip_projector,
    clip_tokenizer,
    t5_encoder,
    t5_tokenizer,
)


def save_flow_unconditional(folder: Path, *, blind: bool = False, seed: int = 0) -> Path:
    """An unconditional flow-matching model, blind to its noise or not."""
    from diffusers import FlowMatchEulerDiscreteScheduler, UNet2DModel

    torch.manual_seed(seed)
    unet = UNet2DModel(sample_size=16, in_channels=4, out_channels=4, **STAGES, **PLAIN_UNET)
    save_parts(folder, unet=unet, vae=kl(seed=seed), scheduler=FlowMatchEulerDiscreteScheduler())
    if blind:
        path = folder / "model_index.json"
        path.write_text(json.dumps({**json.loads(path.read_text()), "noise_conditioned": False}))
    return folder


def save_sd3(folder: Path, *, with_t5: bool = True, seed: int = 0) -> Path:
    """Stable Diffusion 3 in miniature, by the real pipeline class."""
    from diffusers import (
        FlowMatchEulerDiscreteScheduler,
        SD3Transformer2DModel,
        StableDiffusion3Pipeline,
    )

    torch.manual_seed(seed)
    StableDiffusion3Pipeline(
        transformer=SD3Transformer2DModel(
            sample_size=16,
            patch_size=2,
            in_channels=4,
            out_channels=4,
            num_layers=1,
            attention_head_dim=8,
            num_attention_heads=4,
            joint_attention_dim=32,
            caption_projection_dim=32,
            pooled_projection_dim=32,
            pos_embed_max_size=16,
        ),
        scheduler=FlowMatchEulerDiscreteScheduler(shift=3.0),
        vae=kl(seed=seed, scaling_factor=1.5305, shift_factor=0.0609, force_upcast=True),
        text_encoder=clip_projector(),
        tokenizer=clip_tokenizer(),
        text_encoder_2=clip_projector(),
        tokenizer_2=clip_tokenizer(),
        text_encoder_3=t5_encoder() if with_t5 else None,
        tokenizer_3=t5_tokenizer() if with_t5 else None,
    ).save_pretrained(folder)
    return folder


def save_flux(folder: Path, *, guided: bool = True, seed: int = 0) -> Path:
    """FLUX.1 in miniature, by the real pipeline class: dev, or schnell where not `guided`."""
    from diffusers import FlowMatchEulerDiscreteScheduler, FluxPipeline, FluxTransformer2DModel

    torch.manual_seed(seed)
    FluxPipeline(
        scheduler=FlowMatchEulerDiscreteScheduler(
            shift=3.0 if guided else 1.0, use_dynamic_shifting=guided
        ),
        vae=kl(seed=seed, scaling_factor=0.3611, shift_factor=0.1159, force_upcast=True),
        text_encoder=clip_encoder(),
        tokenizer=clip_tokenizer(),
        text_encoder_2=t5_encoder(),
        tokenizer_2=t5_tokenizer(),
        transformer=FluxTransformer2DModel(
            in_channels=16,
            num_layers=1,
            num_single_layers=1,
            attention_head_dim=16,
            num_attention_heads=2,
            joint_attention_dim=32,
            pooled_projection_dim=16,
            axes_dims_rope=(4, 4, 8),
            guidance_embeds=guided,
        ),
    ).save_pretrained(folder)
    return folder
