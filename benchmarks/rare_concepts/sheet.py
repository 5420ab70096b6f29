"""One picture of what every method made of the same seeds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from benchmarks.rare_concepts.cast import Cast
from benchmarks.rare_concepts.studies import SEEDS
from latentdb.model import Pixels

_SHOWN = 5
_SIDE = 64
_GAP = 10
_LABEL = 190
_HEAD = 24
_FONT = 13


def save_sheet(path: Path, pictures: dict[str, list[Pixels]], cast: Cast) -> None:
    """Rows are methods, blocks of five columns concepts; the first draw's seeds on top.

    The first face of a method is that of its centroid, the others are of points on its paths.
    """
    names = [SEEDS, *(name for name in pictures if name != SEEDS)]
    block = _SHOWN * _SIDE + _GAP
    size = (_LABEL + len(cast.kinds) * block, _HEAD + len(names) * _SIDE)
    sheet = Image.new("RGB", size, "white")
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(_FONT)
    for column, kind in enumerate(cast.kinds):
        title = f"{' + '.join(kind.concept.attributes)} ({100 * kind.concept.frequency:.1f} %)"
        pen.text((_LABEL + column * block, 4), title, "black", font)
    for row, name in enumerate(names):
        top = _HEAD + row * _SIDE
        pen.text((4, top + _SIDE // 2 - _FONT // 2), name, "black", font)
        for column, faces in enumerate(pictures[name]):
            strip = Image.fromarray(np.concatenate(list(faces[:_SHOWN]), axis=1))
            sheet.paste(strip, (_LABEL + column * block, top))
    path.parent.mkdir(parents=True, exist_ok=True)
    sheet.save(path, optimize=True)
