"""What is said of edited faces: the judges' answers, identity, and intervals over items."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from benchmarks.rare_concepts.judges import Judges
from latentdb.arrays import BoolArray, FloatArray
from latentdb.bundled import BUNDLED
from latentdb.held_out import Estimate
from latentdb.model import Pixels, Vectors
from latentdb.torch_compat import torch

# isort: split
import timm

RESAMPLES = 2_000
_BATCH = 64


@final
@dataclass(frozen=True, eq=False)
class Seen:
    """Pictures as the judges see them.

    Parameters
    ----------
    pixels : (n, 64, 64, 3) uint8
    has : (n_judges, n, 12) bool
    ssl : (n, 256)
        Unit vectors.
    """

    pixels: Pixels
    has: BoolArray
    ssl: Vectors

    @classmethod
    def by(cls, judges: Judges, pixels: Pixels) -> Seen:
        """Ask every judge about every picture."""
        return cls(pixels, judges.classifiers.predict(pixels), judges.ssl(pixels))

    def change_from(self, before: Seen) -> FloatArray:
        """Share of judges (n, 12) that say it is there now, less the share that said so before."""
        change: FloatArray = self.has.mean(axis=0) - before.has.mean(axis=0)
        return change


@final
class PerceptualDistance:
    """Distance of feature maps, as LPIPS has it without learned weights.

    At every place of every stage the features are made a unit vector; their squared differences
    are averaged over places and summed over the stages of the self-supervised tower.

    References
    ----------
    Zhang et al., "The unreasonable effectiveness of deep features as a perceptual metric", 2018,
    arXiv 1801.03924.
    """

    def __init__(self) -> None:
        folder = BUNDLED["faces-ssl"].path
        self._tower = timm.create_model(f"local-dir:{folder}", pretrained=True, features_only=True)
        self._tower.eval()

    @torch.inference_mode()
    def __call__(self, first: Pixels, second: Pixels) -> FloatArray:
        """Distance (n,) of each of `first` (n, 64, 64, 3) from that of `second`."""
        parts = []
        for start in range(0, len(first), _BATCH):
            rows = slice(start, start + _BATCH)
            pairs = zip(self._maps(first[rows]), self._maps(second[rows]), strict=True)
            stages = [(a - b).square().sum(dim=1).mean(dim=(1, 2)) for a, b in pairs]
            parts.append(torch.stack(stages).sum(dim=0).double().numpy())
        return np.concatenate(parts)

    def _maps(self, pixels: Pixels) -> list[torch.Tensor]:
        inputs = torch.from_numpy(pixels.copy()).permute(0, 3, 1, 2).float() / 127.5 - 1.0
        return [torch.nn.functional.normalize(stage, dim=1) for stage in self._tower(inputs)]


@final
class Resampled:
    """Means over groups of items of equal weight, with intervals from resampling the items.

    The same items are drawn for everything, so that what is compared is compared on them.

    Parameters
    ----------
    groups : int
        Such as attributes; they are not resampled.
    items : int
        In each group.
    """

    def __init__(self, groups: int, items: int, *, seed: int) -> None:
        self._shape = (groups, items)
        rng = np.random.default_rng(seed)
        drawn = rng.integers(items, size=(RESAMPLES, groups, items))
        self._rows = drawn + items * np.arange(groups)[:, None]

    def means(self, values: FloatArray) -> NDArray[np.float64]:
        """Mean of values (n,) in the sample itself, then in each resample; (1 + RESAMPLES,)."""
        drawn = values[self._rows].mean(axis=(1, 2))
        return np.concatenate([[values.mean()], drawn])

    def mean(self, values: FloatArray) -> dict[str, float]:
        """Of values (n,), group after group."""
        return _interval(self.means(values))

    def ratio(self, above: FloatArray, below: FloatArray) -> dict[str, float]:
        """Of two means."""
        return _interval(self.means(above) / self.means(below))

    def cut(self, after: FloatArray, before: FloatArray) -> dict[str, float]:
        """Share of a mean's size that is gone: 1 − |after| / |before|."""
        return _interval(1.0 - np.abs(self.means(after)) / np.abs(self.means(before)))


def figure(found: Mapping[str, Any], *, signed: bool = False) -> str:
    """Value and interval for a table."""
    form = "+.2f" if signed else ".2f"
    low, high = format(found["low"], form), format(found["high"], form)
    return f"{format(found['value'], form)} [{low}, {high}]"


def _interval(values: NDArray[np.float64]) -> dict[str, float]:
    found = Estimate.of(float(values[0]), values[1:])
    return {key: round(value, 4) for key, value in found.to_json().items()}
