"""How a question becomes one vector in the space that answers it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from indexers.errors import DimensionError, NonFiniteError
from latentdb.catalog import Catalog
from latentdb.errors import QueryError
from latentdb.model import AbstractTextEncoder, Vectors
from latentdb.query import Query, read_picture
from latentdb.space import Space
from latentdb.stitch.chain import find_chain
from latentdb.stitch.modality import text_domain, to_pictures
from latentdb.succession.routing import route


@final
@dataclass(frozen=True, eq=False)
class Resolved:
    """A query as a vector (dim,) float32 of `space`, and what was done to get there."""

    vector: Vectors
    space: Space
    steps: dict[str, Any]


def resolve(catalog: Catalog, query: Query) -> Resolved:
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
    query, said = route(catalog.migrations, query, catalog.store)
    born, target = _choose_spaces(catalog, query)
    vector = _embed(catalog, query, born)
    steps: dict[str, Any] = {"from": born.name, **said}
    before = {
        n: s for n, s in query.directions.items() if not catalog.directions.has(n, target.name)
    }
    if born.name == target.name:
        vector = _move(catalog, vector, target, query.directions)
        return Resolved(vector, target, steps)
    shelf = catalog.directions
    before = {n: s for n, s in query.directions.items() if not shelf.has(n, target.name)}
    chain = find_chain(catalog.maps.all(), born, target, spaces=catalog.spaces())
    vector, about = prepare_for_maps(catalog, query, born, vector)
    vector = chain.transform(_move(catalog, vector, born, before)[None])[0]
    steps |= {"map": chain.to_json(), **about}
    after = {name: s for name, s in query.directions.items() if name not in before}
    return Resolved(_move(catalog, vector, target, after), target, steps)


def prepare_for_maps(
    catalog: Catalog, query: Query, born: Space, vector: Vectors
) -> tuple[Vectors, dict[str, Any]]:
    """The vector (dim,) as maps want it, and how far it is off what they were fitted on.

    A space of fewer vectors than a profile needs says neither.
    """
    profile = catalog.profiles.get(born, text=query.text is not None)
    if profile is None:
        return vector, {}
    if query.text is None:
        return vector, {"domain": profile.domain(vector).to_json()}
    domain = text_domain(profile, vector)
    about = {} if domain is None else {"domain": domain.to_json()}
    return to_pictures(profile, vector[None])[0], {"text": "as pictures", **about}


def _choose_spaces(catalog: Catalog, query: Query) -> tuple[Space, Space]:
    """Where the question is born and where it is answered."""
    spaces = catalog.spaces()
    for name in (query.from_space, query.space):
        if name is not None:
            catalog.store.space(name)
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


def _embed(catalog: Catalog, query: Query, born: Space) -> Vectors:
    """The question's vector (dim,) in the space it is born in."""
    if query.id is not None:
        stored: Vectors = catalog.store.vectors(born.name, [query.id])[0]
        return stored
    if query.vector is not None:
        return _checked(query.vector, born)
    model = catalog.models.get(born.name)
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


def _move(
    catalog: Catalog, vector: Vectors, space: Space, directions: Mapping[str, float]
) -> Vectors:
    """The vector moved along directions of `space`, its norm kept."""
    for name, strength in directions.items():
        direction = catalog.direction(name, space.name)
        direction.require_space(space)
        vector = direction.move(vector[None], strength)[0]
    return vector
