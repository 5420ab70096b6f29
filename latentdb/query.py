"""What can be asked of a database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypedDict, final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from indexers.types import MetricName, PriorName
from latentdb.errors import PictureError, QueryError
from latentdb.ingest.decode import DEFAULT_MAX_MEGAPIXELS, decode_picture, max_bytes_of
from latentdb.ingest.recipes import FileBytes


class QueryParts(TypedDict, total=False):
    """Keyword form of `Query`."""

    image: Image.Image | Path | str | None
    id: int | None
    text: str | None
    vector: NDArray[np.floating[Any]] | None
    from_space: str | None
    space: str | None
    metric: MetricName | None
    prior: PriorName | None
    k: int
    directions: Mapping[str, float]
    where: str | None
    max_distance: float | None


@final
@dataclass(frozen=True, eq=False)
class Query:
    """One question: exactly one of `image`, `id`, `text` and `vector`, and where it is answered.

    Parameters
    ----------
    image : picture or path of one
        Embedded by the model of `from_space`.
    id : int
        A stored item; it is left out of its own answer.
    text : str
        Embedded by the text tower of `from_space`.
    vector : (dim,) float
        A vector of `from_space`.
    from_space : str
        The space in which the question is born; `space` where not given, except that text is born
        in the database's text space.
    space : str
        The space that is searched; `from_space`, or the database's first fitting one, where not
        given. A question born elsewhere goes through the map fitted by `LatentDB.stitch`, or
        where there is none through the chain of maps of highest recall.
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
    """

    image: Image.Image | Path | str | None = None
    id: int | None = None
    text: str | None = None
    vector: NDArray[np.floating[Any]] | None = None
    from_space: str | None = None
    space: str | None = None
    metric: MetricName | None = None
    prior: PriorName | None = None
    k: int = 10
    directions: Mapping[str, float] = field(default_factory=dict)
    where: str | None = None
    max_distance: float | None = None

    def __post_init__(self) -> None:
        given = [name for name in _SUBJECTS if getattr(self, name) is not None]
        if len(given) != 1:
            came = " and ".join(given) if given else "none of them"
            raise QueryError(
                f"a query is exactly one of {', '.join(_SUBJECTS)}; got {came}: give one"
            )
        if self.k < 1:
            raise QueryError(f"k is the number of hits, at least 1; got {self.k}")
        if self.text is not None and not self.text.strip():
            raise QueryError("the query text is empty: describe what to look for")

    @property
    def subject(self) -> str:
        """Which of the four the question is: "image", "id", "text" or "vector"."""
        return next(name for name in _SUBJECTS if getattr(self, name) is not None)

    def to_json(self) -> dict[str, Any]:
        """What was asked, for the JSON contract; pictures and vectors are named by their shape."""
        asked: dict[str, Any] = {"kind": self.subject, "value": _shown(getattr(self, self.subject))}
        asked["k"] = self.k
        if self.directions:
            asked["directions"] = dict(self.directions)
        if self.where is not None:
            asked["where"] = self.where
        if self.max_distance is not None:
            asked["max_distance"] = self.max_distance
        return asked


_SUBJECTS = ("image", "id", "text", "vector")


def _shown(value: object) -> object:
    """A JSON value that stands for a query's subject."""
    if isinstance(value, Image.Image):
        return f"picture of {value.width} × {value.height}"
    if isinstance(value, np.ndarray):
        return f"vector of {value.shape[-1]}"
    return str(value) if isinstance(value, Path) else value


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
