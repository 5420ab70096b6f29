"""Reading the body of a question: JSON, or a form of a picture and JSON."""

from __future__ import annotations

import json
import re
from typing import Any, Final, TypeVar

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from PIL import Image
from pydantic import BaseModel, ValidationError
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException

from api.http.models.requests import SearchRequest
from api.http.problems import BAD_REQUEST
from api.http.server import Server
from latentdb.ingest.decode import decode_upload

M = TypeVar("M", bound=BaseModel)

UNSUPPORTED_MEDIA = 415
JSON, FORM = "application/json", "multipart/form-data"
_MEBIBYTE = 2**20
# Strings of JSON without escapes, and whether a colon follows, as it does names.
_STRINGS: Final = re.compile(rb'"([^"]*)"(\s*:)?')


async def read_json(request: Request, model: type[M]) -> M:
    """The JSON body of a request.

    Raises
    ------
    RequestValidationError
        It is not what `model` says.
    HTTPException
        It is no JSON.
    """
    if _kind(request) != JSON:
        raise HTTPException(UNSUPPORTED_MEDIA, f"send {JSON}")
    return parsed(await request.body(), model)


async def read_question(request: Request, model: type[M]) -> tuple[M, bytes | None]:
    """The question of a request, and the bytes of the picture that came with it.

    Raises
    ------
    RequestValidationError
        It is not what `model` says, or no form of a picture and a question.
    HTTPException
        It is neither JSON nor a form.
    """
    kind = _kind(request)
    if kind == JSON:
        return parsed(await request.body(), model), None
    if kind == FORM:
        return await _read_form(request, model)
    raise HTTPException(UNSUPPORTED_MEDIA, f"send {JSON}, or {FORM} with a picture")


async def read_picture(server: Server, data: bytes | None) -> Image.Image | None:
    """The picture that a form brought, where it did.

    Raises
    ------
    PictureError
        It is none, or larger than the server takes.
    """
    if data is None:
        return None
    most = server.settings.max_megapixels
    return await server.work.run(lambda: decode_upload(data, max_megapixels=most))


async def _read_form(request: Request, model: type[M]) -> tuple[M, bytes]:
    if "boundary=" not in request.headers["content-type"]:
        raise HTTPException(BAD_REQUEST, f"{FORM} names its boundary in Content-Type")
    try:
        form = await request.form(max_files=1, max_fields=1, max_part_size=_MEBIBYTE)
    except LookupError as error:
        raise HTTPException(BAD_REQUEST, f"the form cannot be read: {error}") from error
    try:
        upload, rest = form.get("image"), form.get("query", "{}")
        is_known = not set(form) - {"image", "query"}
        if not (is_known and isinstance(upload, UploadFile) and isinstance(rest, str)):
            raise _invalid("a form has the parts image (a file) and query (JSON), no others")
        data = await upload.read()
    finally:
        await form.close()
    return parsed(rest.encode(), model), data


def parsed(body: bytes, model: type[M]) -> M:
    """JSON as a model.

    Raises
    ------
    RequestValidationError
        It is no JSON of UTF-8 in which every name stands once, or not what the model says.
    """
    try:
        read = model.model_validate_json(body)
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False, include_input=False)
        for one in found:
            one["loc"] = ("body", *one["loc"])
            one["msg"] = one["msg"].removeprefix("Value error, ")
        raise RequestValidationError(found) from error
    if _may_repeat_names(body):
        # pydantic would take the last of them; this parser is a tenth as fast on vectors.
        try:
            json.loads(body, object_pairs_hook=_each_name_once)
        except ValueError as error:
            raise _invalid(str(error)) from error
    return read


def _may_repeat_names(body: bytes) -> bool:
    """Whether a name stands twice in some JSON, be it in different objects; never missed."""
    names = [name for name, colon in _STRINGS.findall(body) if colon]
    return b"\\" in body or len(set(names)) < len(names)


def _each_name_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice in one object")
    return found


def _kind(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def _invalid(message: str) -> RequestValidationError:
    return RequestValidationError([{"loc": ("body",), "msg": message, "type": "body"}])


def body_of(model: type[BaseModel], *, takes_picture: bool = False) -> dict[str, Any]:
    """What the OpenAPI document says of a body, which FastAPI cannot see in a raw request."""
    schema = {"$ref": f"#/components/schemas/{model.__name__}"}
    content: dict[str, Any] = {JSON: {"schema": schema}}
    if takes_picture:
        content[FORM] = {
            "schema": {
                "type": "object",
                "required": ["image"],
                "additionalProperties": False,
                "properties": {
                    "image": {
                        "type": "string",
                        "format": "binary",
                        "description": "A picture file: what is asked with, or changed.",
                    },
                    "query": {"type": "string", "description": "The JSON form, as text."},
                },
            }
        }
    return {"requestBody": {"required": True, "content": content}}


REQUEST_BODY: Final = body_of(SearchRequest, takes_picture=True)
