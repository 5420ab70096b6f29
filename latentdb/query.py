"""What can be asked of a database."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, TypeAlias, TypedDict, final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from indexers.types import MetricName, PriorName
from latentdb.errors import PictureError, QueryError
from latentdb.ingest.decode import DEFAULT_MAX_MEGAPIXELS, decode_picture, max_bytes_of
from latentdb.ingest.recipes import FileBytes
from latentdb.part import PART_KINDS, Part, PartValue, describe_parts

Weighted: TypeAlias = Mapping[int, float] | Sequence[int]


class QueryParts(TypedDict, total=False):
    """Keyword form of `Query`."""

    image: Image.Image | Path | str | None
    id: int | None
    text: str | None
    vector: NDArray[np.floating[Any]] | None
    like: Weighted
    unlike: Weighted
    weights: Mapping[str, float]
    from_space: str | None
    space: str | None
    metric: MetricName | None
    prior: PriorName | None
    k: int
    directions: Mapping[str, float]
    where: str | None
    max_distance: float | None
    diverse: float | None
    explain: bool


@final
@dataclass(frozen=True, eq=False)
class Query:
    """One question: what hits are to be like and unlike, and where it is answered.

    A question has one part (an `image`, `id`, `text` or `vector`) or several, which are brought
    into one space and put together there; see `latentdb.compose`.

    Parameters
    ----------
    image : picture or path of one
        Embedded by the model of `from_space`.
    id : int
        A stored item. Items asked with are left out of the answer.
    text : str
        Embedded by the text tower of `from_space`, or of the database's text space.
    vector : (dim,) float
        A vector of `from_space`.
    like, unlike : mapping of id to weight, or sequence of ids
        Stored items that hits are to be like, and unlike; weights above 0, 1 where not given.
    weights : mapping of part to weight
        Of "image", "id", "text" and "vector", 1 where not given; one below 0 makes the part one
        that hits are to be unlike.
    from_space : str
        The space in which the question is born; `space` where not given, except that text is born
        in the database's text space.
    space : str
        The space that is searched; `from_space`, or the database's first fitting one, where not
        given. A part born elsewhere goes through the map fitted by `LatentDB.stitch`, or where
        there is none through the chain of maps of highest recall.
    metric : "euclidean", "cosine" or "nao"
        Where not given, that of an index of the space, else cosine.
    prior : "chi", "fitted" or "none"
        For `nao`: the law of the norm; where not given, that of an index, else "chi".
    k : int
        Number of hits, at least 1.
    directions : mapping of name to strength
        Moves the question along fitted directions, in standard deviations.
    where : str
        SQL condition on labels and quality columns; applied inside the search.
    max_distance : float
        Hits farther than this are left out.
    diverse : float
        λ of maximal marginal relevance, in [0, 1]: 1 gives the nearest items, 0 those that are
        least alike among the nearest; see `latentdb.diversity`.
    explain : bool
        Say of every hit what each part contributed; see `latentdb.explain`.
    """

    image: Image.Image | Path | str | None = None
    id: int | None = None
    text: str | None = None
    vector: NDArray[np.floating[Any]] | None = None
    like: Weighted = ()
    unlike: Weighted = ()
    weights: Mapping[str, float] = field(default_factory=dict)
    from_space: str | None = None
    space: str | None = None
    metric: MetricName | None = None
    prior: PriorName | None = None
    k: int = 10
    directions: Mapping[str, float] = field(default_factory=dict)
    where: str | None = None
    max_distance: float | None = None
    diverse: float | None = None
    explain: bool = False

    def __post_init__(self) -> None:
        if self.k < 1:
            raise QueryError(f"k is the number of hits, at least 1; got {self.k}")
        if self.text is not None and not self.text.strip():
            raise QueryError("the query text is empty: describe what to look for")
        if self.diverse is not None and not 0.0 <= self.diverse <= 1.0:
            raise QueryError(
                "diverse is λ, from 0 (hits as unlike one another as can be) to 1 (the nearest); "
                f"got {self.diverse:g}"
            )
        for name in self.weights:
            if name not in PART_KINDS or getattr(self, name) is None:
                given = [kind for kind in PART_KINDS if getattr(self, kind) is not None]
                raise QueryError(
                    f"a weight is given for {name!r}, which is no part of this question; its "
                    f"parts that take one are: {', '.join(given) or 'none'}; items of like and "
                    "unlike take theirs as ID=WEIGHT"
                )
        _check_parts(self.parts, self.directions)

    @cached_property
    def parts(self) -> tuple[Part, ...]:
        """All parts: those named, then `like`, then `unlike`, whose weights are below 0."""
        named = [
            Part(kind, value, float(self.weights.get(kind, 1.0)))
            for kind, value in zip(PART_KINDS, self._named(), strict=True)
            if value is not None
        ]
        liked = [Part("id", item, weight) for item, weight in _pairs(self.like, "like")]
        unliked = [Part("id", item, -weight) for item, weight in _pairs(self.unlike, "unlike")]
        return (*named, *liked, *unliked)

    @cached_property
    def item_ids(self) -> tuple[int, ...]:
        """Stored items that it is asked with."""
        return tuple(part.value for part in self.parts if isinstance(part.value, int))

    def _named(self) -> tuple[PartValue | None, ...]:
        """What is given for each of `PART_KINDS`."""
        return self.image, None if self.id is None else int(self.id), self.text, self.vector

    def to_json(self) -> dict[str, Any]:
        """What was asked, for the JSON contract."""
        parts = self.parts
        if len(parts) == 1:
            asked: dict[str, Any] = {"kind": parts[0].kind, "value": parts[0].shown}
        else:
            asked = {"kind": "composed", "value": describe_parts(parts)}
        asked["k"] = self.k
        if self.directions:
            asked["directions"] = dict(self.directions)
        for name in ("where", "max_distance", "diverse"):
            if getattr(self, name) is not None:
                asked[name] = getattr(self, name)
        return asked


def _pairs(items: Weighted, name: str) -> list[tuple[int, float]]:
    """Ids with their weights, refused where one is not above 0."""
    pairs = items.items() if isinstance(items, Mapping) else [(item, 1.0) for item in items]
    for item, weight in pairs:
        if not (math.isfinite(weight) and weight > 0):
            raise QueryError(
                f"{name} weighs item {item} by {weight:g}; a weight is above 0, and what hits are "
                "to be unlike belongs in unlike"
            )
    return [(int(item), float(weight)) for item, weight in pairs]


def _check_parts(parts: tuple[Part, ...], directions: Mapping[str, float]) -> None:
    """Refuse parts that ask nothing, or contradict one another."""
    if len(parts) == 1 and parts[0].weight == 1.0:
        return
    if not any(part.weight > 0 for part in parts):
        came = describe_parts(parts) or "none"
        hint = "; rank orders all items along a direction" if directions and not parts else ""
        raise QueryError(
            "a query needs something that hits are to be like, at least one of "
            f"{', '.join(PART_KINDS)} and like; got {came}{hint}"
        )
    for part in parts:
        if not math.isfinite(part.weight) or part.weight == 0.0:
            raise QueryError(f"{part} has weight {part.weight:g}; leave it out, or weigh it")
    items = Counter(part.value for part in parts if isinstance(part.value, int))
    if twice := [item for item, count in items.items() if count > 1]:
        raise QueryError(
            f"item {twice[0]} is asked with more than once; name it once, with one weight"
        )
    if len(parts) == 1 and parts[0].weight != 1.0:
        raise QueryError(
            f"{parts[0]} is the only part, so its weight {parts[0].weight:g} changes nothing; "
            "leave the weight out, or add a part"
        )


def read_picture(path: Path | str) -> Image.Image:
    """The query's picture file as RGB.

    Raises
    ------
    QueryError
        The file cannot be read, or is no picture.
    """
    try:
        return decode_picture(FileBytes(str(path)).read(max_bytes_of(DEFAULT_MAX_MEGAPIXELS)))
    except PictureError as error:
        raise QueryError(f"the query picture {path} cannot be used: {error}") from error
