"""Noise vectors as what they are: codes of channels, rows and columns."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import final

from latentdb.errors import ModelError, NotEnoughDataError, SpaceError
from latentdb.report.sample import Sample

Shape = tuple[int, int, int]


@final
@dataclass(frozen=True)
class CodeShapes:
    """Shapes of the codes of noise spaces.

    Parameters
    ----------
    shapes : dict of str to (channels, height, width)
    notes : tuple of str
        Which are assumed, and which spaces are left out.
    """

    shapes: dict[str, Shape]
    notes: tuple[str, ...]


def code_shapes(sample: Sample) -> CodeShapes:
    """Shapes for every noise space of enough items.

    A space whose model cannot be loaded here, such as an imported one, is taken for four square
    channels, those of Stable Diffusion, where its dimension fits.

    Raises
    ------
    NotEnoughDataError
        There is no such space.
    """
    shapes, notes = {}, sample.left_out(kind="noise")
    for name in sample.having(kind="noise"):
        dim = sample.spaces[name].dim
        shape = _of_model(sample, name)
        side = math.isqrt(dim // 4)
        if shape is None and 4 * side * side == dim:
            shape = (4, side, side)
            notes.append(f"{name} is taken for codes of {shape}: its model cannot be loaded here.")
        if shape is None:
            notes.append(f"{name} is left out: the shape of its codes is not known.")
        else:
            shapes[name] = shape
    if not shapes:
        raise NotEnoughDataError(" ".join(notes))
    return CodeShapes(shapes, tuple(notes))


def _of_model(sample: Sample, name: str) -> Shape | None:
    """Shape that the model says its codes have; None without a model."""
    if not sample.spaces[name].has_model:
        return None
    try:
        model = sample.catalog.models.get(name)
    except (ModelError, SpaceError):
        return None
    from latentdb.inverters.base import AbstractTrajectoryInverter

    return model.latent_shape if isinstance(model, AbstractTrajectoryInverter) else None
