"""Pictures beside what each inverter makes of them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
from PIL import Image, ImageDraw

from benchmarks.inversion_measures import Bench
from latentdb.model import Pixels
from latentdb.torch_compat import torch

_COLUMNS: Final = 10
_LABEL: Final = 110
_ENLARGED: Final = 2


def save_sheet(path: Path | None, bench: Bench, ways: Mapping[str, Mapping[str, Any]]) -> None:
    """Rows: pictures, the autoencoder's reconstructions, round trips; kept nowhere for None."""
    faces = bench.pixels[:_COLUMNS]
    rebuilt = bench.rebuilt[:_COLUMNS].permute(0, 2, 3, 1)
    rows = {"picture": faces, "autoencoder": _rounded(rebuilt)}
    for name, options in ways.items():
        inverter = bench.inverter(options)
        vectors = bench.vectors(inverter, len(bench.rebuilt))[:, :-1]
        codes = bench.back(inverter, vectors)[:_COLUMNS, :-1]
        rows[name] = _rounded(bench.pictures(codes).permute(0, 2, 3, 1))
    side = faces.shape[1] * _ENLARGED
    sheet = Image.new("RGB", (_LABEL + len(faces) * side, len(rows) * side), "white")
    for row, (name, pictures) in enumerate(rows.items()):
        ImageDraw.Draw(sheet).text((6, row * side + side // 2 - 6), name, fill="black")
        for column, picture in enumerate(pictures):
            shown = Image.fromarray(picture).resize((side, side), Image.Resampling.BICUBIC)
            sheet.paste(shown, (_LABEL + column * side, row * side))
    if path is not None:
        sheet.save(path)


def _rounded(pictures: torch.Tensor) -> Pixels:
    return np.asarray((pictures * 255.0).round().to(torch.uint8).numpy())
