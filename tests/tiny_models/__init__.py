"""Tiny random models of the real classes, saved to disk in the layout of their hub."""

from tiny_models.encoders import (
    SIZE,
    save_clip_vision,
    save_dinov2,
    save_open_clip,
    save_timm,
)
from tiny_models.flow import save_flow_unconditional, save_flux, save_sd3
from tiny_models.latent_diffusion import (
    save_ddpm_pixels,
    save_ldm_vq,
    save_sdxl,
    save_stable_diffusion,
    save_unconditional,
)

__all__ = [
    "SIZE",
    "save_clip_vision",
    "save_ddpm_pixels",
    "save_dinov2",
    "save_flow_unconditional",
    "save_flux",
    "save_ldm_vq",
    "save_open_clip",
    "save_sd3",
    "save_sdxl",
    "save_stable_diffusion",
    "save_timm",
    "save_unconditional",
]
