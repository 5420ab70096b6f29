"""A ring in a plane of D dimensions, and small networks that learn to sample it.

Four networks alike in everything but their target (ε on DDPM's path, or velocity on the straight
one) and whether they are told the timestep; a blind one is always told 0.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path as File
from typing import final

import numpy as np
from torch import nn

from benchmarks.blind_paths import N_LEVELS, Path, PathName, Predict, make_path
from indexers.types import FloatArray
from latentdb.affine import Level, Prediction, target
from latentdb.torch_compat import torch

_WIDTH = 128
_FREQUENCIES = 8
_RADIUS, _THICKNESS = math.sqrt(2.0), 0.05


@final
@dataclass(frozen=True)
class Kind:
    """What a network predicts, along which path, and whether it is told where it is."""

    prediction: Prediction
    path: PathName
    is_blind: bool

    @property
    def name(self) -> str:
        """For tables."""
        return f"{'blind' if self.is_blind else 'told'} {self.prediction}"


KINDS = tuple(
    Kind(prediction, path, is_blind)
    for prediction, path in (("velocity", "flow"), ("epsilon", "ddpm"))
    for is_blind in (False, True)
)


@final
@dataclass(frozen=True)
class Training:
    """Sizes of the training of each network."""

    steps: int = 2500
    batch: int = 256
    learning_rate: float = 2e-3


@final
class Ring:
    """A thin ring of unit variance in each of two directions, mapped into `dim` dimensions."""

    def __init__(self, dim: int) -> None:
        self.dim = dim
        drawn = np.random.default_rng(dim).standard_normal((dim, 2))
        self.plane: FloatArray = np.linalg.qr(drawn)[0].T
        """(2, dim), orthonormal rows."""

    def flat(self, n: int, seed: int) -> FloatArray:
        """`n` points (n, 2) in the plane."""
        rng = np.random.default_rng(seed)
        angles = rng.uniform(0.0, 2 * np.pi, n)
        radii = _RADIUS + _THICKNESS * rng.standard_normal(n)
        return np.stack([radii * np.cos(angles), radii * np.sin(angles)], axis=1)

    def draw(self, n: int, seed: int) -> FloatArray:
        """`n` points (n, dim)."""
        return self.flat(n, seed) @ self.plane

    def split(self, points: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Places in the plane (n, 2), and distances from it (n,)."""
        inside = points @ self.plane.T
        return inside, np.linalg.norm(points - inside @ self.plane, axis=1)


@final
class Network(nn.Module):
    """A multilayer perceptron whose output is a multiple of the state plus a vector.

    It reads the state, its norm and Fourier features of the timestep. Without the multiple, no
    network this small can take the noise off directions in which the data do not vary.
    """

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(dim + 1 + 2 * _FREQUENCIES, _WIDTH),
            nn.SiLU(),
            nn.Linear(_WIDTH, _WIDTH),
            nn.SiLU(),
            nn.Linear(_WIDTH, _WIDTH),
            nn.SiLU(),
            nn.Linear(_WIDTH, dim + 1),
        )
        self.register_buffer("frequencies", math.pi / 2 * 2.0 ** torch.arange(_FREQUENCIES))

    def forward(self, states: torch.Tensor, timesteps: torch.Tensor) -> torch.Tensor:
        """Output (n, dim) at states (n, dim) told timesteps (n,)."""
        angles = timesteps[:, None] / N_LEVELS * self.frequencies
        norms = states.norm(dim=1, keepdim=True) / math.sqrt(states.shape[1])
        out = self.layers(torch.cat([states, norms, angles.sin(), angles.cos()], dim=1))
        return out[:, :1] * states + out[:, 1:]


def train(kind: Kind, ring: Ring, training: Training, seed: int) -> Network:
    """A network of one kind; the same seed gives all kinds the same data, noise and weights."""
    generator = torch.Generator().manual_seed(seed)
    torch.manual_seed(seed)
    network = Network(ring.dim)
    data = torch.tensor(ring.draw(100_000, seed), dtype=torch.float32)
    table = _training_table(kind, make_path(kind.path))
    optimiser = torch.optim.Adam(network.parameters(), lr=training.learning_rate)
    rates = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, training.steps)
    for _ in range(training.steps):
        rows = torch.randint(len(data), (training.batch,), generator=generator)
        levels = torch.randint(N_LEVELS, (training.batch,), generator=generator)
        noise = torch.randn(training.batch, ring.dim, generator=generator)
        a, b, c, d, told = table[levels].T[:, :, None]
        predicted = network(a * data[rows] + b * noise, told[:, 0])
        loss = (predicted - c * data[rows] - d * noise).square().mean()
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
        rates.step()
    return network.eval().requires_grad_(False)


def trained(kind: Kind, ring: Ring, training: Training, *, seed: int, cache: File) -> Network:
    """`train`, or what it left in `cache` before."""
    name = f"{kind.name} {kind.path} {ring.dim} {training.steps} {seed}".replace(" ", "-")
    file = cache / f"{name}.pt"
    if file.exists():
        network = Network(ring.dim)
        network.load_state_dict(torch.load(file, weights_only=True))
        return network.eval().requires_grad_(False)
    network = train(kind, ring, training, seed)
    cache.mkdir(parents=True, exist_ok=True)
    torch.save(network.state_dict(), file)
    return network


def as_predict(kind: Kind, network: Network) -> Predict:
    """The network as the sampler calls it: a blind one is told 0."""

    def predict(states: torch.Tensor, level: Level) -> torch.Tensor:
        told = 0.0 if kind.is_blind else level.timestep
        return network(states, torch.full((len(states),), told))

    return predict


def _training_table(kind: Kind, path: Path) -> torch.Tensor:
    """Rows (a, b, c, d, timestep told) of all levels."""
    rows = [
        (
            level.signal,
            level.sigma,
            *target(kind.prediction, level),
            0.0 if kind.is_blind else level.timestep,
        )
        for level in path.levels
    ]
    return torch.tensor(rows)
