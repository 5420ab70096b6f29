"""What the evaluation measures, on faces that the training never saw."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
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
        `latent` (x0), `leak_control`, `noise`, `clip`, `ssl`.
    autoencoder_psnr_db, round_trip_psnr_db : (n,) float32
        Of the reconstruction against the picture; of image → noise → image against the
        reconstruction.
    """

    vectors: Mapping[str, Vectors]
    autoencoder_psnr_db: NDArray[np.float32]
    round_trip_psnr_db: NDArray[np.float32]


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
    models = {
        "noise": load_model("faces-noise=bundled:faces-noise?psnr=true", device=device),
        "clip": load_model("faces-clip", device=device),
        "ssl": load_model("faces-ssl", device=device),
    }
    backbone = load_backbone(device)
    parts: dict[str, list[Vectors]] = {name: [] for name in ("latent", *models)}
    trips, rebuilt = [], []
    for done, batch in enumerate(batches, start=1):
        latents, quality = _reconstruct(backbone, batch)
        parts["latent"].append(latents)
        rebuilt.append(quality)
        for name, model in models.items():
            embedded = model.embed(batch)
            parts[name].append(embedded.vectors)
            if name == "noise":
                trips.append(embedded.quality["psnr"])
        report(done / len(batches))
    vectors = {name: np.concatenate(rows) for name, rows in parts.items()}
    vectors["leak_control"] = _leak_control(vectors["latent"], models["noise"])
    return Codes(vectors, np.concatenate(rebuilt), np.concatenate(trips))


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


def _leak_control(latents: Vectors, noise_model: AbstractSpaceModel) -> Vectors:
    alpha_bar = float(str(noise_model.space.settings["alpha_bar_last"]))
    return leak_control(latents, alpha_bar, rng=np.random.default_rng(EVALUATION_SEED))


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
