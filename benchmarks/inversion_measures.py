"""What is measured of one way to invert."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final, final

import numpy as np
from numpy.typing import NDArray

from benchmarks.rare_concepts.memo import Memo
from latentdb.affine import Level
from latentdb.bundled import BUNDLED
from latentdb.directions.probe import probe_many
from latentdb.inverters.backbone import AbstractBackbone
from latentdb.inverters.backbones.backbone import DiffusersBackbone
from latentdb.inverters.base import AbstractTrajectoryInverter
from latentdb.inverters.forward_start import ForwardStart
from latentdb.inverters.grid import split
from latentdb.inverters.kinds import INVERTERS
from latentdb.inverters.options import DiffusersOptions
from latentdb.inverters.quality import norm_z, psnr, sv_excess
from latentdb.inverters.schedule import AbstractSchedule
from latentdb.model import Pixels, Transform, Vectors
from latentdb.report.autocorrelation import autocorrelation
from latentdb.report.normality import passes_anderson_darling
from latentdb.space import Setting
from latentdb.torch_compat import torch
from latentdb.zoo.faces import ATTRIBUTES
from latentdb.zoo.training_data import FaceArrays

Figures = dict[str, Any]
_BATCH: Final = 16
_PROJECTIONS: Final = 1000


@final
class CountedBackbone(AbstractBackbone):
    """A bundled model that counts the pictures its network is asked about."""

    def __init__(self, space: str) -> None:
        model = BUNDLED[space]
        options = DiffusersOptions(vae=model.options.get("vae"))
        self._inner = DiffusersBackbone(str(model.path), options, device="cpu")
        self.calls = 0

    @property
    def schedule(self) -> AbstractSchedule:
        """That of the model."""
        return self._inner.schedule

    @property
    def latent_shape(self) -> tuple[int, int, int]:
        """That of the model."""
        return self._inner.latent_shape

    @property
    def transform(self) -> Transform:
        """That of the model."""
        return self._inner.transform

    @property
    def device(self) -> torch.device:
        """That of the model."""
        return self._inner.device

    def settings(self) -> dict[str, Setting]:
        """Those of the model."""
        return self._inner.settings()

    def encode(self, pixels: Pixels) -> torch.Tensor:
        """As the model does."""
        return self._inner.encode(pixels)

    def predict(self, x: torch.Tensor, timestep: float) -> torch.Tensor:
        """As the model does, counted."""
        self.calls += len(x)
        return self._inner.predict(x, timestep)

    def decode(self, latents: torch.Tensor) -> torch.Tensor:
        """As the model does."""
        return self._inner.decode(latents)


@final
class Bench:
    """Faces, and one bundled model that inverts them in any way.

    Parameters
    ----------
    space : str
        Of the model.
    faces : FaceArrays
        Held out of its training.
    trips : int
        Of how many faces round trips are measured, from the first.
    memo : Memo
        Keeps the noise.
    """

    def __init__(self, space: str, faces: FaceArrays, *, trips: int, memo: Memo) -> None:
        self._space, self._faces, self._trips, self._memo = space, faces, trips, memo
        self.pixels = faces.pixels
        self.backbone = CountedBackbone(space)
        with torch.inference_mode():
            self.codes = self.backbone.encode(faces.pixels[:trips])
            self.rebuilt = self.backbone.decode(self.codes)

    def inverter(self, options: Mapping[str, Any]) -> AbstractTrajectoryInverter:
        """The model with these options."""
        typed = DiffusersOptions(**options)
        return INVERTERS[typed.inverter](self.backbone, typed, name=self._space, spec=self._space)

    def vectors(self, inverter: AbstractTrajectoryInverter, n: int) -> Vectors:
        """Of the first `n` faces."""
        name = f"{inverter.space.fingerprint}-{_BATCH}"
        parts = [
            self._memo(name, batch, partial(self._there, inverter, batch))
            for batch in np.split(self._faces.pixels[:n], range(_BATCH, n, _BATCH))
        ]
        return np.concatenate(parts)

    def _there(self, inverter: AbstractTrajectoryInverter, pixels: Pixels) -> Vectors:
        """Vectors of pictures, with the calls for each as one more column."""
        return self._counted(len(pixels), lambda: inverter.embed(pixels).vectors)

    def _back(self, inverter: AbstractTrajectoryInverter, vectors: Vectors) -> Vectors:
        last = inverter.grid.steps
        return self._counted(len(vectors), lambda: inverter.follow(vectors, start=last, stop=0))

    def _counted(self, n: int, compute: Callable[[], Vectors]) -> Vectors:
        self.backbone.calls = 0
        found = compute()
        calls = np.full((n, 1), self.backbone.calls / n, np.float32)
        return np.concatenate([found, calls], axis=1)

    def noise(self, vectors: Vectors) -> NDArray[np.float32]:
        """Codes (n, channels, height, width) of the noise in vectors, without a companion."""
        shape = self.backbone.latent_shape
        return np.ascontiguousarray(vectors[:, : math.prod(shape)]).reshape(-1, *shape)

    def back(self, inverter: AbstractTrajectoryInverter, vectors: Vectors) -> Vectors:
        """Clean codes that vectors lead to, with the calls for each as one more column."""
        name = f"back-{inverter.space.fingerprint}"
        parts = [
            self._memo(name, rows, partial(self._back, inverter, rows))
            for rows in np.split(vectors, range(_BATCH, len(vectors), _BATCH))
        ]
        return np.concatenate(parts)

    def pictures(self, codes: Vectors) -> torch.Tensor:
        """What the autoencoder makes (n, 3, size, size) of the codes in vectors."""
        with torch.inference_mode():
            return self.backbone.decode(torch.from_numpy(self.noise(codes)))

    def round_trip(self, inverter: AbstractTrajectoryInverter, vectors: Vectors) -> Figures:
        """PSNR of the way back against the autoencoder's reconstruction, and its calls."""
        counted = self.back(inverter, vectors)
        codes, calls = counted[:, :-1], counted[:, -1]
        found = psnr(self.pictures(codes), self.rebuilt[: len(vectors)]).numpy()
        return {
            "mean": round(float(found.mean()), 2),
            "q05": round(float(np.quantile(found, 0.05)), 2),
            "lowest": round(float(found.min()), 2),
            "calls": float(calls.mean()),
        }

    def measure(self, options: Mapping[str, Any], n: int, *, float16: bool = False) -> Figures:
        """Everything of one way to invert; whiteness and probes where `n` is above the trips."""
        inverter = self.inverter(options)
        counted = self.vectors(inverter, n)
        vectors, calls = counted[:, :-1], counted[:, -1]
        noise = self.noise(vectors)
        kept = vectors[: self._trips]
        kept = kept.astype(np.float16).astype(np.float32) if float16 else kept
        found: Figures = {
            "steps": inverter.grid.steps,
            "dim": inverter.space.dim,
            "calls": float(calls.mean()),
            "round_trip": self.round_trip(inverter, kept),
            **_size(noise),
        }
        if n > self._trips:
            found |= self._studied(vectors)
        return found

    def drawn_anew(self, options: Mapping[str, Any], n: int) -> Figures:
        """`forward_start` of .03 with noise drawn for each picture, where ours is one for all."""
        inverter = self.inverter(options)
        level = inverter.grid.levels[ForwardStart.of(0.03, inverter.grid.steps).level]
        codes = inverter.encode(self.pixels[:n])
        noise = np.random.default_rng(0).standard_normal(codes.shape, dtype=np.float32)
        states = np.float32(level.signal) * codes + np.float32(level.sigma) * noise
        at, last = inverter.grid.levels.index(level), inverter.grid.steps
        climb = partial(inverter.follow, start=at, stop=last)
        parts = [
            self._memo(f"anew-{inverter.space.fingerprint}", rows, partial(climb, rows))
            for rows in np.split(states, range(_BATCH, n, _BATCH))
        ]
        vectors = np.concatenate(parts)
        return {
            "round_trip": self.round_trip(inverter, vectors[: self._trips]),
            **_size(self.noise(vectors)),
            **self._studied(vectors),
        }

    def _studied(self, vectors: Vectors) -> Figures:
        """Whiteness of the noise, and what probes read of the vectors."""
        noise = self.noise(vectors)
        flat = noise.reshape(len(noise), -1)
        mean = flat.mean(axis=0)
        on = np.random.default_rng(0).standard_normal((flat.shape[1], _PROJECTIONS))
        unit = flat / np.linalg.norm(flat, axis=1, keepdims=True)
        cosines = (unit @ unit.T)[~np.eye(len(flat), dtype=bool)]
        values, _ = autocorrelation((flat - mean).reshape(noise.shape))
        middle = len(values) // 2
        beside = (values[middle, middle + 1] + values[middle + 1, middle]) / 2
        has = self._faces.attributes[: len(vectors)]
        labels = {name: has[:, column] for column, name in enumerate(ATTRIBUTES)}
        scores = probe_many(vectors, labels)
        return {
            "gaussian_dimensions": round(float(passes_anderson_darling(flat).mean()), 3),
            "gaussian_projections": round(float(passes_anderson_darling(flat @ on).mean()), 3),
            "neighbours": round(float(beside), 3),
            "cosine": round(float(cosines.mean()), 3),
            "auc": round(float(np.mean([one.auc.value for one in scores.values()])), 3),
        }

    def seconds(self, ways: Mapping[str, Mapping[str, Any]], n: int, rounds: int) -> Figures:
        """Least seconds of inverting `n` faces each way, in turns, over those of the first way."""
        inverters = {name: self.inverter(options) for name, options in ways.items()}
        least = dict.fromkeys(ways, math.inf)
        for _ in range(rounds):
            for name, inverter in inverters.items():
                start = time.process_time()
                inverter.embed(self._faces.pixels[:n])
                least[name] = min(least[name], time.process_time() - start)
        first = next(iter(least.values()))
        return {name: round(value / first, 2) for name, value in least.items()}

    def published_belm(self, steps: int, last_timestep: int | None) -> float:
        """Root mean square of the noise of O-BELM in the paper's own variable, σ/α."""
        levels = self.backbone.schedule.grid(steps, "trailing", last_timestep).levels
        ratio = [level.sigma / level.signal for level in levels]
        with torch.inference_mode():
            x = self.codes / levels[0].signal
            before, here = x, x + (ratio[1] - ratio[0]) * self._epsilon(x, levels[0])
            for i in range(1, steps):
                h, r = (
                    ratio[i] - ratio[i - 1],
                    (ratio[i + 1] - ratio[i]) / (ratio[i] - ratio[i - 1]),
                )
                drift = h * r * (1 + r) * self._epsilon(here, levels[i])
                before, here = here, r**2 * before + (1 - r**2) * here + drift
            return float((here * levels[-1].signal).square().mean().sqrt())

    def _epsilon(self, x: torch.Tensor, level: Level) -> torch.Tensor:
        u = x * level.signal
        output = self.backbone.predict(u, level.timestep)
        return split(self.backbone.schedule.prediction, level, u, output)[1]


def _size(noise: NDArray[np.float32]) -> Figures:
    """Norms, and largest singular values, against those of white noise."""
    rows = torch.from_numpy(noise)
    scores = norm_z(rows).numpy()
    return {
        "norm_z": {"mean": round(float(scores.mean()), 2), "sd": round(float(scores.std()), 2)},
        "sv_excess": round(float(sv_excess(rows).mean()), 3),
    }
