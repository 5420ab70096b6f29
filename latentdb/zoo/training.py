"""The loop that trains every bundled model: budget, schedule, averaging, checkpoints."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, final

from rich.console import Console
from rich.progress import Progress

from latentdb.torch_compat import torch

WEIGHTS: Final = Path(__file__).parent / "weights"
CACHE: Final = Path.home() / ".cache" / "latentdb" / "zoo"
_SAVE_SECONDS: Final = 120.0
_LOG_SECONDS: Final = 30.0
_WARM_UP_STEPS: Final = 100

LossOf = Callable[[torch.Generator], torch.Tensor]
Export = Callable[[torch.nn.Module], None]


@final
@dataclass(frozen=True, slots=True)
class Settings:
    """What a training run may use.

    Parameters
    ----------
    minutes : float
        Wall time after which training stops; the learning rate falls over it, by a cosine.
        Infinite where only steps count.
    steps : int, optional
        Stop after so many steps, if that comes first.
    device : str
        As torch names it.
    out : Path
        Folder that receives the model folders; `WEIGHTS` is the one the package loads.
    cache : Path
        Folder for drawn faces and checkpoints.
    n_faces : int
        Size of the training set.
    seed : int
        Of weights and batches; the faces are always those of `TRAINING_SEED`.
    """

    minutes: float
    steps: int | None = None
    device: str = "cpu"
    out: Path = WEIGHTS
    cache: Path = CACHE
    n_faces: int = 32_000
    seed: int = 0


@final
@dataclass(frozen=True, slots=True)
class Optimisation:
    """How a model's weights move: AdamW, cosine schedule, an average of the weights kept beside.

    Parameters
    ----------
    learning_rate : float
        At the top of the schedule.
    weight_decay : float
        Of AdamW.
    average_decay : float
        Of the exponential moving average, per step, in [0, 1).
    """

    learning_rate: float
    weight_decay: float = 1e-4
    average_decay: float = 0.998


@final
class Trainer:
    """Trains one model within a budget, resuming from its checkpoint.

    Parameters
    ----------
    name : str
        Of the checkpoint file.
    model : torch.nn.Module
        Moved to the device and trained in place.
    settings : Settings
    optimisation : Optimisation

    Attributes
    ----------
    average : torch.nn.Module
        The averaged weights, in evaluation mode: what is exported.
    """

    def __init__(
        self, name: str, model: torch.nn.Module, *, settings: Settings, optimisation: Optimisation
    ) -> None:
        self.model = model.to(settings.device).train()
        self.average = copy.deepcopy(self.model).eval().requires_grad_(False)
        self._name = name
        self._settings = settings
        self._optimisation = optimisation
        self._optimiser = torch.optim.AdamW(
            self.model.parameters(),
            lr=optimisation.learning_rate,
            betas=(0.9, 0.99),
            weight_decay=optimisation.weight_decay,
        )
        self._file = settings.cache / f"{name}.checkpoint.pt"
        self._step = 0
        self._seconds = 0.0

    def run(self, loss_of: LossOf, export: Export) -> torch.nn.Module:
        """Train until the budget is spent.

        Parameters
        ----------
        loss_of : callable
            Loss of a fresh batch, drawn with the generator it is given.
        export : callable
            Writes the averaged model; called at every checkpoint and at the end.

        Returns
        -------
        torch.nn.Module
            `average`.
        """
        self._resume()
        generator = torch.Generator(self._settings.device)
        console = Console(stderr=True)
        last_save = last_log = time.monotonic()
        with Progress(console=console) as progress:
            task = progress.add_task(self._name, total=1.0)
            while (fraction := self._fraction()) < 1.0:
                started = time.monotonic()
                generator.manual_seed(self._settings.seed * 1_000_003 + self._step)
                loss = self._advance(loss_of(generator), fraction)
                now = time.monotonic()
                self._seconds += now - started
                progress.update(task, completed=fraction)
                if now - last_log > _LOG_SECONDS:
                    last_log = now
                    console.print(
                        f"{self._name} step {self._step} {self._seconds:.0f} s loss {loss:.5f}"
                    )
                if now - last_save > _SAVE_SECONDS:
                    self._save()
                    export(self.average)
                    last_save = time.monotonic()
        self._save()
        export(self.average)
        console.print(f"{self._name}: {self._step} steps in {self._seconds:.0f} s")
        return self.average

    def _fraction(self) -> float:
        by_time = self._seconds / (60 * self._settings.minutes)
        by_steps = self._step / self._settings.steps if self._settings.steps else 0.0
        return min(1.0, max(by_time, by_steps))

    def _advance(self, loss: torch.Tensor, fraction: float) -> float:
        value = float(loss.detach())
        if not math.isfinite(value):
            raise FloatingPointError(
                f"{self._name}: loss is {value} at step {self._step}; lower the learning rate"
            )
        warm_up = min(1.0, (self._step + 1) / _WARM_UP_STEPS)
        cosine = 0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * fraction))
        for group in self._optimiser.param_groups:
            group["lr"] = self._optimisation.learning_rate * warm_up * cosine
        self._optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self._optimiser.step()
        self._step += 1
        self._blend()
        return value

    @torch.no_grad()
    def _blend(self) -> None:
        # The average starts short, so that early exports are not stuck at the random start.
        decay = min(self._optimisation.average_decay, (1 + self._step) / (10 + self._step))
        averaged: list[torch.Tensor] = list(self.average.parameters())
        current_weights: list[torch.Tensor] = list(self.model.parameters())
        torch._foreach_lerp_(averaged, current_weights, 1 - decay)
        for kept, current in zip(self.average.buffers(), self.model.buffers(), strict=True):
            kept.copy_(current)

    def _save(self) -> None:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        state = {
            "model": self.model.state_dict(),
            "average": self.average.state_dict(),
            "optimiser": self._optimiser.state_dict(),
            "step": self._step,
            "seconds": self._seconds,
        }
        partial = self._file.with_suffix(".partial")
        torch.save(state, partial)
        partial.replace(self._file)

    def _resume(self) -> None:
        if not self._file.exists():
            return
        state = torch.load(self._file, map_location=self._settings.device, weights_only=True)
        self.model.load_state_dict(state["model"])
        self.average.load_state_dict(state["average"])
        self._optimiser.load_state_dict(state["optimiser"])
        self._step, self._seconds = state["step"], state["seconds"]
