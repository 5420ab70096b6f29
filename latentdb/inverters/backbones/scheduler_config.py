"""From a scheduler's config to the noise levels that a model was trained on.

Only what describes the training is read; the stepping is ours, whatever the scheduler's class.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from latentdb.errors import ModelError
from latentdb.inverters.flow_schedule import FlowSchedule
from latentdb.inverters.noise_schedule import NoiseSchedule
from latentdb.inverters.schedule import AbstractSchedule

_DDPM = frozenset(
    f"{name}Scheduler"
    for name in (
        "DDIM",
        "DDIMInverse",
        "DDIMParallel",
        "DDPM",
        "DDPMParallel",
        "DEISMultistep",
        "DPMSolverMultistep",
        "DPMSolverMultistepInverse",
        "DPMSolverSDE",
        "DPMSolverSinglestep",
        "EulerAncestralDiscrete",
        "EulerDiscrete",
        "HeunDiscrete",
        "KDPM2AncestralDiscrete",
        "KDPM2Discrete",
        "LCM",
        "LMSDiscrete",
        "PNDM",
        "SASolver",
        "TCD",
        "UniPCMultistep",
    )
)
_FLOW = frozenset({"FlowMatchEulerDiscreteScheduler", "FlowMatchHeunDiscreteScheduler"})
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
_PREDICTIONS = ("epsilon", "sample", "v_prediction")


def read_schedule(path: Path, *, tokens: int) -> AbstractSchedule:
    """Noise levels that a scheduler's config describes.

    Parameters
    ----------
    path : Path
        `scheduler_config.json`.
    tokens : int
        Number of tokens that a transformer makes of one picture, by which some flow models
        shift their times.

    Raises
    ------
    ModelError
        The config is not there, or is neither of the DDPM family nor of flow matching.
    """
    if not path.is_file():
        raise ModelError(f"there is no {path}, so the noise levels of the model are not known")
    config = json.loads(path.read_text())
    name = config.get("_class_name")
    if name in _FLOW:
        return _flow(config, tokens, path)
    if name in _DDPM and {"beta_schedule", "trained_betas"} & config.keys():
        return _ddpm(config, path)
    raise ModelError(
        f"{path} is of {name!r}, which is neither of the DDPM family (DDIM, PNDM, Euler, "
        "DPM-Solver, LCM, …, with betas) nor of flow matching (FlowMatchEulerDiscreteScheduler); "
        "EDM's and consistency models' levels are not supported"
    )


def _ddpm(config: Mapping[str, Any], path: Path) -> NoiseSchedule:
    import diffusers

    known = {key: config[key] for key in _TRAINING_KEYS & config.keys()}
    prediction = known.get("prediction_type", "epsilon")
    if prediction not in _PREDICTIONS:
        raise ModelError(
            f"{path} says prediction_type {prediction!r}; of the DDPM family there are "
            f"{', '.join(_PREDICTIONS)}"
        )
    library: Any = diffusers  # its classes carry no types
    scheduler = library.DDIMScheduler(**known)
    return NoiseSchedule(
        alphas_cumprod=scheduler.alphas_cumprod.double().numpy(),
        alpha_bar_clean=float(scheduler.final_alpha_cumprod),
        predicts=prediction,
        steps_offset=int(scheduler.config.steps_offset),
    )


def _flow(config: Mapping[str, Any], tokens: int, path: Path) -> FlowSchedule:
    if config.get("invert_sigmas"):
        raise ModelError(f"{path} counts its times from the noise (invert_sigmas), not supported")
    n_train = int(config.get("num_train_timesteps", 1000))
    if not config.get("use_dynamic_shifting"):
        return FlowSchedule(n_train, float(config.get("shift", 1.0)))
    mu = _shift_of(tokens, config)
    # Both are s·t/(1 + (s−1)·t): of s = exp(μ), or of s = μ.
    is_linear = config.get("time_shift_type", "exponential") == "linear"
    return FlowSchedule(n_train, mu if is_linear else math.exp(mu))


def _shift_of(tokens: int, config: Mapping[str, Any]) -> float:
    """μ, on the line through the shifts of a small picture and of a large one."""
    small, large = config.get("base_image_seq_len", 256), config.get("max_image_seq_len", 4096)
    low, high = config.get("base_shift", 0.5), config.get("max_shift", 1.15)
    return float(low + (high - low) * (tokens - small) / (large - small))
