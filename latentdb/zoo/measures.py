"""What the evaluation measures, on faces that the training never saw."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, final

import numpy as np
from numpy.typing import NDArray

from latentdb.bundled import BUNDLED
from latentdb.directions.probe import probe_many
from latentdb.inverters.backbones.backbone import DiffusersBackbone
from latentdb.inverters.options import DiffusersOptions
from latentdb.inverters.quality import psnr
from latentdb.leak import leak_control
from latentdb.model import AbstractSpaceModel, AbstractTextEncoder, Pixels, Vectors
from latentdb.spaces import load_model
from latentdb.torch_compat import torch
from latentdb.zoo.faces import ATTRIBUTES, EVALUATION_SEED, caption
from latentdb.zoo.training_data import FaceArrays, face_arrays

NOISE_SPACES: Final[Mapping[str, str]] = MappingProxyType(
    {"": "faces-noise", "blind_": "faces-blind"}
)
"""The bundled spaces of noise, by the prefix of their measures."""
RETRIEVAL_POOL: Final = 1_000
_BATCH: Final = 50
_PROBE_COMPONENTS: Final = {"clip": 310, "ssl": 310}
_LATENT_COMPONENTS: Final = 500

Report = Callable[[float], None]


@final
@dataclass(frozen=True, slots=True)
class Codes:
    """The faces in every coordinate system that is compared.

    Parameters
    ----------
    vectors : mapping of str to (n, dim) float32
        `latent` (x0), `clip`, `ssl`, and `leak_control` and `noise` with each prefix of
        `NOISE_SPACES`.
    psnr_db : mapping of str to (n,) float32
        `autoencoder`, of the reconstruction against the picture, and `round_trip` with each
        prefix, of image → noise → image against the reconstruction.
    """

    vectors: Mapping[str, Vectors]
    psnr_db: Mapping[str, NDArray[np.float32]]


def held_out_faces(n: int) -> FaceArrays:
    """The first `n` faces of `EVALUATION_SEED`."""
    return face_arrays(n, seed=EVALUATION_SEED, workers=1)


def compute_codes(pixels: Pixels, *, device: str, report: Report) -> Codes:
    """Run every bundled model over some faces.

    Parameters
    ----------
    pixels : (n, 64, 64, 3) uint8
        Not modified.
    device : str
        As `latentdb.spaces.load_model` takes it.
    report : callable
        Told the fraction that is done, in (0, 1].

    Returns
    -------
    Codes
    """
    batches = [pixels[start : start + _BATCH] for start in range(0, len(pixels), _BATCH)]
    inverters = {
        prefix: load_model(f"{space}=bundled:{space}?psnr=true", device=device)
        for prefix, space in NOISE_SPACES.items()
    }
    encoders = {kind: load_model(f"faces-{kind}", device=device) for kind in ("clip", "ssl")}
    backbone = load_backbone(device)
    vectors: defaultdict[str, list[Vectors]] = defaultdict(list)
    psnr_db: defaultdict[str, list[NDArray[np.float32]]] = defaultdict(list)
    for done, batch in enumerate(batches, start=1):
        latents, quality = _reconstruct(backbone, batch)
        vectors["latent"].append(latents)
        psnr_db["autoencoder"].append(quality)
        for prefix, inverter in inverters.items():
            embedded = inverter.embed(batch)
            vectors[f"{prefix}leak_control"].append(_leak_control(latents, inverter, done))
            vectors[f"{prefix}noise"].append(embedded.vectors)
            psnr_db[f"{prefix}round_trip"].append(embedded.quality["psnr"])
        for kind, encoder in encoders.items():
            vectors[kind].append(encoder.embed(batch).vectors)
        report(done / len(batches))
    return Codes(_joined(vectors), _joined(psnr_db))


def _joined(parts: Mapping[str, list[Vectors]]) -> dict[str, Vectors]:
    return {name: np.concatenate(rows) for name, rows in parts.items()}


def load_backbone(device: str) -> DiffusersBackbone:
    """The bundled autoencoder and network, without an inverter around them."""
    return DiffusersBackbone(str(BUNDLED["faces-noise"].path), DiffusersOptions(), device=device)


@torch.inference_mode()
def _reconstruct(
    backbone: DiffusersBackbone, pixels: Pixels
) -> tuple[Vectors, NDArray[np.float32]]:
    latents = backbone.encode(pixels)
    drawn = torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 255
    quality = psnr(backbone.decode(latents).cpu(), drawn)
    return latents.flatten(1).cpu().numpy(), quality.numpy()


def _leak_control(latents: Vectors, inverter: AbstractSpaceModel, batch: int) -> Vectors:
    alpha_bar = float(str(inverter.space.settings["alpha_bar_last"]))
    return leak_control(latents, alpha_bar, rng=np.random.default_rng((EVALUATION_SEED, batch)))


def probe_aucs(codes: Codes, attributes: NDArray[np.bool_]) -> dict[str, dict[str, float]]:
    """Held-out AUC of a linear probe, per kind of vector and attribute.

    PCA, standardised, then logistic regression (PAPERS: "The Universal Normal Embedding", 2026,
    arXiv 2603.21786), split by item.
    """
    labels = {name: attributes[:, column] for column, name in enumerate(ATTRIBUTES)}
    found = {}
    for kind, vectors in codes.vectors.items():
        n_components = _PROBE_COMPONENTS.get(kind, _LATENT_COMPONENTS)
        scores = probe_many(vectors, labels, n_components=n_components, seed=EVALUATION_SEED)
        found[kind] = {name: float(score.auc.value) for name, score in scores.items()}
    return found


def retrieval_recall(
    images: Vectors, attributes: NDArray[np.bool_], *, device: str, k: int = 10
) -> float:
    """Share of captions whose own image, or one of the same caption, is among the `k` nearest.

    Parameters
    ----------
    images : (n, dim) float32
        CLIP embeddings, of which the first `RETRIEVAL_POOL` take part.
    attributes : (n, 12) bool
    device : str
    k : int

    Returns
    -------
    float
        In [0, 1].

    Raises
    ------
    ValueError
        There are fewer images than the pool needs.
    """
    if len(images) < RETRIEVAL_POOL:
        raise ValueError(
            f"retrieval is measured among {RETRIEVAL_POOL} images, got {len(images)}; "
            f"evaluate at least {RETRIEVAL_POOL} faces"
        )
    captions = [
        caption(dict(zip(ATTRIBUTES, row.tolist(), strict=True)))
        for row in attributes[:RETRIEVAL_POOL]
    ]
    encoder = load_model("faces-clip", device=device)
    if not isinstance(encoder, AbstractTextEncoder):
        raise TypeError(f"faces-clip takes no text: it is a {type(encoder).__name__}")
    texts = np.concatenate(
        [encoder.encode_text(captions[i : i + _BATCH]) for i in range(0, len(captions), _BATCH)]
    )
    return recall_of_captions(texts, images[:RETRIEVAL_POOL], captions, k=k)


def recall_of_captions(
    texts: Vectors, images: Vectors, captions: Sequence[str], *, k: int
) -> float:
    """Share of texts with an image of an equal caption among their `k` nearest by cosine.

    Parameters
    ----------
    texts, images : (n, dim)
        Row i of both belongs to caption i. Not modified.
    captions : sequence of str
    k : int

    Returns
    -------
    float
        In [0, 1].
    """
    unit_texts = texts / np.linalg.norm(texts, axis=1, keepdims=True)
    unit_images = images / np.linalg.norm(images, axis=1, keepdims=True)
    nearest = np.argsort(-(unit_texts @ unit_images.T), axis=1)[:, :k]
    _, groups = np.unique(captions, return_inverse=True)
    return float((groups[nearest] == groups[:, None]).any(axis=1).mean())
