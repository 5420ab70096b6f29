"""One picture of what the bundled generators do: samples, reconstructions, round trips."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image

from latentdb.model import AbstractInverter, Pixels
from latentdb.spaces import load_model
from latentdb.torch_compat import torch
from latentdb.zoo.faces import EVALUATION_SEED
from latentdb.zoo.measures import NOISE_SPACES, held_out_faces, load_backbone

_COLUMNS: Final = 12
_SAMPLE_ROWS: Final = 4
_ENLARGED: Final = 2
_GAP: Final = 12


def save_samples(path: Path, *, device: str, seed: int = EVALUATION_SEED) -> None:
    """Write faces and their reconstructions, then samples and round trips of each noise space.

    Parameters
    ----------
    path : Path
        The picture, in a format that its suffix names.
    device : str
        As `latentdb.spaces.load_model` takes it.
    seed : int
        Of the samples' noise, which is that of all spaces.
    """
    drawn = held_out_faces(_COLUMNS).pixels
    backbone = load_backbone(device)
    with torch.inference_mode():
        rebuilt = backbone.decode(backbone.encode(drawn)).permute(0, 2, 3, 1).cpu().numpy()
    blocks = [_rows(drawn, (255 * rebuilt).round().astype(np.uint8))]
    for space in NOISE_SPACES.values():
        model = load_model(space, device=device)
        if not isinstance(model, AbstractInverter):
            raise TypeError(f"{space} generates no pictures: it is a {type(model).__name__}")
        noise = np.random.default_rng(seed).standard_normal(
            (_SAMPLE_ROWS * _COLUMNS, model.space.dim), dtype=np.float32
        )
        blocks.append(_rows(model.decode(noise), model.decode(model.embed(drawn).vectors)))
    sheet = _stack(blocks)
    size = (sheet.shape[1] * _ENLARGED, sheet.shape[0] * _ENLARGED)
    Image.fromarray(sheet).resize(size, Image.Resampling.BICUBIC).save(path)


def _rows(*groups: Pixels) -> Pixels:
    pictures = np.concatenate(groups)
    n, height, width, channels = pictures.shape
    grid = pictures.reshape(n // _COLUMNS, _COLUMNS, height, width, channels)
    laid = grid.transpose(0, 2, 1, 3, 4)
    return laid.reshape(n // _COLUMNS * height, _COLUMNS * width, channels)


def _stack(blocks: Sequence[Pixels]) -> Pixels:
    gap = np.full((_GAP, blocks[0].shape[1], 3), 255, np.uint8)
    parts = [part for block in blocks for part in (block, gap)]
    return np.concatenate(parts[:-1])
