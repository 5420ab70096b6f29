"""What can be asked, and how a question becomes one vector in the space that answers it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict, final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from indexers.errors import DimensionError, NonFiniteError
from indexers.types import MetricName, PriorName
from latentdb.errors import PictureError, QueryError
from latentdb.ingest.decode import DEFAULT_MAX_MEGAPIXELS, decode_picture, max_bytes_of
from latentdb.ingest.recipes import FileBytes
from latentdb.migrate.routing import route
from latentdb.model import AbstractTextEncoder, Vectors
from latentdb.space import Space
from latentdb.stitch.chain import find_chain
from latentdb.stitch.modality import text_domain, to_pictures

if TYPE_CHECKING:
    from latentdb.database import LatentDB


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


@final
@dataclass(frozen=True, eq=False)
class Resolved:
    """A query as a vector (dim,) float32 of `space`, and what was done to get there."""

    vector: Vectors
    space: Space
    steps: dict[str, Any]


def resolve(db: LatentDB, query: Query) -> Resolved:
    """Embed, map and move a query into the space that is to answer it.

    Raises
    ------
    UnknownSpaceError, UnknownItemError, UnknownMapError, UnknownDirectionError
        A name or id is not in the database.
    QueryError
        Text was given to a space without a text tower.
    DimensionError, NonFiniteError
        `vector` is not one of its space.
    """
    query, said = route(db.migrations_, query, db.store)
    born, target = _choose_spaces(db, query)
    vector = _embed(db, query, born)
    steps: dict[str, Any] = {"from": born.name, **said}
    before = {n: s for n, s in query.directions.items() if not db.has_direction(n, target.name)}
    if born.name == target.name:
        vector = _move(db, vector, target, query.directions)
        return Resolved(vector, target, steps)
    chain = find_chain(db.maps(), born, target, spaces=db.spaces())
    vector, about = prepare_for_maps(db, query, born, vector)
    vector = chain.transform(_move(db, vector, born, before)[None])[0]
    steps |= {"map": chain.to_json(), **about}
    after = {name: s for name, s in query.directions.items() if name not in before}
    return Resolved(_move(db, vector, target, after), target, steps)


def prepare_for_maps(
    db: LatentDB, query: Query, born: Space, vector: Vectors
) -> tuple[Vectors, dict[str, Any]]:
    """The vector (dim,) as maps want it, and how far it is off what they were fitted on.

    A space of fewer vectors than a profile needs says neither.
    """
    profile = db.profile(born.name, text=query.text is not None)
    if profile is None:
        return vector, {}
    if query.text is None:
        return vector, {"domain": profile.domain(vector).to_json()}
    domain = text_domain(profile, vector)
    about = {} if domain is None else {"domain": domain.to_json()}
    return to_pictures(profile, vector[None])[0], {"text": "as pictures", **about}


def _choose_spaces(db: LatentDB, query: Query) -> tuple[Space, Space]:
    """Where the question is born and where it is answered."""
    spaces = db.spaces()
    for name in (query.from_space, query.space):
        if name is not None:
            db.store.space(name)
    with_text = [space for space in spaces.values() if space.has_text]
    born = query.from_space
    if born is None and query.text is not None:
        if query.space is not None and spaces[query.space].has_text:
            born = query.space
        elif with_text:
            born = with_text[0].name
        else:
            raise QueryError(
                "a text query needs a space with a text tower; this database has "
                f"{', '.join(spaces) or 'no space at all'}: add one, such as faces-clip"
            )
    embeddings = [space for space in spaces.values() if space.kind == "embedding"]
    default = next(iter(with_text + embeddings + list(spaces.values())), None)
    target = query.space or born or (default.name if default else None)
    if target is None:
        raise QueryError("the database has no space yet: latentdb init DB --space NAME")
    return spaces[born or target], spaces[target]


def _embed(db: LatentDB, query: Query, born: Space) -> Vectors:
    """The question's vector (dim,) in the space it is born in."""
    if query.id is not None:
        stored: Vectors = db.store.vectors(born.name, [query.id])[0]
        return stored
    if query.vector is not None:
        return _checked(query.vector, born)
    model = db.model(born.name)
    if query.text is not None:
        if not isinstance(model, AbstractTextEncoder):
            raise QueryError(
                f"space {born.name!r} has no text tower, so it cannot embed a text query: "
                "give the text space with --from and a map will carry it over"
            )
        described: Vectors = model.encode_text([query.text])[0]
        return described
    assert query.image is not None
    if isinstance(query.image, Image.Image):
        picture = query.image.convert("RGB")
    else:
        picture = read_picture(query.image)
    row: Vectors = model.embed(model.transform.apply(picture)[None]).vectors[0]
    return row


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


def _checked(vector: NDArray[np.floating[Any]], space: Space) -> Vectors:
    """A caller's vector as float32 (dim,), refused when it cannot be one of `space`."""
    flat = np.asarray(vector, dtype=np.float32)
    flat = flat[0] if flat.ndim == 2 and len(flat) == 1 else flat
    if flat.shape != (space.dim,):
        raise DimensionError(
            f"space {space.name!r} holds vectors of dimension {space.dim}, got an array of shape "
            f"{np.shape(vector)}; pass a vector of that space, or name its own with --from"
        )
    if not np.isfinite(flat).all():
        raise NonFiniteError("the query vector holds NaN or infinity; expected finite numbers")
    return flat


def _move(db: LatentDB, vector: Vectors, space: Space, directions: Mapping[str, float]) -> Vectors:
    """The vector moved along directions of `space`, its norm kept."""
    for name, strength in directions.items():
        direction = db.direction(name, space.name)
        direction.require_space(space)
        vector = direction.move(vector[None], strength)[0]
    return vector
