"""What a space's spec may say about a diffusion model and its inversion."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, final

from latentdb.errors import SpaceSpecError
from latentdb.inverters.grid import Convention
from latentdb.inverters.schedule import Spacing
from latentdb.space import VectorDType
from latentdb.torch_compat import ComputeDType

InverterName = Literal["fixed_point", "ddim"]


@final
@dataclass(frozen=True)
class DiffusersOptions:
    """Options of `diffusers:`.

    Parameters
    ----------
    inverter : "fixed_point" or "ddim"
        Implicit steps iterated until they invert sampling, or one explicit step each: cheaper,
        and inexact.
    steps : int
        Number of steps of a trajectory.
    iterations : int
        Most network calls per step of `fixed_point`; a row that needs fewer takes fewer.
    first_iterations : int
        Network calls of the first step, whose exact solution is not wanted; see
        `FixedPointInverter`. More of them give noise of a larger norm.
    tolerance : float
        Relative change of a row at which `fixed_point` goes on to the next step.
    spacing : "trailing", "leading" or "linspace"
        Which timesteps are visited; see `AbstractSchedule.grid`.
    last_timestep : int or None
        Where a trajectory ends; None for the last timestep of the model's schedule.
    convention : "noisier" or "cleaner"
        Which end's timestep the network is told in an explicit step; `fixed_point` inverts the
        sampler, which knows only `noisier`.
    prompt : str
        Text that a text-conditioned model is given; guidance is 1, since more breaks inversion.
    psnr : bool
        Whether to measure each row's round trip, which costs one more pass of `steps` network
        calls and does not change the vectors. The column is NaN where it was not measured.
    size : int or None
        Side of the pictures in pixels; None for the model's own.
    vae : str or None
        Folder or hub id of another autoencoder, or of a pipeline that holds one; None for the
        pipeline's own.
    slicing : bool
        Whether the autoencoder takes one picture at a time, and attention a part of its heads:
        less memory, more time.
    tiling : bool
        Whether the autoencoder takes a large picture in overlapping tiles. Where there is more
        than one tile, vectors differ.
    channels_last : bool
        Whether convolutions keep channels innermost: faster on GPUs in half precision.
    compile : bool
        Whether the network is compiled by `torch.compile`, which takes minutes on the first
        batch and needs a C++ compiler.
    dtype : "float32", "float16" or "bfloat16"
        What the networks compute in; the steps themselves are float32.
    store : "float32" or "float16"
        How vectors are stored.
    """

    inverter: InverterName = "fixed_point"
    steps: int = 50
    iterations: int = 10
    first_iterations: int = 2
    tolerance: float = 2e-3
    spacing: Spacing = "trailing"
    last_timestep: int | None = None
    convention: Convention = "noisier"
    prompt: str = ""
    psnr: bool = False
    size: int | None = None
    vae: str | None = None
    slicing: bool = False
    tiling: bool = False
    channels_last: bool = False
    compile: bool = False
    dtype: ComputeDType = "float32"
    store: VectorDType = "float32"

    def __post_init__(self) -> None:
        if self.inverter == "fixed_point" and self.convention != "noisier":
            raise SpaceSpecError(
                "convention=cleaner goes with inverter=ddim: fixed_point inverts the sampler, "
                "which tells the network the noisier timestep"
            )
        counts = {
            "steps": self.steps,
            "iterations": self.iterations,
            "first_iterations": self.first_iterations,
        }
        if low := {key: count for key, count in counts.items() if count < 1}:
            raise SpaceSpecError(f"expected at least 1 of each of {', '.join(counts)}, got {low}")
        if not 0 <= self.tolerance < 1:
            raise SpaceSpecError(f"expected 0 ≤ tolerance < 1, got tolerance={self.tolerance}")
