"""What a server draws: edits and imagined pictures."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeVar

import numpy as np
from PIL import Image

from latentdb.client.questions import PictureLike, given, one_vector, question
from latentdb.client.transport import Transport
from latentdb.edit import Edited, EditOptions
from latentdb.errors import QueryError
from latentdb.imagine import Imagined, ImagineOptions
from latentdb.model import Vectors
from latentdb.wire import decode
from latentdb.wire.arrays import array_to_wire
from latentdb.wire.fields import Fields

T = TypeVar("T")
_DECODED_AT_ONCE: Final = 16
# Everything, so that what comes back is whole.
_WHOLE: Final[Mapping[str, Any]] = {"pictures": True, "vectors": True}


def edit(
    transport: Transport,
    item_id: int | None,
    directions: Mapping[str, float] | None,
    options: EditOptions,
) -> Edited:
    """A stored item, or a picture that is sent, changed along directions."""
    image, pair = options.get("image"), options.get("pair")
    if (item_id is None) == (image is None):
        given_ = "neither" if item_id is None else "both"
        raise QueryError(f"what is edited is one stored item or one picture, got {given_}")
    strengths: Sequence[float] = options.get("strengths", (1.0,))
    body = {
        "id": item_id,
        "directions": dict(directions or {}),
        "space": options.get("space"),
        "strengths": [float(one) for one in strengths],
        "pair": None if pair is None else dict(vars(pair)),
        "keep": list(options.get("keep", ())),
        "norm": options.get("norm"),
    }
    found = _drawn(Edited, transport, "/v1/edit", body, image)
    _tell(options.get("on_decoded"), 1 + len(found.pictures))
    return found


def imagine(transport: Transport, options: ImagineOptions) -> Imagined:
    """New pictures of what a question says."""
    vector = options.get("vector")
    plain = ("text", "id", "space", "n", "seed", "temperature", "prior")
    body = {
        **{name: value for name, value in options.items() if name in plain},
        "from": options.get("from_space"),
        "vector": None if vector is None else one_vector(vector),
    }
    found = _drawn(Imagined, transport, "/v1/imagine", body, options.get("image"))
    _tell(options.get("on_decoded"), len(found.pictures))
    return found


def draw(transport: Transport, vectors: Vectors, space: str | None) -> list[Image.Image]:
    """Pictures that the model of a noise space makes of vectors (n, dim)."""
    exact = np.ascontiguousarray(vectors, dtype=np.float32)
    made: list[Image.Image] = []
    for start in range(0, len(exact), _DECODED_AT_ONCE):
        some = array_to_wire(exact[start : start + _DECODED_AT_ONCE])
        told = transport.json(question("/v1/decode", given({"vectors": some, "space": space})))
        made += [one.picture("png") for one in Fields(told, "answer").each("pictures")]
    return made


def _drawn(
    kind: type[T],
    transport: Transport,
    path: str,
    body: Mapping[str, Any],
    image: PictureLike | None,
) -> T:
    return decode(kind, transport.json(question(path, {**given(body), **_WHOLE}, image)))


def _tell(listener: Callable[[int], None] | None, count: int) -> None:
    """All pictures come at once."""
    if listener is not None:
        listener(count)
