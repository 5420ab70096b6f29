"""A small database to export, and folders as others lay them out."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from latentdb.ingest.decode import pixel_id
from latentdb.space import Space
from latentdb.store import Store
from latentdb.types import ItemRow, SpaceRows

NOISE = Space("tiny-noise", "noise", 8, "tiny-noise", {"steps": 3}, quality=("psnr", "residual"))
CLIP = Space("tiny-clip", "embedding", 4, "tiny-clip", {"model": "x"}, dtype="float16")
NAMES = ["Smiling", "5_o_Clock_Shadow", "Hat"]


def picture(seed: int) -> Image.Image:
    pixels = np.random.default_rng(seed).integers(0, 256, (5, 6, 3), dtype=np.uint8)
    return Image.fromarray(pixels)


def png(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def fill(store: Store, n: int = 20) -> Store:
    """Items with every kind of label; each third lacks its CLIP vector, one has no picture."""
    rng = np.random.default_rng(5)
    rows = []
    for i in range(n):
        labels = {"hat": i % 2 == 0, "age": i - 3, "weight": i / 7, "note": f'a "{i}", é\n'}
        if i % 5 == 0:
            labels = {"hat": True}
        image = picture(i)
        rows.append(ItemRow(pixel_id(image), f"photos/{i}.png", 6, 5, png(image), labels))
    rows[1] = ItemRow(77, "elsewhere#1", 0, 0, b"", {"hat": False})
    ids = np.array([row.id for row in rows], dtype=np.int64)
    quality = {"psnr": np.full(n, np.nan, np.float32), "residual": rng.random(n, np.float32)}
    some = np.arange(n) % 3 != 0
    store.add_space(NOISE)
    store.add_space(CLIP)
    store.write_batch(
        items=rows,
        sources=[],
        vectors={
            NOISE.name: SpaceRows(ids, rng.standard_normal((n, 8), np.float32), quality),
            CLIP.name: SpaceRows(ids[some], rng.standard_normal((some.sum(), 4), np.float32)),
        },
        quarantine=[],
    )
    return store


def noises(n: int, dim: int = 6, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((n, dim)).astype(np.float16)


def write_celeba(path: Path, signs: np.ndarray, files: Sequence[str] | None = None) -> None:
    """A list of attributes as CelebA's: how many, the names, a file name and signs a row."""
    files = files or [f"{i + 1:06d}.jpg" for i in range(len(signs))]
    rows = [
        f"{file} " + " ".join(f"{value:2d}" for value in row)
        for file, row in zip(files, signs, strict=True)
    ]
    path.write_text("\n".join([str(len(signs)), " ".join(NAMES) + " ", *rows]) + "\n")


def signs(n: int, seed: int = 2) -> np.ndarray:
    drawn = np.random.default_rng(seed).integers(0, 2, (n, len(NAMES))) * 2 - 1
    drawn[0] = -1
    return drawn


def noisezoo(folder: Path, n: int = 9) -> Path:
    """A folder as NoiseZoo has them: two kinds of noise, an encoder, CelebA's attributes."""
    folder.mkdir()
    np.save(folder / "noises_sd15.npy", noises(n))
    np.save(folder / "noises_SD2.1.npy", noises(n, seed=3))
    np.save(folder / "clip_b16.npy", noises(n, 4, seed=4).astype(np.float32))
    write_celeba(folder / "list_attr_celeba.txt", signs(n))
    return folder


class Interrupting:
    """Interrupts the run that it is told of, at its `at`-th step."""

    def __init__(self, at: int) -> None:
        self._left = at

    def total(self, files: int | None) -> None:
        """Nothing to be told."""

    def advance(self, **_: int) -> None:
        """One step."""
        self._left -= 1
        if not self._left:
            raise KeyboardInterrupt

    def message(self, text: str) -> None:
        """Nothing to be told."""
