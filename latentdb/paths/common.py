"""What curves and centroids share: their space, the law of its norms, pictures of new points."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PIL import Image

from indexers.metric import AbstractRadialPrior, NaoMetric, make_metric, make_prior
from indexers.types import FloatArray, PriorName
from latentdb.catalog import Catalog
from latentdb.errors import QueryError
from latentdb.geometry import chi_mean, chi_std, restore_norm
from latentdb.index import IndexManager
from latentdb.model import AbstractInverter, Vectors
from latentdb.model_shelf import ModelShelf
from latentdb.space import Space

# Few enough for a diffusion model of 512 pixels on a card of 8 GB.
DECODED_AT_ONCE = 4


def choose_space(catalog: Catalog, name: str | None) -> Space:
    """The space named, else the database's only noise space, else its only space.

    Raises
    ------
    UnknownSpaceError
        There is none of that name.
    QueryError
        None was named, and several would do.
    """
    if name is not None:
        return catalog.store.space(name)
    spaces = list(catalog.spaces().values())
    noise = [space for space in spaces if space.kind == "noise"]
    for candidates in (noise, spaces):
        if len(candidates) == 1:
            return candidates[0]
    there = ", ".join(f"{space.name} ({space.kind})" for space in spaces) or "no space yet"
    raise QueryError(
        f"a space must be named, since this database has {len(noise)} noise spaces: it has "
        f"{there}; name one with --space"
    )


def choose_prior(space: Space, prior: PriorName | None) -> PriorName:
    """The prior named, else chi's in a noise space and none in an encoder's."""
    return prior or ("chi" if space.kind == "noise" else "none")


def nao_metric(indexes: IndexManager, space: Space, prior: PriorName) -> NaoMetric:
    """NAO as a search of `space` under that prior measures it.

    A fitted prior is that of the index, where there is one.
    """
    metric = (
        indexes.live(space, "nao", prior).metric
        if prior == "fitted"
        else make_metric("nao", make_prior(prior, dim=space.dim))
    )
    assert isinstance(metric, NaoMetric)
    return metric


def norms_of(vectors: Vectors) -> FloatArray:
    """Norms (n,) of vectors (n, dim), in float64."""
    norms: FloatArray = np.linalg.norm(vectors.astype(np.float64), axis=1)
    return norms


def chi_z(space: Space, norms: FloatArray) -> FloatArray | None:
    """How many standard deviations norms lie off those of white noise; None for an encoder's."""
    if space.kind != "noise":
        return None
    return (norms - chi_mean(space.dim)) / chi_std(space.dim)


def restored(
    indexes: IndexManager, space: Space, prior: PriorName, vectors: FloatArray
) -> FloatArray:
    """Vectors (n, dim) brought to the likeliest norm under a prior; "none" leaves them.

    Raises
    ------
    ZeroVectorError
        A vector of norm zero is to be given one.
    """
    law = nao_metric(indexes, space, prior).prior
    return restore_norm(vectors, law.mode) if isinstance(law, AbstractRadialPrior) else vectors


def describe_length(prior: PriorName) -> str:
    """What is measured under a prior, in words."""
    return "angles in radians" if prior == "none" else f"NAO lengths under the {prior} prior"


def decode_pictures(
    models: ModelShelf,
    space: Space,
    vectors: Vectors,
    on_decoded: Callable[[int], None] | None = None,
) -> list[Image.Image]:
    """Pictures that the model of a noise space generates from `vectors` (n, dim) float32.

    Parameters
    ----------
    models : ModelShelf
    space : Space
    vectors : (n, dim) float32
        Not modified.
    on_decoded : callable or None
        Told how many pictures were made since it was last called.

    Raises
    ------
    QueryError
        The space is an encoder's: its vectors describe pictures and make none.
    ModelError, SpaceMismatchError
        The model cannot be loaded, or is another than the one whose vectors are stored.
    """
    model = models.get(space.name) if space.kind == "noise" else None
    if not isinstance(model, AbstractInverter):
        raise QueryError(
            f"space {space.name!r} has no decoder: its vectors describe pictures and make none; "
            "name a noise space, or look at the nearest stored items"
        )
    made: list[Image.Image] = []
    for start in range(0, len(vectors), DECODED_AT_ONCE):
        pixels = model.decode(vectors[start : start + DECODED_AT_ONCE])
        made += [Image.fromarray(one) for one in pixels]
        if on_decoded is not None:
            on_decoded(len(pixels))
    return made
