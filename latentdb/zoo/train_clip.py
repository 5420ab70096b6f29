"""Training of the bundled CLIP: small towers of open_clip, on faces and their captions."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any, Final, final

from latentdb.torch_compat import torch  # before what imports torchvision

# isort: split
import numpy as np
import open_clip
from numpy.typing import NDArray
from safetensors.torch import save_file
from torch.nn import functional

from latentdb.zoo.faces import ATTRIBUTES
from latentdb.zoo.faces_captions import caption, choose_part, describe
from latentdb.zoo.train_autoencoder import to_signed
from latentdb.zoo.training import Optimisation, Settings, Trainer
from latentdb.zoo.training_data import face_arrays

_BATCH: Final = 128
_MERGES: Final = 2_000
_BPE_FILE: Final = "bpe_simple_vocab_2k.txt.gz"
_CONTEXT: Final = 48
_OPTIMISATION: Final = Optimisation(learning_rate=2e-3, weight_decay=0.02)
_MAX_LOG_SCALE: Final = 4.6
# 256 bytes alone and at a word's end, the merges, and the marks of start and end.
_VOCABULARY: Final = 512 + _MERGES + 2

MODEL_CONFIG: Final[dict[str, Any]] = {
    "embed_dim": 256,
    "vision_cfg": {"image_size": 64, "layers": [1, 1, 2, 1], "width": 24},
    "text_cfg": {
        "context_length": _CONTEXT,
        "vocab_size": _VOCABULARY,
        "width": 128,
        "heads": 4,
        "layers": 3,
        "tokenizer_kwargs": {"bpe_path": _BPE_FILE},
    },
}
_PREPROCESS: Final = {
    "mean": [0.5, 0.5, 0.5],
    "std": [0.5, 0.5, 0.5],
    "interpolation": "bicubic",
    "resize_mode": "shortest",
}


def write_merges(folder: Path) -> Path:
    """Write the first 2,000 merges of CLIP's own byte-pair vocabulary into `folder`.

    Parameters
    ----------
    folder : Path
        Made where it is missing.

    Returns
    -------
    Path
        A file that `open_clip.SimpleTokenizer` reads.
    """
    whole = Path(open_clip.tokenizer.default_bpe())
    lines = gzip.decompress(whole.read_bytes()).decode("utf-8").split("\n")[: 1 + _MERGES]
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / _BPE_FILE
    file.write_bytes(gzip.compress("\n".join(lines).encode("utf-8"), mtime=0))
    return file


def build_clip() -> Any:
    """The architecture of `MODEL_CONFIG` with random weights.

    Returns
    -------
    open_clip.CLIP
    """
    return open_clip.CLIP(**MODEL_CONFIG)


@final
class _Captioner:
    """Captions of faces, whole and in part, and which faces each of them is true of."""

    def __init__(self, attributes: NDArray[np.bool_], tokenizer: open_clip.SimpleTokenizer) -> None:
        self._attributes = attributes
        self._tokenizer = tokenizer

    def batch(
        self, rows: NDArray[np.int64], rng: np.random.Generator
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Tokens (n, context) of one caption per row, half of them partial, and truth (n, n)."""
        texts, mentioned = [], []
        for row in rows:
            named = dict(zip(ATTRIBUTES, self._attributes[row].tolist(), strict=True))
            is_whole = rng.random() < 0.5
            part = named if is_whole else choose_part(named, rng)
            texts.append(caption(named) if is_whole else describe(part, rng))
            mentioned.append([name in part for name in ATTRIBUTES])
        held = self._attributes[rows]
        differs = held[:, None, :] != held[None, :, :]
        is_true = ~(differs & np.array(mentioned)[:, None, :]).any(axis=2)
        return self._tokenizer(texts), torch.from_numpy(is_true)


def contrastive_loss(logits: torch.Tensor, is_true: torch.Tensor) -> torch.Tensor:
    """InfoNCE in which every pair that is true counts as a positive one, in both directions.

    Parameters
    ----------
    logits : (n_texts, n_images)
        Scaled cosines.
    is_true : (n_texts, n_images) bool
        Whether the text describes the image; at least one per row and per column.

    Returns
    -------
    Tensor
        Scalar, at least the entropy of the targets.
    """
    truth = is_true.float()
    to_images = functional.cross_entropy(logits, truth / truth.sum(1, keepdim=True))
    to_texts = functional.cross_entropy(logits.T, (truth / truth.sum(0, keepdim=True)).T)
    return (to_images + to_texts) / 2


def train_clip(settings: Settings) -> None:
    """Train and write `faces-clip`.

    Parameters
    ----------
    settings : Settings
    """
    torch.manual_seed(settings.seed)
    faces = face_arrays(settings.n_faces, cache=settings.cache)
    folder = settings.out / "faces-clip"
    tokenizer = open_clip.SimpleTokenizer(
        bpe_path=str(write_merges(folder)), context_length=_CONTEXT
    )
    captioner = _Captioner(faces.attributes, tokenizer)
    model = build_clip()
    trainer = Trainer("clip", model, settings=settings, optimisation=_OPTIMISATION)

    def loss_of(generator: torch.Generator) -> torch.Tensor:
        rng = np.random.default_rng(generator.initial_seed())
        rows = rng.integers(len(faces.pixels), size=_BATCH)
        tokens, is_true = captioner.batch(rows, rng)
        with torch.autocast(torch.device(settings.device).type, torch.bfloat16):
            images = model.encode_image(to_signed(faces.pixels[rows], settings.device))
            texts = model.encode_text(tokens.to(settings.device))
        cosines = (
            functional.normalize(texts.float(), dim=1)
            @ functional.normalize(images.float(), dim=1).T
        )
        scale = model.logit_scale.clamp(max=_MAX_LOG_SCALE).exp()
        return contrastive_loss(scale * cosines, is_true.to(settings.device))

    def export(average: torch.nn.Module) -> None:
        weights = {
            name: (value.half() if value.is_floating_point() else value).contiguous()
            for name, value in average.state_dict().items()
        }
        save_file(weights, folder / "open_clip_model.safetensors", metadata={"format": "pt"})
        config = {"model_cfg": MODEL_CONFIG, "preprocess_cfg": _PREPROCESS}
        (folder / "open_clip_config.json").write_text(
            json.dumps(config, indent=2) + "\n", encoding="utf-8"
        )

    trainer.run(loss_of, export)
