"""Pictures to be uploaded."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw


def picture(number: int, kind: str = "PNG", **saved: Any) -> bytes:
    """A picture unlike those of other numbers."""
    image = Image.new("RGB", (40, 30), (number % 256, number // 256, 99))
    ImageDraw.Draw(image).ellipse((5, 5, 20 + number % 15, 25), fill="white")
    file = io.BytesIO()
    image.save(file, kind, **saved)
    return file.getvalue()


def files_below(folder: Path) -> list[str]:
    """Paths of all files, relative to the folder."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
