"""Noise to picture by other samplers than the one that inverted it, from diffusers' schedulers.

Near the end of the schedule the zoo's ᾱ is 2.4e-9, a σ = √((1−ᾱ)/ᾱ) of 2e4. Heun's method
averages the slopes at both ends of a step; over the first step, from σ = 2e4 to 13, the slope at
the low end is wrong by parts in ten, times 2e4. So Heun is tried twice: as `from_config` makes it,
and with its first step taken by DDIM, which is exact where nothing of the picture is known yet.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.rare_concepts.memo import Memo
from latentdb.bundled import BUNDLED
from latentdb.inverters.backbones.backbone import DiffusersBackbone
from latentdb.torch_compat import torch

_BATCH = 64
_LAST = 999

Decode = Callable[[NDArray[np.float32]], NDArray[np.uint8]]


def samplers(backbone: DiffusersBackbone, memo: Memo) -> dict[str, Decode]:
    """Decoders by name; the number is of steps, and Heun's steps call the network twice."""
    walks = {
        "DDIM 20": partial(_ddim, backbone, 20),
        "DDIM 100": partial(_ddim, backbone, 100),
        "DEIS 20": partial(_deis, backbone, 20),
        "Heun 10, first step DDIM": partial(_heun, backbone, 10),
        "Heun 20, first step DDIM": partial(_heun, backbone, 20),
        "Heun 10 as configured": partial(_plain_heun, backbone, 10),
    }

    def decode(name: str, noise: NDArray[np.float32]) -> NDArray[np.uint8]:
        return memo(name, noise, lambda: _decode(backbone, walks[name], noise))

    return {name: partial(decode, name) for name in walks}


@torch.inference_mode()
def _decode(
    backbone: DiffusersBackbone,
    sample: Callable[[torch.Tensor], torch.Tensor],
    noise: NDArray[np.float32],
) -> NDArray[np.uint8]:
    parts = []
    for start in range(0, len(noise), _BATCH):
        rows = torch.from_numpy(noise[start : start + _BATCH].copy())
        latents = sample(rows.view(-1, *backbone.latent_shape))
        pictures = (backbone.decode(latents) * 255).round().to(torch.uint8)
        parts.append(pictures.permute(0, 2, 3, 1).contiguous().numpy())
    return np.concatenate(parts)


def _ddim(backbone: DiffusersBackbone, steps: int, x: torch.Tensor) -> torch.Tensor:
    grid = backbone.schedule.grid(steps, "trailing")
    for step in reversed(range(steps)):
        x = grid.denoise(step, x, backbone.predict(x, grid.levels[step + 1].timestep))
    return x


def _deis(backbone: DiffusersBackbone, steps: int, x: torch.Tensor) -> torch.Tensor:
    scheduler = _scheduler("DEISMultistepScheduler")
    scheduler.set_timesteps(steps)
    for timestep in scheduler.timesteps:
        output = backbone.predict(x, int(timestep))
        x = scheduler.step(output.double(), timestep, x.double()).prev_sample.float()
    return x


def _heun(backbone: DiffusersBackbone, steps: int, x: torch.Tensor) -> torch.Tensor:
    """The first of `steps` trailing steps by DDIM, the rest by Heun in the scheduler's own σ."""
    grid = backbone.schedule.grid(steps, "trailing")
    x = grid.denoise(steps - 1, x, backbone.predict(x, grid.levels[steps].timestep))
    rest = [level.timestep for level in reversed(grid.levels[1:steps])]
    # The scheduler's variable is x/a: signal 1, noise σ.
    return _run_heun(backbone, x / grid.levels[steps - 1].signal, timesteps=rest)


def _plain_heun(backbone: DiffusersBackbone, steps: int, x: torch.Tensor) -> torch.Tensor:
    return _run_heun(backbone, x, num_inference_steps=steps)


def _run_heun(backbone: DiffusersBackbone, x: torch.Tensor, **asked: Any) -> torch.Tensor:
    scheduler = _scheduler("HeunDiscreteScheduler")
    scheduler.set_timesteps(**asked)
    if scheduler.timesteps[0] == _LAST:
        x = x * scheduler.init_noise_sigma
    x = x.double()
    for timestep in scheduler.timesteps:
        scaled = scheduler.scale_model_input(x, timestep)
        output = backbone.predict(scaled.float(), int(timestep))
        x = scheduler.step(output.double(), timestep, x).prev_sample
    return x.float()


def _scheduler(name: str) -> Any:
    """A scheduler of that class from the model's own config; keys it does not know are left out."""
    import diffusers

    library: Any = diffusers
    path = BUNDLED["faces-noise"].path / "scheduler" / "scheduler_config.json"
    return getattr(library, name).from_config(json.loads(path.read_text()))
