"""Stored pictures: `/v1/items` and `/v1/quarantine`."""

from __future__ import annotations

import io
from typing import Annotated, Any

from fastapi import APIRouter, Body, Path, Query
from PIL import Image
from starlette.responses import JSONResponse, Response

from api.http.access import needs
from api.http.answers import json_response
from api.http.problems import documented
from api.http.server import ServerOf
from api.http.submission import written
from api.jobs.tray import delete_item
from api.jobs.uploads import Labels, require_labels
from latentdb.wire import encode
from latentdb.wire.items import after_cursor, label_columns_to_wire

router = APIRouter(prefix="/v1", tags=["items"])

ItemId = Annotated[int, Path(ge=0, lt=2**63)]

_READ = [needs("read")]
_WRITE = [needs("write")]
_THUMBNAIL_SIDE = 256
_PNG = b"\x89PNG"
# An id is a hash of the pixels, so what it leads to never changes.
_FOREVER = {"cache-control": "private, max-age=31536000, immutable"}
_PICTURE: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The picture",
        "content": {
            kind: {"schema": {"type": "string", "format": "binary"}}
            for kind in ("image/png", "image/jpeg")
        },
    },
}


@router.get("/items", dependencies=_READ, responses=documented(401, 403, 422, 429, 503))
async def items(
    server: ServerOf,
    where: Annotated[str | None, Query(max_length=4000)] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 24,
    cursor: Annotated[
        str | None, Query(max_length=64, description="`next` of the page before.")
    ] = None,
) -> JSONResponse:
    """Stored items page by page, with how many there are and what their labels are."""
    after = after_cursor(cursor)

    def listing() -> dict[str, Any]:
        page = server.db.list_items(where=where, limit=limit, after=after)
        columns = label_columns_to_wire(server.db.label_columns())
        return {"labels": columns, **encode(page)}

    return json_response(await server.work.run(listing))


@router.get(
    "/items/{item_id}", dependencies=_READ, responses=documented(401, 403, 404, 422, 429, 503)
)
async def item(server: ServerOf, item_id: ItemId) -> JSONResponse:
    """One stored item."""
    return json_response(await server.work.run(lambda: encode(server.db.items([item_id])[0])))


@router.get(
    "/items/{item_id}/image",
    dependencies=_READ,
    response_class=Response,
    responses={**documented(401, 403, 404, 422, 429, 503), **_PICTURE},
)
async def image(
    server: ServerOf,
    item_id: ItemId,
    size: Annotated[int, Query(ge=16, le=4096)] = 1024,
    exact: Annotated[
        bool, Query(description="PNG, pixel for pixel where `size` does not scale it.")
    ] = False,
) -> Response:
    """A stored picture, its longer side at most `size` pixels."""

    def picture() -> bytes:
        if size <= _THUMBNAIL_SIDE and not exact:
            return server.db.thumbnail(item_id)
        return _encoded(server.db.picture(item_id), size, exact=exact)

    return _picture_response(await server.work.run(picture))


@router.get(
    "/items/{item_id}/thumbnail",
    dependencies=_READ,
    response_class=Response,
    responses={**documented(401, 403, 404, 422, 429, 503), **_PICTURE},
)
async def thumbnail(server: ServerOf, item_id: ItemId) -> Response:
    """A stored picture, its longer side at most 256 pixels."""
    return _picture_response(await server.work.run(lambda: server.db.thumbnail(item_id)))


@router.put(
    "/items/{item_id}/labels",
    dependencies=_WRITE,
    responses=documented(401, 403, 404, 408, 409, 413, 422, 429, 503),
)
async def set_labels(
    server: ServerOf,
    item_id: ItemId,
    labels: Annotated[
        Labels,
        Body(
            description="Value by column; null takes one away, and those not named stay.",
            examples=[{"hat": True, "note": None}],
        ),
    ],
) -> JSONResponse:
    """Set labels of an item; the item as it is then."""

    def write() -> dict[str, Any]:
        db = server.db
        db.items([item_id])
        require_labels(db, {"": labels})
        # A column that no item has is none to take a value from.
        known = db.label_columns()
        kept = {
            name: [value] for name, value in labels.items() if value is not None or name in known
        }
        db.store.set_labels([item_id], kept)
        return encode(db.items([item_id])[0])

    return json_response(await written(server, write))


@router.delete(
    "/items/{item_id}",
    status_code=204,
    dependencies=_WRITE,
    response_class=Response,
    responses=documented(401, 403, 404, 409, 422, 429, 503),
)
async def delete(server: ServerOf, item_id: ItemId) -> Response:
    """Delete an item with its vectors, and its picture where that was uploaded."""
    await written(server, lambda: delete_item(server.db, item_id))
    return Response(status_code=204)


@router.get("/quarantine", dependencies=_READ, responses=documented(401, 403, 429, 503))
async def quarantine(server: ServerOf) -> JSONResponse:
    """Files that could not be used when they were ingested, each with its reason."""
    rows = await server.work.run(server.db.quarantine)
    return json_response([encode(row) for row in rows])


def _picture_response(data: bytes) -> Response:
    media_type = "image/png" if data.startswith(_PNG) else "image/jpeg"
    return Response(data, media_type=media_type, headers=_FOREVER)


def _encoded(picture: Image.Image, size: int, *, exact: bool) -> bytes:
    """The picture, its longer side at most `size`: PNG where it is small or exact, else JPEG."""
    if max(picture.size) > size:
        picture = picture.copy()
        picture.thumbnail((size, size), Image.Resampling.LANCZOS)
    file = io.BytesIO()
    if exact or max(picture.size) <= _THUMBNAIL_SIDE:
        picture.save(file, "PNG", compress_level=1)
    else:
        picture.save(file, "JPEG", quality=90)
    return file.getvalue()
