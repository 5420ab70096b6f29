"""Pictures and bytes that the tests of ingest share."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

Draw = Callable[..., Image.Image]
Encode = Callable[..., bytes]


def draw_picture(seed: int = 0, width: int = 40, height: int = 30) -> Image.Image:
    """A smooth picture of four colours, another for each seed; JPEG keeps it well."""
    corners = np.random.default_rng(seed).integers(0, 256, (2, 2, 3), dtype=np.uint8)
    return Image.fromarray(corners).resize((width, height), Image.Resampling.BICUBIC)


def encode_picture(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    """Bytes of a file of that kind."""
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def png_that_promises(width: int, height: int) -> bytes:
    """A valid header that promises that many pixels, and next to no data."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = chunk(b"IDAT", zlib.compress(b"\0" * 64))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + body + chunk(b"IEND", b"")


@pytest.fixture(name="draw")
def _draw() -> Draw:
    return draw_picture


@pytest.fixture(name="encode")
def _encode() -> Encode:
    return encode_picture


@pytest.fixture(name="header_only")
def _header_only() -> Callable[[int, int], bytes]:
    return png_that_promises


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """A folder of six pictures on two levels, with companions and other files."""
    root = tmp_path / "photos"
    (root / "inner").mkdir(parents=True)
    (root / ".cache").mkdir()
    for seed, name in enumerate(
        ["b.png", "a.PNG", "inner/c.png", "inner/d.webp", "e.jpg", "f.gif"]
    ):
        draw_picture(seed).save(root / name)
    draw_picture(9).save(root / ".cache" / "hidden.png")
    (root / "labels.csv").write_text("path,smile\na.PNG,1\n")
    (root / "b.txt").write_text("a caption")
    (root / "film.mp4").write_bytes(b"no picture")
    return root
