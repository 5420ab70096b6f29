"""Latent diffusion models in diffusers' folder layout; the only file that knows diffusers.

Two families: unconditional (`UNet2DModel`, such as the bundled faces) and text-conditioned
(`UNet2DConditionModel`, Stable Diffusion 1.x and 2.x), with `AutoencoderKL` or `AutoencoderTiny`.
"""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path
from typing import Any, final

import numpy as np

from latentdb.errors import ModelError
from latentdb.inverters.backbone import AbstractBackbone
from latentdb.inverters.noise_schedule import NoiseSchedule
from latentdb.inverters.options import DiffusersOptions
from latentdb.model import Pixels, Transform
from latentdb.space import Setting
from latentdb.tensors import PixelFormat
from latentdb.torch_compat import resolve_device, torch, torch_dtype
from latentdb.weights import find_model, model_errors, without_progress_bars

_WEIGHTS = "diffusion_pytorch_model"
_HUB_PATTERNS = (
    "model_index.json",
    *(f"{part}/config.json" for part in ("vae", "unet", "text_encoder")),
    *(f"{part}/{_WEIGHTS}.safetensors" for part in ("vae", "unet")),
    *(f"{part}/{_WEIGHTS}-*-of-*.safetensors" for part in ("vae", "unet")),
    *(f"{part}/{_WEIGHTS}.safetensors.index.json" for part in ("vae", "unet")),
    "text_encoder/model.safetensors",
    "tokenizer/*",
    "scheduler/scheduler_config.json",
)
_LOCAL_PATTERNS = (
    *_HUB_PATTERNS[1:],
    *(f"{part}/{_WEIGHTS}.bin" for part in ("vae", "unet")),
    "text_encoder/pytorch_model.bin",
)
_AUTOENCODERS = ("AutoencoderKL", "AutoencoderTiny")
_UNETS = ("UNet2DModel", "UNet2DConditionModel")
_TRAINING_KEYS = {
    "num_train_timesteps",
    "beta_start",
    "beta_end",
    "beta_schedule",
    "trained_betas",
    "set_alpha_to_one",
    "steps_offset",
    "prediction_type",
    "rescale_betas_zero_snr",
}


@final
class DiffusersBackbone(AbstractBackbone):
    """Autoencoder, UNet and noise schedule of a diffusers pipeline.

    Latents are the autoencoder's mean (its mode), not a sample, times its scaling factor.
    Guidance is 1: the prompt's embedding is computed once, and the network called once a step.

    Parameters
    ----------
    source : str
        A folder in diffusers' layout, or a hub id.
    options : DiffusersOptions
        Of these, `prompt`, `size` and `dtype`.
    device : str
        `auto`, `cpu`, `cuda:0`, …

    Raises
    ------
    ModelError
        The model cannot be found or loaded, or is of another family.
    """

    def __init__(self, source: str, options: DiffusersOptions, *, device: str = "auto") -> None:
        self._device = resolve_device(device)
        self._dtype = torch_dtype(options.dtype)
        with model_errors(f"diffusion model {source!r}"):
            files = find_model(source, patterns=_HUB_PATTERNS)
            index = _read_index(files.folder)
            self._weights = files.digest(_LOCAL_PATTERNS)
            self._vae = self._load(files.folder, "vae", index, _AUTOENCODERS)
            self._unet = self._load(files.folder, "unet", index, _UNETS)
            self._schedule = read_schedule(files.folder / "scheduler")
            self._prompt = self._embed_prompt(files.folder, options.prompt)
            self._format, self._latent_shape = self._measure(options.size)
            self._try_out()
        self._model = files.name
        self._options = options

    @property
    def schedule(self) -> NoiseSchedule:
        """Noise levels that the network was trained on, and what it predicts."""
        return self._schedule

    @property
    def latent_shape(self) -> tuple[int, int, int]:
        """Channels, height and width of a latent code."""
        return self._latent_shape

    @property
    def transform(self) -> Transform:
        """Preprocessing that `encode` expects to have been applied."""
        return self._format.transform

    @property
    def device(self) -> torch.device:
        """Where tensors are to be."""
        return self._device

    def settings(self) -> dict[str, Setting]:
        """Settings of the model that move a vector: weights, size, prompt, scaling, dtype."""
        return {
            "loader": "diffusers",
            "model": self._model,
            "weights": self._weights,
            "size": self._format.size,
            "crop": "center",
            "resample": self._format.resample,
            "vae": type(self._vae).__name__,
            "vae_mode": "mode",
            "vae_scaling": float(self._vae.config.scaling_factor),
            "prompt": self._options.prompt,
            "guidance": 1.0,
            "compute_dtype": self._options.dtype,
        }

    def encode(self, pixels: Pixels) -> torch.Tensor:
        """Scaled latents (n, channels, height, width) of pictures (n, size, size, 3) uint8."""
        encoded = self._vae.encode(self._format.tensor(pixels, self._device, self._dtype))
        if type(self._vae).__name__ == "AutoencoderKL":
            code = encoded.latent_dist.mode()
        else:
            code = encoded.latents
        latents: torch.Tensor = code.float() * self._vae.config.scaling_factor
        return latents

    def predict(self, x: torch.Tensor, timestep: float) -> torch.Tensor:
        """The network's output at `x` (n, channels, height, width), told `timestep`."""
        inputs = x.to(self._dtype)
        told = torch.tensor([timestep], dtype=torch.float32, device=x.device)
        if self._prompt is None:
            output = self._unet(inputs, told).sample
        else:
            prompts = self._prompt.expand(len(x), -1, -1)
            output = self._unet(inputs, told, encoder_hidden_states=prompts).sample
        predicted: torch.Tensor = output.float()
        return predicted

    def decode(self, latents: torch.Tensor) -> torch.Tensor:
        """Pictures (n, 3, size, size) in [0, 1], not rounded, of scaled latents."""
        code = (latents / self._vae.config.scaling_factor).to(self._dtype)
        decoded: torch.Tensor = self._vae.decode(code).sample.float()
        return (decoded / 2 + 0.5).clamp(0, 1)

    def _load(
        self, folder: Path, part: str, index: dict[str, Any], allowed: tuple[str, ...]
    ) -> Any:
        """One network of a pipeline, of one of the `allowed` classes."""
        import diffusers

        _, class_name = index.get(part) or (None, None)
        if class_name not in allowed:
            raise ModelError(
                f"the {part} of {folder.name} is of {class_name}; supported are "
                f"{', '.join(allowed)}"
            )
        network_class = getattr(diffusers, class_name)
        # Asked for where it cannot be had, it is warned of with advice to install accelerate.
        frugal = find_spec("accelerate") is not None
        network = network_class.from_pretrained(
            folder / part, torch_dtype=self._dtype, low_cpu_mem_usage=frugal
        )
        if unread := [key for key in ("shift_factor", "latents_mean") if network.config.get(key)]:
            raise ModelError(f"the {part} of {folder.name} needs {unread}, not supported here")
        return network.eval().requires_grad_(False).to(self._device)

    def _embed_prompt(self, folder: Path, prompt: str) -> torch.Tensor | None:
        """Hidden states (1, n_tokens, width) of `prompt`, or None for a model without text."""
        if type(self._unet).__name__ == "UNet2DModel":
            if prompt:
                raise ModelError(f"prompt={prompt!r} was given to a model that knows no text")
            return None
        from transformers import CLIPTextModel, CLIPTokenizer

        tokenizer = CLIPTokenizer.from_pretrained(folder / "tokenizer")
        with without_progress_bars():
            encoder: Any = CLIPTextModel.from_pretrained(folder / "text_encoder", dtype=self._dtype)
        encoder.eval().to(self._device)
        tokens = tokenizer(
            prompt,
            padding="max_length",
            max_length=tokenizer.model_max_length,
            truncation=True,
            return_tensors="pt",
        )
        with torch.inference_mode():
            hidden: torch.Tensor = encoder(tokens.input_ids.to(self._device))[0]
        return hidden

    def _measure(self, size: int | None) -> tuple[PixelFormat, tuple[int, int, int]]:
        """Pixel format and latent shape: the UNet's own size, or `size` pixels."""
        factor = 2 ** (len(_stages(self._vae)) - 1)
        own = self._unet.config.sample_size
        if size is None:
            if not isinstance(own, int):
                raise ModelError(f"the UNet's sample_size is {own!r}; say size=PIXELS")
            size = own * factor
        # Each level of the UNet halves the code once more.
        multiple = factor * 2 ** (len(self._unet.config.block_out_channels) - 1)
        if size < multiple or size % multiple:
            raise ModelError(f"size={size} is not a multiple of {multiple}, as this model needs")
        half = (0.5, 0.5, 0.5)
        side = size // factor
        return PixelFormat(size, half, half), (int(self._unet.config.in_channels), side, side)

    def _try_out(self) -> None:
        """Run each part once, so that a model that does not fit fails while it is loaded."""
        with torch.inference_mode():
            size = self._format.size
            code = self.encode(np.zeros((1, size, size, 3), np.uint8))
            if code.shape[1:] != self._latent_shape:
                raise ModelError(
                    f"the autoencoder gives codes of shape {tuple(code.shape[1:])}, the UNet "
                    f"takes {self._latent_shape}"
                )
            output = self.predict(code, 0)
        if output.shape != code.shape:
            raise ModelError(
                f"the UNet predicts {output.shape[1]} channels for {code.shape[1]}; models with "
                "a learned variance are not supported"
            )


def read_schedule(folder: Path) -> NoiseSchedule:
    """Noise schedule of a scheduler's folder, always from the model's own config.

    The config may be any scheduler's of the DDPM family (PNDM, DDIM, Euler, …): only what
    describes the training is read, and the stepping is ours.

    Raises
    ------
    ModelError
        The config is not there, or is not of the DDPM family.
    """
    import diffusers

    path = folder / "scheduler_config.json"
    if not path.is_file():
        raise ModelError(f"there is no {path}, so the noise levels of the model are not known")
    config = json.loads(path.read_text())
    if not {"beta_schedule", "trained_betas"} & config.keys():
        raise ModelError(
            f"{path} is of {config.get('_class_name')!r} and names no betas; only models of the "
            "DDPM family can be inverted by DDIM"
        )
    known = {key: config[key] for key in _TRAINING_KEYS & config.keys()}
    library: Any = diffusers  # its classes carry no types
    scheduler = library.DDIMScheduler(**known)
    return NoiseSchedule(
        alphas_cumprod=scheduler.alphas_cumprod.double().numpy(),
        alpha_bar_clean=float(scheduler.final_alpha_cumprod),
        predicts=scheduler.config.prediction_type,
        steps_offset=int(scheduler.config.steps_offset),
    )


def _read_index(folder: Path) -> dict[str, Any]:
    """`model_index.json`: which class each part is of."""
    path = folder / "model_index.json"
    if not path.is_file():
        raise ModelError(
            f"{folder} holds no model_index.json, so it is no diffusers pipeline; pass the "
            "folder that `save_pretrained` of a pipeline wrote"
        )
    index: dict[str, Any] = json.loads(path.read_text())
    return index


def _stages(vae: Any) -> list[int]:
    """Channels of each stage of an autoencoder; each but the first halves the picture."""
    if type(vae).__name__ == "AutoencoderKL":
        return list(vae.config.block_out_channels)
    return list(vae.config.encoder_block_out_channels)
