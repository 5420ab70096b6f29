"""From a question to new pictures: conditional mean, residual, norm, decoder."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypedDict, Unpack, final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from indexers.errors import ParameterError
from indexers.types import FloatArray, IdArray, PriorName
from latentdb.catalog import Catalog
from latentdb.errors import QueryError
from latentdb.imagine.law import LawFacts, conditional_mean
from latentdb.imagine.shelf import residual_law
from latentdb.model import Vectors
from latentdb.paths.common import (
    chi_z,
    choose_prior,
    choose_space,
    decode_pictures,
    norms_of,
    restored,
)
from latentdb.query import Query
from latentdb.resolve import prepare_for_maps, resolve
from latentdb.space import Space
from latentdb.stitch.chain import ChainFacts, find_chain


class ImagineOptions(TypedDict, total=False):
    """Keyword arguments of `LatentDB.imagine`; see `imagine`."""

    image: Image.Image | Path | str | None
    id: int | None
    text: str | None
    vector: NDArray[np.floating[Any]] | None
    from_space: str | None
    space: str | None
    n: int
    seed: int
    temperature: float
    prior: PriorName | None
    on_decoded: Callable[[int], None] | None


@final
@dataclass(frozen=True, eq=False)
class Imagined:
    """New pictures of what a question says, and how they came about.

    Attributes
    ----------
    asked : dict
        The question's kind and value, as JSON.
    about : dict
        How it was made ready for the map, and whether it is off what that was fitted on, as JSON.
    source, space : Space
        Where the question was born, and the noise space in which pictures were drawn.
    chain : ChainFacts
        The map from one to the other, or several.
    law : LawFacts
        Of its residuals.
    temperature, seed
        As asked.
    prior : "chi", "fitted" or "none"
        Law whose likeliest norm the vectors were given.
    mean : (dim,) float64
        What the chain predicts: the conditional mean, its norm as it came.
    mean_share : float
        Share of the mean squared distance from the target's mean that the question decides. The
        rest is the residual's: 0 would be a question that says nothing.
    vectors : (n, dim) float32
        Noise of the pictures.
    norms : (n,) float64
        Of `vectors`.
    norm_z : (n,) float64
        How many standard deviations they lie off those of white noise.
    pictures : tuple of Image
        RGB.
    nearest_ids : (n,) int64
        The stored item nearest to each picture's noise.
    nearest_distances : (n,) float64
        By `metric`.
    metric : str
    """

    asked: dict[str, Any]
    about: dict[str, Any]
    source: Space
    space: Space
    chain: ChainFacts
    law: LawFacts
    temperature: float
    seed: int
    prior: PriorName
    mean: FloatArray
    mean_share: float
    vectors: Vectors
    norms: FloatArray
    norm_z: FloatArray
    pictures: tuple[Image.Image, ...]
    nearest_ids: IdArray
    nearest_distances: FloatArray
    metric: str

    @property
    def how(self) -> str:
        """The way that the question took, in words."""
        if len(self.chain.maps) == 1:
            return f"by a {self.chain.maps[0].method} map"
        return f"over {', '.join(self.chain.names[1:-1])} by {len(self.chain.maps)} maps"

    def to_json(self) -> dict[str, Any]:
        """Everything but pictures and vectors, as the command prints it."""
        return {
            "space": self.space.name,
            "query": {**self.asked, "from": self.source.name, **self.about},
            "map": _way(self.chain),
            "residual": self.law.to_json(),
            "temperature": self.temperature,
            "seed": self.seed,
            "prior": self.prior,
            "mean_norm": float(np.linalg.norm(self.mean)),
            "mean_share": self.mean_share,
            "metric": self.metric,
            "pictures": [
                {
                    "norm": float(self.norms[i]),
                    "norm_z": float(self.norm_z[i]),
                    "nearest": {
                        "id": int(self.nearest_ids[i]),
                        "distance": float(self.nearest_distances[i]),
                    },
                }
                for i in range(len(self.vectors))
            ],
        }


def imagine(catalog: Catalog, **options: Unpack[ImagineOptions]) -> Imagined:
    """New pictures of what a question says.

    The map to the noise space, or where there is none the chain of maps of highest recall, answers
    a question with the conditional mean of all noise that fits it, which is too short to be noise
    and too smooth to be a face. Each picture is that mean plus a draw from the law of the
    residuals, brought to the norm that noise of the space has, and decoded. The law of a chain is
    fitted on its own residuals from end to end, see `fit_residual_law`.

    Parameters
    ----------
    catalog : Catalog
    image, id, text, vector
        The question, of one part or several together; see `latentdb.query.Query`.
    from_space : str
        Where it is born; the text space for text, else the first space from which a map leads to
        `space`, where not given.
    space : str
        The noise space that draws; the database's only one where not given.
    n : int
        How many pictures, at least 1.
    seed : int
        Of the draws; the first pictures are the same whatever `n`.
    temperature : float
        Of the residual, at least 0: 1 is the fitted law, 0 the conditional mean alone, of which
        all `n` pictures are then the same.
    prior : "chi", "fitted" or "none"
        The norm restored: the likeliest of white noise, the mean of the space's stored vectors,
        or none. Where not given, "chi".
    on_decoded : callable
        Told how many pictures were made since it was last called.

    Raises
    ------
    QueryError
        The question contradicts itself, is born in the space that draws, or that space has no
        decoder.
    UnknownSpaceError, UnknownItemError, UnknownMapError
        It names something that is not in the database, or no map or chain of them leads to the
        space.
    SpaceMismatchError
        Some map does, but it was fitted on vectors of other settings.
    ParameterError
        `n`, `seed` or `temperature` is out of its range.
    NotEnoughDataError
        Too few items with a vector at both ends to fit the residuals' law on.
    """
    n, seed = options.get("n", 8), options.get("seed", 0)
    temperature = options.get("temperature", 1.0)
    if n < 1 or not (np.isfinite(temperature) and temperature >= 0):
        raise ParameterError(
            f"n is at least 1 and the temperature at least 0, got n={n}, temperature={temperature}"
        )
    space = choose_space(catalog, options.get("space"))
    if space.kind != "noise":
        raise QueryError(f"space {space.name!r} has no decoder: name a noise space with --space")
    query = _query(catalog, space, options)
    born = resolve(catalog, query)
    chain = find_chain(catalog.maps.all(), born.space, space, spaces=catalog.spaces())
    law = residual_law(catalog.store, chain)
    # A text is moved to where the pictures are that it stands for: the map, fitted on pictures,
    # multiplies what texts alone have by factors it never had to keep small.
    asked, about = prepare_for_maps(catalog, born.space, born.vector, is_text=born.is_text)
    mean = conditional_mean(chain, asked[None].astype(np.float64))[0]
    decided = float(np.square(mean - chain.maps[-1].target_mean).sum())
    drawn = mean + temperature * law.draw(n, seed=seed)
    prior = choose_prior(space, options.get("prior"))
    vectors = restored(catalog.indexes, space, prior, drawn).astype(np.float32)
    norms = norms_of(vectors)
    pictures = decode_pictures(catalog.models, space, vectors, options.get("on_decoded"))
    live = catalog.indexes.live(space, None, None)
    nearest = live.search(vectors, 1)
    z = chi_z(space, norms)
    assert z is not None
    return Imagined(
        asked={name: value for name, value in query.to_json().items() if name != "k"},
        about=about,
        source=born.space,
        space=space,
        chain=chain.facts,
        law=law.facts,
        temperature=temperature,
        seed=seed,
        prior=prior,
        mean=mean,
        mean_share=decided / (decided + temperature**2 * law.total_variance),
        vectors=vectors,
        norms=norms,
        norm_z=z,
        pictures=tuple(pictures),
        nearest_ids=nearest.ids[:, 0],
        nearest_distances=nearest.distances[:, 0],
        metric=live.metric.name,
    )


def _way(chain: ChainFacts) -> dict[str, Any]:
    """What is said of a chain whose answers keep the norm that they come with."""
    return {name: value for name, value in chain.to_json().items() if name != "norm"}


def _query(catalog: Catalog, space: Space, options: ImagineOptions) -> Query:
    """The question, answered in the space that it is born in."""
    source = options.get("from_space")
    if source is None and options.get("text") is None:
        leading = [one.source for one in catalog.maps.all() if one.target == space.name]
        if not leading:
            raise QueryError(
                f"no map leads to space {space.name!r}: fit one with "
                f"latentdb stitch DB --from SPACE --to {space.name}"
            )
        source = leading[0]
    if source == space.name:
        raise QueryError(
            f"a question of space {source!r} is noise already: db.decode draws it, and a picture "
            "of another space is imagined with --from"
        )
    return Query(
        image=options.get("image"),
        id=options.get("id"),
        text=options.get("text"),
        vector=options.get("vector"),
        from_space=source,
        space=source,
        k=1,
    )
