"""Pictures in: `POST /v1/items`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import partial
from typing import Any, Final, NoReturn

from fastapi import APIRouter, Request
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from api.http.access import needs
from api.http.problems import documented
from api.http.server import Server, ServerOf
from api.http.submission import IdempotencyKey, accepted, owned, promise
from api.jobs.job import Progress
from api.jobs.names import display_name
from api.jobs.tray import Tray
from api.jobs.uploads import (
    LABELS_BY_FILE,
    RefusedItem,
    UploadedItem,
    UploadJob,
    require_fillable,
    require_labels,
)
from latentdb.errors import LabelsError, PictureError
from latentdb.types import LabelValue
from latentdb.wire.items import image_address

router = APIRouter(prefix="/v1", tags=["items"])

_UNSUPPORTED_MEDIA: Final = 415
_FIELD_BYTES: Final = 2**20
_PARTS: Final = frozenset({"files", "labels", "spaces"})
_BODY: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["files"],
                    "additionalProperties": False,
                    "properties": {
                        "files": {
                            "type": "array",
                            "minItems": 1,
                            "items": {"type": "string", "format": "binary"},
                            "description": "Pictures.",
                        },
                        "labels": {
                            "type": "string",
                            "description": "JSON: {file name: {column: value}}.",
                        },
                        "spaces": {
                            "type": "string",
                            "description": "JSON list of the spaces that they get vectors in; all "
                            "that have a model where not given.",
                        },
                    },
                },
            }
        },
    }
}


@router.post(
    "/items",
    status_code=202,
    dependencies=[needs("write")],
    openapi_extra=_BODY,
    responses=documented(400, 401, 403, 404, 408, 409, 413, 415, 422, 429, 503),
)
async def upload(
    request: Request, server: ServerOf, idempotency_key: IdempotencyKey = None
) -> JSONResponse:
    """Take pictures in. Once this answers they are safe, and a job gives them their vectors.

    Those that cannot be used are told with the reason, and the others go on.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "multipart/form-data":
        raise HTTPException(_UNSUPPORTED_MEDIA, "send multipart/form-data with files")
    most = server.settings.max_uploads
    async with request.form(
        max_files=most, max_fields=len(_PARTS), max_part_size=_FIELD_BYTES
    ) as form:
        files = _files_of(form)
        labels, spaces = _labels_of(form), _spaces_of(form)
        sent = {file.filename or "" for file in files}
        if unknown := sorted(set(labels) - sent):
            raise LabelsError(f"labels are of files that came with them; {unknown[0]!r} did not")

        def check() -> None:
            require_fillable(server.db, spaces)
            require_labels(server.db, labels)

        await server.work.run(check)
        key = owned(request, idempotency_key)
        return await _taken(server, files, labels, spaces, key=key)


async def _taken(
    server: Server,
    files: list[UploadFile],
    labels: Mapping[str, Mapping[str, LabelValue]],
    spaces: tuple[str, ...] | None,
    *,
    key: str | None,
) -> JSONResponse:
    """Pictures on disk, the job that they wait for, and the promise."""
    work, megapixels = server.work, server.settings.max_megapixels
    tray = await work.run(lambda: Tray(server.db.store.path, max_megapixels=megapixels))
    try:
        placed, refused = await _placed(server, tray, files)
        said = {item.file: labels[name] for name, item in placed if name in labels}
        await work.run(lambda: tray.label(said))
        items = tuple(item for _, item in placed)
        asked = UploadJob(spaces=spaces, items=items, quarantined=tuple(refused))
        arguments = asked.model_dump(mode="json")
        job = await promise(server, asked.name, arguments, key=key, settle=tray.settle)
    finally:
        await work.run(tray.discard)
    body = {
        "job": job.shown(Progress()),
        "items": [item.model_dump(exclude={"file"}) for item in items],
        "quarantined": [one.model_dump() for one in refused],
    }
    return accepted(job, body)


async def _placed(
    server: Server, tray: Tray, files: list[UploadFile]
) -> tuple[list[tuple[str, UploadedItem]], list[RefusedItem]]:
    """Pictures in the tray, each with the name that it was sent under, and those refused."""
    placed: list[tuple[str, UploadedItem]] = []
    refused: list[RefusedItem] = []
    for file in files:
        # One picture at a time is in memory, and others take their turn between two.
        data, sent = await file.read(), file.filename or ""
        try:
            one = await server.work.run(partial(tray.place, sent, data))
        except PictureError as error:
            shown = display_name(sent)
            refused.append(RefusedItem(name=shown, reason=error.reason, message=error.message))
        else:
            image = image_address(one.id)
            item = UploadedItem(name=one.name, id=one.id, image=image, file=one.file)
            placed.append((sent, item))
    return placed, refused


def _files_of(form: FormData) -> list[UploadFile]:
    if unknown := sorted(set(form) - _PARTS):
        _refuse(f"a form has the parts {', '.join(sorted(_PARTS))}, not {unknown[0][:64]!r}")
    files = form.getlist("files")
    pictures = [one for one in files if isinstance(one, UploadFile)]
    if not pictures or len(pictures) < len(files):
        _refuse("the part files is one picture or more, each with a file name")
    return pictures


def _labels_of(form: FormData) -> dict[str, dict[str, LabelValue]]:
    text = _text_of(form, "labels")
    if text is None:
        return {}
    try:
        return LABELS_BY_FILE.validate_json(text)
    except ValidationError as error:
        raise RequestValidationError(error.errors(include_url=False)) from error


def _spaces_of(form: FormData) -> tuple[str, ...] | None:
    text = _text_of(form, "spaces")
    if text is None:
        return None
    try:
        names = json.loads(text)
    except ValueError:
        names = None
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        _refuse("the part spaces is a JSON list of names")
    if not names or len(names) > 64:
        _refuse("the part spaces names one space or more, at most 64")
    return tuple(dict.fromkeys(names))


def _text_of(form: FormData, part: str) -> str | None:
    """A part that is text and comes once."""
    parts = form.getlist(part)
    if not parts:
        return None
    if len(parts) > 1 or not isinstance(parts[0], str):
        _refuse(f"the part {part} is text, once")
    return str(parts[0])


def _refuse(message: str) -> NoReturn:
    raise RequestValidationError([{"loc": ("body",), "msg": message, "type": "form"}])
