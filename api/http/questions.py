"""What a search request may say, and how it becomes a `Query` of the library."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
from fastapi import Request
from fastapi.exceptions import RequestValidationError
from PIL import Image
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException

from indexers.types import MetricName, PriorName
from latentdb.query import Query

MAX_K = 500
MAX_DIM = 65_536
MAX_ITEMS = 64
UNSUPPORTED_MEDIA = 415
_MEBIBYTE = 2**20

Name = Annotated[str, Field(max_length=200)]
Finite = Annotated[float, Field(allow_inf_nan=False)]
ItemId = Annotated[int, Field(ge=0, lt=2**63)]
ItemWeights = Annotated[dict[ItemId, Finite], Field(max_length=MAX_ITEMS)]


class SearchRequest(BaseModel):
    """One question: a text, an id, a vector, an uploaded picture, or several of them together."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    text: Annotated[str, Field(max_length=2000)] | None = None
    id: ItemId | None = Field(
        default=None,
        description="A stored item; as a string where the client lacks 63-bit integers.",
    )
    vector: Annotated[list[Finite], Field(max_length=MAX_DIM)] | None = None
    like: ItemWeights = Field(
        default_factory=dict, description="Weight, above 0, by id of an item to be like."
    )
    unlike: ItemWeights = Field(
        default_factory=dict, description="Weight, above 0, by id of an item to be unlike."
    )
    weights: Annotated[dict[Name, Finite], Field(max_length=4)] = Field(
        default_factory=dict, description="Weight of text, id, vector or image; 1 where not given."
    )
    from_space: Name | None = Field(
        default=None, alias="from", description="Space the question is born in."
    )
    space: Name | None = Field(default=None, description="Space that is searched.")
    metric: MetricName | None = None
    prior: PriorName | None = None
    k: Annotated[int, Field(ge=1, le=MAX_K)] = 10
    directions: Annotated[dict[Name, Finite], Field(max_length=32)] = Field(
        default_factory=dict, description="Strength by name, in standard deviations."
    )
    where: Annotated[str, Field(max_length=4000)] | None = Field(
        default=None, description="SQL condition on labels and quality columns."
    )
    max_distance: Finite | None = None
    diverse: Annotated[float, Field(ge=0.0, le=1.0)] | None = Field(
        default=None, description="λ of maximal marginal relevance: 1 is nearness alone."
    )
    explain: bool = Field(default=False, description="Say what each part did for each hit.")

    def to_query(self, picture: Image.Image | None) -> Query:
        """The library's form of this question.

        Raises
        ------
        QueryError
            It contradicts itself.
        """
        vector = None if self.vector is None else np.asarray(self.vector, dtype=np.float64)
        return Query(
            image=picture,
            id=self.id,
            text=self.text,
            vector=vector,
            like=self.like,
            unlike=self.unlike,
            weights=self.weights,
            from_space=self.from_space,
            space=self.space,
            metric=self.metric,
            prior=self.prior,
            k=self.k,
            directions=self.directions,
            where=self.where,
            max_distance=self.max_distance,
            diverse=self.diverse,
            explain=self.explain,
        )


async def read_question(request: Request) -> tuple[SearchRequest, bytes | None]:
    """The question of a request, and the bytes of the picture that came with it.

    Raises
    ------
    RequestValidationError
        It is not a question.
    HTTPException
        It is neither JSON nor a form.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "application/json":
        return _parsed(await request.body()), None
    if kind == "multipart/form-data":
        async with request.form(max_files=1, max_fields=1, max_part_size=_MEBIBYTE) as form:
            upload, rest = form.get("image"), form.get("query", "{}")
            if set(form) - {"image", "query"} or not isinstance(rest, str):
                raise _invalid("a form has the parts image (a file) and query (JSON), no others")
            data = await upload.read() if isinstance(upload, UploadFile) else None
            return _parsed(rest.encode()), data
    raise HTTPException(
        UNSUPPORTED_MEDIA, "send application/json, or multipart/form-data with a picture"
    )


def _parsed(body: bytes) -> SearchRequest:
    try:
        return SearchRequest.model_validate_json(body)
    except ValidationError as error:
        raise RequestValidationError(error.errors(include_url=False)) from error


def _invalid(message: str) -> RequestValidationError:
    return RequestValidationError([{"loc": ("body",), "msg": message, "type": "form"}])


# What the OpenAPI document says of the body, which FastAPI cannot see in a raw request.
REQUEST_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": SearchRequest.model_json_schema()},
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["image"],
                    "properties": {
                        "image": {"type": "string", "format": "binary"},
                        "query": {"type": "string", "description": "The JSON form, as text."},
                    },
                }
            },
        },
    }
}
