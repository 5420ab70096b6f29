"""What routes answer with: the library's results as JSON with addresses of pictures."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from starlette.responses import JSONResponse

from api.jsonable import jsonable
from latentdb.space import Space
from latentdb.types import Answer, Item


def json_response(content: Any, status: int = 200) -> JSONResponse:
    """JSON in which NaN and infinity are null."""
    return JSONResponse(jsonable(content), status)


def answer_json(answer: Answer) -> dict[str, Any]:
    """The contract's JSON, with the address of each hit's picture."""
    body = answer.to_json()
    for hit in body["hits"]:
        hit["image"] = image_address(hit["id"])
    return body


def item_json(item: Item) -> dict[str, Any]:
    """An item, with the address of its picture."""
    return {**asdict(item), "image": image_address(item.id)}


def image_address(item_id: int) -> str:
    """Where a picture is; its id is read from here by clients that lack 63-bit integers."""
    return f"/v1/items/{item_id}/image"


def space_json(space: Space) -> dict[str, Any]:
    """A space as clients see it: where its model lies on this machine is left out."""
    return {key: value for key, value in space.to_json().items() if key != "spec"}
