"""Judges of attributes that share nothing with the models they judge: networks on pixels.

On faces as they are drawn the judges agree and are right. On a blend, half a beard, they differ, by
as much as methods do: so there are several, each answer counts, and their spread is reported.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from latentdb.torch_compat import torch
from latentdb.zoo.faces import ATTRIBUTES
from latentdb.zoo.training_data import FaceArrays

_BATCH = 64
_WIDTHS = (24, 48, 96)
_LEARNING_RATE = 3e-3
_SHIFT = 3
_BRIGHTNESS = 0.15


@final
@dataclass(frozen=True, slots=True)
class Accuracy:
    """How often the judges are right, per attribute, averaged over them.

    Parameters
    ----------
    n : int
        Faces it was tried on.
    accuracy, balanced_accuracy : dict of str to float
        Share of right answers; mean of the shares among faces with and without the attribute,
        over those of the two that occur.
    """

    n: int
    accuracy: dict[str, float]
    balanced_accuracy: dict[str, float]


@final
class AttributeClassifiers:
    """Twelve yes-or-no answers for a picture, of each judge.

    Parameters
    ----------
    faces : FaceArrays
        To learn from; not modified.
    n : int
        How many judges; they differ in weights, order and augmentation.
    epochs : int
        Passes over the faces.
    seed : int
        Of the first judge; the next has the next.
    """

    def __init__(self, faces: FaceArrays, *, n: int, epochs: int, seed: int) -> None:
        self._networks = [_fitted(faces, epochs, seed + place) for place in range(n)]

    @torch.inference_mode()
    def predict(self, pixels: NDArray[np.uint8]) -> NDArray[np.bool_]:
        """Attributes (n_judges, n, 12) of pictures (n, 64, 64, 3) uint8."""
        batches = _tensor(pixels).split(_BATCH)
        answers: NDArray[np.bool_] = np.stack(
            [
                torch.cat([network(rows) > 0 for rows in batches]).numpy()
                for network in self._networks
            ]
        )
        return answers

    def accuracy(self, faces: FaceArrays) -> Accuracy:
        """How often they are right on `faces`."""
        right = self.predict(faces.pixels) == faces.attributes
        balanced = {}
        for column, name in enumerate(ATTRIBUTES):
            has = faces.attributes[:, column]
            sides = [right[:, side, column].mean() for side in (has, ~has) if side.any()]
            balanced[name] = round(float(np.mean(sides)), 4)
        means = right.mean(axis=(0, 1))
        plain = {name: round(float(v), 4) for name, v in zip(ATTRIBUTES, means, strict=True)}
        return Accuracy(len(faces.pixels), plain, balanced)


def _fitted(faces: FaceArrays, epochs: int, seed: int) -> torch.nn.Sequential:
    generator = torch.Generator().manual_seed(seed)
    network = _network(generator)
    pixels, targets = _tensor(faces.pixels), torch.from_numpy(faces.attributes).float()
    optimiser = torch.optim.AdamW(network.parameters(), weight_decay=0.02)
    steps = epochs * (len(pixels) // _BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, _LEARNING_RATE, steps)
    network.train()
    for _ in range(epochs):
        order = torch.randperm(len(pixels), generator=generator)
        for rows in order[: len(order) // _BATCH * _BATCH].view(-1, _BATCH):
            answers = network(_augment(pixels[rows], generator))
            loss = torch.nn.functional.binary_cross_entropy_with_logits(answers, targets[rows])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
    return network.eval()


def _network(generator: torch.Generator) -> torch.nn.Sequential:
    layers: list[torch.nn.Module] = []
    before = 3
    for width in _WIDTHS:
        layers += [
            torch.nn.Conv2d(before, width, 3, stride=2, padding=1, bias=False),
            torch.nn.BatchNorm2d(width),
            torch.nn.ReLU(),
        ]
        before = width
    layers += [torch.nn.Conv2d(before, before, 3, padding=1), torch.nn.ReLU()]
    layers += [torch.nn.AvgPool2d(2), torch.nn.Flatten()]
    layers += [torch.nn.Linear(before * 16, len(ATTRIBUTES))]
    network = torch.nn.Sequential(*layers)
    for parameter in network.parameters():
        if parameter.ndim > 1:
            torch.nn.init.kaiming_normal_(parameter, generator=generator)
    for layer in network:
        # Torch draws these from its global generator otherwise, and no two judges were alike.
        if isinstance(layer, torch.nn.Conv2d | torch.nn.Linear) and layer.bias is not None:
            torch.nn.init.zeros_(layer.bias)
    return network


def _tensor(pixels: NDArray[np.uint8]) -> torch.Tensor:
    return torch.from_numpy(pixels.copy()).permute(0, 3, 1, 2).float() / 127.5 - 1.0


def _augment(pixels: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Shifted by a few pixels, a little brighter or darker, half of them mirrored."""
    down, right = torch.randint(-_SHIFT, _SHIFT + 1, (2,), generator=generator).tolist()
    padded = torch.nn.functional.pad(pixels, (_SHIFT,) * 4, mode="replicate")
    top, left, side = _SHIFT + down, _SHIFT + right, pixels.shape[-1]
    moved = padded[:, :, top : top + side, left : left + side].clone()
    mirrored = torch.rand(len(moved), generator=generator) < 0.5
    moved[mirrored] = moved[mirrored].flip(-1)
    light = 1 + _BRIGHTNESS * (2 * torch.rand(len(moved), 1, 1, 1, generator=generator) - 1)
    return moved * light
