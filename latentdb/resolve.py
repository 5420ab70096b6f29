"""How a question becomes one vector in the space that answers it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple, TypeVar, final

import numpy as np

from indexers.metric import AbstractMetric, AbstractRadialPrior, NaoMetric
from latentdb.catalog import Catalog
from latentdb.compose import Composed, Ground, Placed, Step, compose
from latentdb.directions.direction import Direction
from latentdb.embed import Wanted, embed_all
from latentdb.errors import LatentDBError, QueryError
from latentdb.index.questions import QuestionKind
from latentdb.model import Vectors
from latentdb.part import Part
from latentdb.query import Query
from latentdb.space import Space
from latentdb.stitch.chain import find_chain
from latentdb.stitch.modality import text_domain, to_pictures
from latentdb.succession.routing import route

T = TypeVar("T")


@final
class Resolved(NamedTuple):
    """A question in the space that answers it.

    Attributes
    ----------
    space : Space
    placed : tuple of Placed
        Its parts there.
    directions : tuple of Step
        What moves it.
    ground : Ground
        Where its parts are put together.
    whole : Composed
        All of them together.
    steps : dict
        How it came there, as JSON.
    """

    space: Space
    placed: tuple[Placed, ...]
    directions: tuple[Step, ...]
    ground: Ground
    whole: Composed
    steps: dict[str, Any]

    @property
    def vector(self) -> Vectors:
        """The question (dim,) float32."""
        return self.whole.vector

    @property
    def moves_before_maps(self) -> dict[str, float]:
        """Strengths by name of the directions that the space which answers has not."""
        return {one.name: one.strength for one in self.directions if one.direction is None}

    @property
    def is_text(self) -> bool:
        """Whether the vector is a text's as its encoder gave it, not of pictures it stands for."""
        kinds = {one.part.kind for one in self.placed}
        return kinds == {"text"} and "text" not in self.placed[0].steps

    @property
    def question_kinds(self) -> set[QuestionKind]:
        """What it is to an index, whose recall is measured for each; none where that is not known.

        A vector may be anything. A text beside other parts stands for pictures, and several items
        together are where no item is.
        """
        if any(one.part.kind == "vector" for one in self.placed):
            return set()
        kinds: set[QuestionKind] = {"shifted"} if self.directions else set()
        if self.is_text:
            return kinds | {"text"}
        alone: QuestionKind = "id" if [one.part.kind for one in self.placed] == ["id"] else "image"
        return kinds | {"mapped" if "map" in one.steps else alone for one in self.placed}


@final
class _Plan(NamedTuple):
    """A question whose spaces are known, before anything of it is embedded."""

    query: Query
    said: dict[str, Any]
    target: Space
    wanted: list[Wanted]


def resolve(catalog: Catalog, query: Query) -> Resolved:
    """Embed the parts of a question, map them into the space that answers, put them together.

    Raises
    ------
    UnknownSpaceError, UnknownItemError, UnknownMapError, UnknownDirectionError
        A name or id is not in the database.
    QueryError
        Text was given to a space without a text tower, or parts contradict one another.
    DimensionError, NonFiniteError
        `vector` is not one of its space.
    """
    resolved = resolve_all(catalog, [query])[0]
    if isinstance(resolved, LatentDBError):
        raise resolved
    return resolved


def resolve_all(catalog: Catalog, queries: Sequence[Query]) -> list[Resolved | LatentDBError]:
    """Every question in the space that answers it, or why it cannot be; see `resolve`.

    Parts of one kind that are born in one space are embedded together.
    """
    plans = [or_error(partial(_plan, catalog, query)) for query in queries]
    wanted = [part for plan in plans if isinstance(plan, _Plan) for part in plan.wanted]
    vectors = iter(embed_all(catalog, wanted))
    resolved: list[Resolved | LatentDBError] = []
    for plan in plans:
        if isinstance(plan, _Plan):
            own = [next(vectors) for _ in plan.wanted]
            resolved.append(or_error(partial(_put_together, catalog, plan, own)))
        else:
            resolved.append(plan)
    return resolved


def or_error(ask: Callable[[], T]) -> T | LatentDBError:
    """What is asked for, or the error that whoever asked is to see."""
    try:
        return ask()
    except LatentDBError as error:
        return error


def _plan(catalog: Catalog, query: Query) -> _Plan:
    query, said = route(catalog.migrations, query, catalog.store)
    target = _target(catalog, query)
    wanted = [Wanted(part, _birthplace(catalog, query, part, target)) for part in query.parts]
    return _Plan(query, said, target, wanted)


def _put_together(
    catalog: Catalog, plan: _Plan, vectors: Sequence[Vectors | LatentDBError]
) -> Resolved:
    """A question whose parts are embedded, in the space that answers it."""
    query, target = plan.query, plan.target
    placed = tuple(
        _place(catalog, target, one, vector, is_alone=len(vectors) == 1)
        for one, vector in zip(plan.wanted, vectors, strict=True)
    )
    shelf = catalog.directions
    # A direction of the space that answers moves the result, any other one what is yet to be
    # mapped: those first.
    order = sorted(query.directions, key=lambda name: shelf.has(name, target.name))
    directions = tuple(
        Step(name, query.directions[name], _direction(catalog, name, target)) for name in order
    )
    ground = _ground(catalog, query, target)
    steps = {**plan.said, **_told(placed)}
    whole = compose(placed, directions, ground)
    return Resolved(target, placed, directions, ground, whole, steps)


def prepare_for_maps(
    catalog: Catalog, born: Space, vector: Vectors, *, is_text: bool
) -> tuple[Vectors, dict[str, Any]]:
    """The vector (dim,) as maps want it, and how far it is off what they were fitted on.

    A space of fewer vectors than a profile needs says neither.
    """
    profile = catalog.profiles.get(born, text=is_text)
    if profile is None:
        return vector, {}
    if not is_text:
        return vector, {"domain": profile.domain(vector).to_json()}
    domain = text_domain(profile, vector)
    about = {} if domain is None else {"domain": domain.to_json()}
    return to_pictures(profile, vector[None])[0], {"text": "as pictures", **about}


def _target(catalog: Catalog, query: Query) -> Space:
    """The space that answers."""
    named = [
        catalog.store.space(name) for name in (query.from_space, query.space) if name is not None
    ]
    if named:
        return named[-1]
    if query.text is not None:
        return _text_space(catalog)
    spaces = list(catalog.spaces().values())
    with_text = [space for space in spaces if space.has_text]
    embeddings = [space for space in spaces if space.kind == "embedding"]
    default = next(iter(with_text + embeddings + spaces), None)
    if default is None:
        raise QueryError("the database has no space yet: latentdb init DB --space NAME")
    return default


def _birthplace(catalog: Catalog, query: Query, part: Part, target: Space) -> Space:
    """Where a part is embedded, or its vector is from.

    A text beside other parts goes to the text space where `from_space`, which is theirs, has none.
    """
    named = None if query.from_space is None else catalog.spaces()[query.from_space]
    if part.kind != "text":
        return named or target
    if named is not None and (named.has_text or len(query.parts) == 1):
        return named
    return target if target.has_text else _text_space(catalog)


def _text_space(catalog: Catalog) -> Space:
    """The first space with a text tower."""
    spaces = catalog.spaces()
    found = next((space for space in spaces.values() if space.has_text), None)
    if found is None:
        raise QueryError(
            "a text query needs a space with a text tower; this database has "
            f"{', '.join(spaces) or 'no space at all'}: add one, such as faces-clip"
        )
    return found


def _place(
    catalog: Catalog,
    target: Space,
    one: Wanted,
    vector: Vectors | LatentDBError,
    *,
    is_alone: bool,
) -> Placed:
    """A part in the space that answers; the error that it failed with is raised.

    Beside other parts a text is turned into the pictures that it stands for, in its own space
    too: as it is, it lies apart from all of them.
    """
    if isinstance(vector, LatentDBError):
        raise vector
    part, born = one.part, one.born
    steps: dict[str, Any] = {"from": born.name}
    is_text = part.kind == "text"
    is_mapped = born.name != target.name
    if is_mapped or (is_text and not is_alone):
        vector, about = prepare_for_maps(catalog, born, vector, is_text=is_text)
        steps |= about
    if not is_mapped:
        return Placed(part, lambda moves: _move(catalog, vector, born, moves), steps)
    chain = find_chain(catalog.maps.all(), born, target, spaces=catalog.spaces())
    steps |= {"map": chain.to_json()}
    return Placed(
        part, lambda moves: chain.transform(_move(catalog, vector, born, moves)[None])[0], steps
    )


def _direction(catalog: Catalog, name: str, target: Space) -> Direction | None:
    """The direction in the space that answers, None where it was fitted in another alone."""
    if not catalog.directions.has(name, target.name):
        return None
    direction = catalog.direction(name, target.name)
    direction.require_space(target)
    return direction


def _ground(catalog: Catalog, query: Query, target: Space) -> Ground:
    """Where parts meet: on the shell of noise, or about the mean of an encoder's vectors."""
    origin = Ground(np.zeros(target.dim))
    if len(query.parts) == 1:
        return origin
    if target.kind == "noise":
        live = catalog.indexes.live(target, query.metric, query.prior)
        return Ground(origin.centre, _likeliest_norm(live.metric))
    profile = catalog.profiles.get(target)
    return origin if profile is None else Ground(profile.mean)


def _likeliest_norm(metric: AbstractMetric) -> float | None:
    """The norm that the prior of NAO holds likeliest; None where there is no such prior."""
    if isinstance(metric, NaoMetric) and isinstance(metric.prior, AbstractRadialPrior):
        return metric.prior.mode
    return None


def _told(placed: tuple[Placed, ...]) -> dict[str, Any]:
    """How the only part came there; of several, how each did."""
    if len(placed) == 1:
        return placed[0].steps
    return {"parts": [{**one.part.to_json(), **one.steps} for one in placed]}


def _move(
    catalog: Catalog, vector: Vectors, space: Space, directions: Mapping[str, float]
) -> Vectors:
    """The vector moved along directions of `space`, its norm kept."""
    for name, strength in directions.items():
        direction = catalog.direction(name, space.name)
        direction.require_space(space)
        vector = direction.move(vector[None], strength)[0]
    return vector
