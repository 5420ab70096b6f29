"""The four twins of drawn faces: samples from the same noise, and errors at the same states.

Fréchet distances are between Gaussians fitted to unit embeddings of the bundled encoders: of
samples, and of held-out faces that went through the autoencoder. They compare with nothing outside
this project.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from pathlib import Path as File
from typing import Any, Final, final

import numpy as np
from scipy.spatial import KDTree

from benchmarks.blind_measures import frechet_distance
from benchmarks.blind_paths import Path, PathName, Predict, make_path, sample
from indexers.types import Float32Array
from latentdb.affine import Level
from latentdb.inverters.backbones.backbone import DiffusersBackbone
from latentdb.model import Pixels
from latentdb.spaces import load_model
from latentdb.torch_compat import torch
from latentdb.zoo.measures import held_out_faces, load_backbone
from latentdb.zoo.train_twins import RECIPES, twin_folder
from latentdb.zoo.training import WEIGHTS

JUDGES: Final = ("faces-ssl", "faces-clip")
SHAPE: Final = (4, 16, 16)
SEED: Final = 0
_BATCH: Final = 64
_WEIGHTS: Final = "diffusion_pytorch_model.safetensors"
_QUANTILES: Final = (0.05, 0.5, 0.95)
_LOST_AT: Final = 2.0
"""A code longer than this multiple of the longest held-out one is lost."""


@final
@dataclass(frozen=True)
class FacesPlan:
    """Sizes: steps with the runs of each, and held-out faces that samples are compared with."""

    runs: Mapping[int, int]
    reference: int = 640
    drift_states: int = 64
    fitted: int = 1500


FULL: Final = FacesPlan(dict.fromkeys((10, 20, 50, 100, 250), 256))
QUICK: Final = FacesPlan({50: 4}, reference=32, drift_states=4, fitted=40)


@final
@dataclass(frozen=True, eq=False)
class Twin:
    """One of the four networks."""

    name: str
    predict: Predict
    digest: str

    @property
    def path(self) -> Path:
        """The schedule that it was trained on."""
        return make_path(path_of(self.name))


def path_of(name: str) -> PathName:
    """Flow models are straight, the others DDPM's."""
    return "flow" if RECIPES[name].prediction == "velocity" else "ddpm"


def load_twin(name: str) -> Twin:
    """A twin, whose network is told 0 where it is blind."""
    import diffusers

    folder = twin_folder(name, WEIGHTS) / "unet"
    unet = diffusers.UNet2DModel.from_pretrained(folder, torch_dtype=torch.float32).eval()
    is_told = RECIPES[name].is_conditioned

    @torch.inference_mode()
    def predict(states: torch.Tensor, level: Level) -> torch.Tensor:
        told = level.timestep if is_told else 0.0
        outputs = [unet(some, torch.tensor(told)).sample for some in states.split(_BATCH)]
        return torch.cat(outputs)

    digest = hashlib.sha256((folder / _WEIGHTS).read_bytes()).hexdigest()[:12]
    return Twin(name, predict, digest)


def sampled(twin: Twin, steps: int, runs: int, cache: File) -> tuple[Float32Array, list[Any]]:
    """Codes (runs, 4, 16, 16) that a twin makes, and the root mean squares along the way."""
    file = cache / f"faces-{twin.name}-{twin.digest}-{steps}-{runs}.npz"
    if not file.exists():
        start = torch.randn((runs, *SHAPE), generator=torch.Generator().manual_seed(SEED))
        scales: list[tuple[float, float]] = []

        def watch(states: torch.Tensor, level: Level) -> None:
            scales.append((level.flow_time, float(states.square().mean().sqrt())))

        grid = twin.path.grid(RECIPES[twin.name].prediction, steps)
        codes = sample(grid, twin.predict, start, watch).numpy()
        cache.mkdir(parents=True, exist_ok=True)
        np.savez(file, codes=codes, scales=np.array(scales))
    with np.load(file) as kept:
        return kept["codes"], kept["scales"].tolist()


@final
class Faces:
    """Held-out faces as their codes, and what the encoders see in them."""

    def __init__(self, plan: FacesPlan) -> None:
        self.backbone: DiffusersBackbone = load_backbone("cpu")
        self._encoders = {name: load_model(name, device="cpu") for name in JUDGES}
        longest = max(plan.runs.values())
        drawn = held_out_faces(plan.reference + longest).pixels
        self.codes = self.encode(drawn)
        pixels = self.decode(self.codes)
        self.reference = self.embed(pixels[: plan.reference])
        self.floor = self.embed(pixels[plan.reference :])
        lengths = np.linalg.norm(self.codes.reshape(len(drawn), -1), axis=1)
        self.longest, self.dim = float(lengths.max()), int(np.prod(SHAPE))
        self.code_scales = (np.quantile(lengths, _QUANTILES) / np.sqrt(self.dim)).tolist()

    def encode(self, pixels: Pixels) -> Float32Array:
        """Scaled codes (n, 4, 16, 16) of pictures."""
        parts = [pixels[i : i + _BATCH] for i in range(0, len(pixels), _BATCH)]
        with torch.inference_mode():
            return np.concatenate([self.backbone.encode(part).numpy() for part in parts])

    def decode(self, codes: Float32Array) -> Pixels:
        """Pictures (n, 64, 64, 3) of codes."""
        with torch.inference_mode():
            parts = [self.backbone.decode(one) for one in torch.tensor(codes).split(_BATCH)]
        pixels = torch.cat(parts).permute(0, 2, 3, 1).numpy()
        return (255 * pixels).round().astype(np.uint8)

    def embed(self, pixels: Pixels) -> dict[str, Float32Array]:
        """Unit vectors by both encoders."""
        parts = [pixels[i : i + _BATCH] for i in range(0, len(pixels), _BATCH)]
        found = {}
        for name, encoder in self._encoders.items():
            vectors = np.concatenate([encoder.embed(part).vectors for part in parts])
            found[name] = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        return found

    def judged(self, codes: Float32Array) -> dict[str, float]:
        """Distances of samples to held-out faces, and the share that is lost."""
        lengths = np.linalg.norm(codes.reshape(len(codes), -1).astype(np.float64), axis=1)
        is_kept = lengths <= _LOST_AT * self.longest
        seen = self.embed(self.decode(np.clip(codes, -1e3, 1e3)))
        return {
            "lost": float(1 - is_kept.mean()),
            "code_scales": (np.quantile(lengths, _QUANTILES) / np.sqrt(self.dim)).tolist(),
            **self.compared(seen),
        }

    def compared(self, seen: Mapping[str, Float32Array]) -> dict[str, float]:
        """Fréchet distances by encoder, and the share as near to a held-out face as they are."""
        found: dict[str, float] = {}
        for name, vectors in seen.items():
            mine, theirs = vectors.astype(np.float64), self.reference[name].astype(np.float64)
            found[f"frechet_{name}"] = frechet_distance(mine, theirs)
        tree = KDTree(self.reference["faces-ssl"])
        most = np.quantile(tree.query(self.floor["faces-ssl"])[0], 0.99)
        found["plausible"] = float((tree.query(seen["faces-ssl"])[0] <= most).mean())
        return found


def qualities(faces: Faces, plan: FacesPlan, cache: File) -> Iterator[dict[str, Any]]:
    """Quality of every twin's samples at every number of steps, after the floor at each size."""
    for runs in sorted(set(plan.runs.values())):
        held_out = {name: vectors[:runs] for name, vectors in faces.floor.items()}
        yield {"name": "held out", "runs": runs, **faces.compared(held_out)}
    twins = [load_twin(name) for name in RECIPES]
    for twin, (steps, runs) in product(twins, plan.runs.items()):
        codes, scales = sampled(twin, steps, runs, cache)
        yield {
            "name": twin.name,
            "steps": steps,
            "runs": runs,
            **faces.judged(codes),
            "scales": scales,
        }
