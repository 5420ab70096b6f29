"""A picture changed along directions: moved in noise space, its norm restored, decoded."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypedDict, Unpack, final

import numpy as np
from PIL import Image

from indexers.errors import ParameterError
from indexers.types import FloatArray
from latentdb.catalog import Catalog
from latentdb.edit.step import NormRule, Pair, StepFacts, make_step
from latentdb.errors import QueryError
from latentdb.model import Vectors
from latentdb.paths.common import chi_z, decode_pictures, norms_of
from latentdb.query import read_picture
from latentdb.space import Space


class EditOptions(TypedDict, total=False):
    """Keyword arguments of `LatentDB.edit`; see `edit`."""

    image: Image.Image | Path | str | None
    space: str | None
    strengths: Sequence[float]
    pair: Pair | None
    keep: Sequence[str]
    norm: NormRule
    on_decoded: Callable[[int], None] | None


@final
@dataclass(frozen=True, eq=False)
class Projection:
    """Where pictures lie along one direction of their space, in its standard deviations.

    Parameters
    ----------
    before : float
        Of the noise that was edited; positive has the attribute.
    after : (n,) float64
        Of each picture made.
    """

    before: float
    after: FloatArray


@final
@dataclass(frozen=True, eq=False)
class Edited:
    """Pictures made of one by a step, and how they came about.

    Attributes
    ----------
    step : StepFacts
        What was added, as it was asked for.
    times : (n,) float64
        How many times it was added for each picture.
    item_id : int or None
        The stored item; None of a picture from elsewhere.
    start : (dim,) float32
        Its noise.
    vectors : (n, dim) float32
        Noise of the pictures.
    norms, norm_z : (1 + n,) float64
        Of `start` and of each of `vectors`; `norm_z` counts standard deviations from the norm of
        white noise.
    projections : mapping of str to Projection
        Along every direction of the space, those that were not asked for, too.
    original, round_trip : Image
        The picture as the model sees it, and what its noise regenerates. What differs between
        the two is inversion's, not the edit's.
    round_trip_psnr : float
        Of one against the other, in dB.
    pictures : tuple of Image
        RGB.
    """

    step: StepFacts
    times: FloatArray
    item_id: int | None
    start: Vectors
    vectors: Vectors
    norms: FloatArray
    norm_z: FloatArray
    projections: Mapping[str, Projection]
    original: Image.Image
    round_trip: Image.Image
    round_trip_psnr: float
    pictures: tuple[Image.Image, ...]

    @property
    def space(self) -> Space:
        """The noise space in which it was done."""
        return self.step.space

    def strengths(self, at: int) -> dict[str, float]:
        """Of each direction in picture `at`, in standard deviations."""
        times = float(self.times[at])
        return {name: times * strength for name, strength in self.step.strengths.items()}

    def to_json(self) -> dict[str, Any]:
        """Everything but pictures and vectors, as the command prints it."""
        return {
            "id": self.item_id,
            "edit": self.step.to_json(),
            "norm": float(self.norms[0]),
            "norm_z": float(self.norm_z[0]),
            "round_trip_psnr": self.round_trip_psnr,
            "projections": {name: one.before for name, one in self.projections.items()},
            "pictures": [
                {
                    "times": float(self.times[at]),
                    "directions": self.strengths(at),
                    "norm": float(self.norms[1 + at]),
                    "norm_z": float(self.norm_z[1 + at]),
                    "projections": {
                        name: float(one.after[at]) for name, one in self.projections.items()
                    },
                }
                for at in range(len(self.times))
            ],
        }


def edit(
    catalog: Catalog,
    item_id: int | None = None,
    directions: Mapping[str, float] | None = None,
    **options: Unpack[EditOptions],
) -> Edited:
    """Change a stored item, or a picture, along named directions of the noise it comes from.

    Parameters
    ----------
    catalog : Catalog
    item_id : int
        A stored item with a vector in the space; or else `image`.
    directions : mapping of name to strength
        In standard deviations, all added at once; negative takes an attribute away.
    image : picture or path of one
        Inverted first, and not stored.
    space, pair, keep, norm
        See `latentdb.edit.step.make_step`. Where no `norm` is given, a picture keeps its own.
    strengths : sequence of float
        One picture each: how many times all of it is added. (1,) where not given.
    on_decoded : callable
        Told how many pictures were made since it was last called.

    Raises
    ------
    QueryError
        Not exactly one of an item and a picture is given, or see `make_step`.
    ParameterError
        `strengths` are none, or not finite.
    UnknownItemError
        The item is not stored, or has no vector in the space.
    """
    image = options.get("image")
    if (item_id is None) == (image is None):
        given = "neither" if item_id is None else "both"
        raise QueryError(f"what is edited is one stored item or one picture, got {given}")
    times = checked_times(options.get("strengths", (1.0,)))
    step = make_step(
        catalog,
        directions or {},
        space=options.get("space"),
        pair=options.get("pair"),
        keep=options.get("keep", ()),
        norm=options.get("norm", "own"),
    )
    picture, start = _begin(catalog, step.space, item_id, image)
    vectors = step.apply(catalog, np.repeat(start[None], len(times), axis=0), times)
    together = np.concatenate([start[None], vectors])
    round_trip, *pictures = decode_pictures(
        catalog.models, step.space, together, options.get("on_decoded")
    )
    seen = catalog.models.get(step.space.name).transform.apply(picture)
    norms = norms_of(together)
    norm_z = chi_z(step.space, norms)
    assert norm_z is not None
    return Edited(
        step=step.facts,
        times=times,
        item_id=item_id,
        start=start,
        vectors=vectors,
        norms=norms,
        norm_z=norm_z,
        projections=_projections(catalog, step.space, together),
        original=Image.fromarray(seen),
        round_trip=round_trip,
        round_trip_psnr=_psnr(seen, np.asarray(round_trip)),
        pictures=tuple(pictures),
    )


def checked_times(strengths: Sequence[float]) -> FloatArray:
    """How many times a step is added for each picture, (n,).

    Raises
    ------
    ParameterError
        There is none, or one is not finite.
    """
    times = np.asarray(strengths, dtype=np.float64)
    if times.ndim != 1 or not len(times) or not np.isfinite(times).all():
        raise ParameterError(f"strengths are finite numbers, one a picture; got {strengths}")
    return times


def _begin(
    catalog: Catalog, space: Space, item_id: int | None, image: Image.Image | Path | str | None
) -> tuple[Image.Image, Vectors]:
    """The picture that is edited, and its noise (dim,)."""
    if item_id is not None:
        noise: Vectors = catalog.store.vectors(space.name, [item_id])[0]
        return catalog.picture(item_id), noise
    assert image is not None
    picture = image.convert("RGB") if isinstance(image, Image.Image) else read_picture(image)
    model = catalog.models.get(space.name)
    inverted: Vectors = model.embed(model.transform.apply(picture)[None]).vectors[0]
    return picture, inverted


def _projections(catalog: Catalog, space: Space, vectors: Vectors) -> dict[str, Projection]:
    """Of the first of `vectors` (1 + n, dim) and of the others, along every direction."""
    own = space.fingerprint
    there = [one for one in catalog.directions.all() if one.space_ref.fingerprint == own]
    along = {one.name: one.project(vectors) for one in there}
    return {name: Projection(float(one[0]), one[1:]) for name, one in along.items()}


def _psnr(seen: np.ndarray[Any, Any], made: np.ndarray[Any, Any]) -> float:
    """Peak signal-to-noise ratio of two uint8 pictures in dB, at most 120."""
    mse = float(np.square(seen.astype(np.float64) - made).mean()) / 255.0**2
    return float(-10.0 * np.log10(max(mse, 1e-12)))
