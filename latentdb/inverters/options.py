"""What a space's spec may say about a diffusion model and its inversion."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from types import MappingProxyType
from typing import Literal, final

from latentdb.errors import SpaceSpecError
from latentdb.inverters.grid import Convention
from latentdb.inverters.schedule import Spacing
from latentdb.space import VectorDType
from latentdb.torch_compat import ComputeDType

InverterName = Literal["fixed_point", "ddim", "belm", "midpoint", "fireflow", "heun", "deis"]
_ONLY_WITH: Mapping[str, InverterName] = MappingProxyType(
    {"convention": "ddim", "anderson": "fixed_point", "pair": "belm", "order": "deis"}
)


@final
@dataclass(frozen=True)
class DiffusersOptions:
    """Options of `diffusers:`.

    Parameters
    ----------
    inverter : "fixed_point", "ddim", "belm", "midpoint", "fireflow", "heun" or "deis"
        How a trajectory is walked, both ways; docs/inversion.md compares them. The first two
        sample by DDIM: implicit steps iterated until they invert it, or one explicit step each,
        cheaper and inexact. `belm` keeps two states and is exact. The others are explicit and of
        a higher order.
    steps : int
        Number of steps of a trajectory.
    iterations : int
        Most network calls per step of `fixed_point`; a row that needs fewer takes fewer.
    first_iterations : int
        Network calls of the first step, whose exact solution is not wanted; see
        `FixedPointInverter`. More of them give noise of a larger norm.
    tolerance : float
        Relative change of a row at which `fixed_point` goes on to the next step.
    anderson : bool
        Whether `fixed_point` accelerates its iteration; without, some rows do not converge.
    pair : bool
        Whether a vector of `belm` holds both states, and so twice the numbers, or the noise
        alone, with which the round trip is not exact.
    order : 2 or 3
        Of `deis`: how many past rates a step is made of.
    forward_start : float
        Share of the steps, at the clean end, that one draw of noise for all pictures takes the
        place of; 0 for none. With any inverter; the round trip is then not exact.
    spacing : "trailing", "leading" or "linspace"
        Which timesteps are visited; see `AbstractSchedule.grid`.
    last_timestep : int or None
        Where a trajectory ends; None for the last timestep of the model's schedule.
    convention : "noisier" or "cleaner"
        Which end's timestep the network is told in a step of `ddim`; the others tell it the
        level at which they ask.
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
    anderson: bool = True
    pair: bool = True
    order: int = 2
    forward_start: float = 0.0
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
        self._require_in_place()
        counts = {
            "steps": self.steps,
            "iterations": self.iterations,
            "first_iterations": self.first_iterations,
        }
        if low := {key: count for key, count in counts.items() if count < 1}:
            raise SpaceSpecError(f"expected at least 1 of each of {', '.join(counts)}, got {low}")
        if not 0 <= self.tolerance < 1:
            raise SpaceSpecError(f"expected 0 ≤ tolerance < 1, got tolerance={self.tolerance}")
        if self.order not in (2, 3):
            raise SpaceSpecError(f"expected order=2 or order=3, got order={self.order}")
        if not 0 <= self.forward_start < 1:
            raise SpaceSpecError(
                f"expected 0 ≤ forward_start < 1, got forward_start={self.forward_start}"
            )

    def _require_in_place(self) -> None:
        """Raise where an option of one inverter is given to another."""
        defaults = {field.name: field.default for field in fields(self)}
        for name, inverter in _ONLY_WITH.items():
            given = getattr(self, name)
            if given != defaults[name] and self.inverter != inverter:
                raise SpaceSpecError(
                    f"{name}={str(given).lower()} goes with inverter={inverter}, not with "
                    f"inverter={self.inverter}"
                )
