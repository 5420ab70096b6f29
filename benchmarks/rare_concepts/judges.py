"""Loaded models, and what they say of pictures."""

from __future__ import annotations

import sys
import time
from typing import TypeVar, final

import numpy as np
from numpy.typing import NDArray

from benchmarks.rare_concepts.classifier import AttributeClassifiers
from benchmarks.rare_concepts.concepts import Concept, independent_faces
from benchmarks.rare_concepts.memo import Memo
from benchmarks.rare_concepts.plan import SEED, Plan
from benchmarks.rare_concepts.scores import Made, Vectors, nearest_distance, unit
from latentdb.model import AbstractInverter, Pixels
from latentdb.spaces import load_model
from latentdb.torch_compat import torch
from latentdb.zoo.measures import load_backbone
from latentdb.zoo.training_data import FaceArrays

_BATCH = 64
_Item = TypeVar("_Item", np.uint8, np.float32)


@final
class Judges:
    """The generator, the judges of attributes, and the two encoders.

    Parameters
    ----------
    plan : Plan
        Sizes of the judges' training.
    memo : Memo
        Where inverted and decoded faces are kept.
    """

    def __init__(self, plan: Plan, memo: Memo) -> None:
        self.memo = memo
        generator = load_model("faces-noise", device="cpu")
        if not isinstance(generator, AbstractInverter):
            raise TypeError(f"faces-noise generates no pictures: it is a {type(generator)}")
        self.generator = generator
        self.backbone = load_backbone("cpu")
        self._ssl = load_model("faces-ssl", device="cpu")
        self._clip = load_model("faces-clip", device="cpu")
        say(f"train {plan.judges} judges on {plan.trained} faces")
        drawn = independent_faces(plan.trained, SEED)
        rebuilt = FaceArrays(self.rebuild(drawn.pixels), drawn.attributes)
        self.classifiers = AttributeClassifiers(
            rebuilt, n=plan.judges, epochs=plan.epochs, seed=SEED
        )

    def invert(self, pixels: Pixels) -> Vectors:
        """Noise (n, dim) of pictures."""
        return self.memo(
            "invert",
            pixels,
            lambda: np.concatenate(
                [self.generator.embed(rows).vectors for rows in _batches(pixels)]
            ),
        )

    def decode(self, noise: Vectors) -> Pixels:
        """Pictures of noise (n, dim), by the sampler that inverted the seeds."""
        return self.memo(
            "decode",
            noise,
            lambda: np.concatenate([self.generator.decode(rows) for rows in _batches(noise)]),
        )

    @torch.inference_mode()
    def rebuild(self, pixels: Pixels) -> Pixels:
        """Pictures through the autoencoder and back, as every generated one comes out of it."""
        parts = []
        for rows in _batches(pixels):
            rebuilt = self.backbone.decode(self.backbone.encode(rows))
            parts.append((rebuilt * 255).round().to(torch.uint8).permute(0, 2, 3, 1).numpy())
        return np.concatenate(parts)

    def ssl(self, pixels: Pixels) -> Vectors:
        """Unit vectors (n, 256) for distances between faces."""
        return unit(self._ssl.embed(pixels).vectors)

    def clip(self, pixels: Pixels) -> Vectors:
        """Unit vectors (n, 256) for the Fréchet distance."""
        return unit(self._clip.embed(pixels).vectors)

    def judge(
        self,
        pixels: Pixels,
        concept: Concept,
        *,
        noise: Vectors | None = None,
        seeds: Vectors | None = None,
    ) -> Made:
        """Everything the scores need of one cell.

        Parameters
        ----------
        pixels : (n, 64, 64, 3) uint8
        concept : Concept
            Whose attributes are asked for.
        noise : (n, dim), optional
            That the pictures were made from.
        seeds : (shots, 256), optional
            `ssl` of the seeds' reconstructions.
        """
        vectors = self.ssl(pixels)
        nothing: NDArray[np.float64] = np.full(len(pixels), np.nan)
        return Made(
            has=self.classifiers.predict(pixels)[..., concept.columns],
            ssl=vectors,
            clip=self.clip(pixels),
            to_seeds=nothing if seeds is None else nearest_distance(vectors, seeds),
            norms=nothing if noise is None else np.linalg.norm(noise.astype(np.float64), axis=1),
        )


_started = time.perf_counter()


def say(what: str) -> None:
    """Progress on standard error."""
    print(f"{time.perf_counter() - _started:6.0f} s  {what}", file=sys.stderr, flush=True)


def _batches(rows: NDArray[_Item]) -> list[NDArray[_Item]]:
    return [rows[start : start + _BATCH] for start in range(0, len(rows), _BATCH)]
