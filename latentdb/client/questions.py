"""Questions as a server takes them: JSON, and a form where a picture comes along."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from indexers.errors import DimensionError, NonFiniteError
from latentdb.client.transport import Call
from latentdb.errors import QueryError
from latentdb.query import Query, Weighted, read_picture
from latentdb.types import Answer

PictureLike = Image.Image | Path | str


def question(path: str, body: Mapping[str, Any], image: PictureLike | None = None) -> Call:
    """A question; asked twice, it is answered twice and nothing else changes."""
    if image is None:
        return Call("POST", path, body=dict(body), may_repeat=True)
    picture = image.convert("RGB") if isinstance(image, Image.Image) else read_picture(image)
    file = io.BytesIO()
    picture.save(file, "PNG")
    part = ("image", ("picture.png", file.getvalue(), "image/png"))
    return Call(
        "POST", path, files=[part], fields={"query": json.dumps(dict(body))}, may_repeat=True
    )


def search_body(query: Query) -> dict[str, Any]:
    """The JSON of a search but for its picture: what differs from the defaults."""
    default = Query(text="any")
    plain = ("space", "metric", "prior", "k", "where", "max_distance", "diverse", "explain")
    body = {
        name: value for name in plain if (value := getattr(query, name)) != getattr(default, name)
    }
    named = {
        "text": query.text,
        "id": None if query.id is None else int(query.id),
        "from": query.from_space,
        "vector": None if query.vector is None else one_vector(query.vector),
        "like": weights_by_id(query.like),
        "unlike": weights_by_id(query.unlike),
        "weights": dict(query.weights),
        "directions": dict(query.directions),
    }
    return given({**body, **{name: value for name, value in named.items() if value != {}}})


def as_asked(query: Query, answer: Answer) -> Answer:
    """The answer with the question in the words of whoever asked: files by their own names.

    A server only ever saw the pixels of a picture.
    """
    if query.image is None or isinstance(query.image, Image.Image):
        return answer
    told = {**answer.query, **query.to_json()}
    if "parts" in told:
        # In the order in which the question has them.
        told["parts"] = [
            {**seen, **part.to_json()}
            for seen, part in zip(told["parts"], query.parts, strict=True)
        ]
    return replace(answer, query=told)


def given(body: Mapping[str, Any]) -> dict[str, Any]:
    """A body without what was not given; NumPy's scalars as JSON has them."""
    return {name: _plain(value) for name, value in body.items() if value is not None}


def without_engine(options: Mapping[str, Any]) -> dict[str, Any]:
    """Options without `engine` and its `address`: where a server's work is done is its to say.

    Raises
    ------
    QueryError
        Another than the server's own machine was asked for.
    """
    rest = dict(options)
    if rest.pop("engine", "local") != "local" or rest.pop("address", None) is not None:
        raise QueryError(
            "where a server's work is done is for the server to say: leave engine and address out"
        )
    rest.pop("address", None)
    return rest


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, Mapping):
        return {name: _plain(one) for name, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, list | tuple) else value


def one_vector(vector: NDArray[np.floating[Any]]) -> list[float]:
    """The numbers of a vector (dim,) or (1, dim), exact.

    Raises
    ------
    DimensionError, NonFiniteError
        It is of another shape, or not finite.
    """
    array = np.asarray(vector)
    flat = array[0] if array.ndim == 2 and len(array) == 1 else array
    if flat.ndim != 1:
        raise DimensionError(
            f"a question is one vector (dim,), got an array of shape {array.shape}; ask with one "
            "of its rows"
        )
    if not np.isfinite(flat).all():
        raise NonFiniteError("the query vector holds NaN or infinity; expected finite numbers")
    numbers: list[float] = flat.astype(np.float64).tolist()
    return numbers


def weights_by_id(items: Weighted) -> dict[str, float]:
    """Weights of items, by ids as strings, which every JSON reader keeps whole."""
    pairs = items.items() if isinstance(items, Mapping) else [(item, 1.0) for item in items]
    return {str(int(item)): float(weight) for item, weight in pairs}
