"""Stored pictures: `/v1/items`."""

from __future__ import annotations

import io
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from PIL import Image
from starlette.responses import JSONResponse, Response

from api.http.access import needs
from api.http.answers import item_json, json_response
from api.http.problems import documented
from api.http.server import ServerOf
from latentdb.filters import filter_ids

router = APIRouter(prefix="/v1", tags=["items"], dependencies=[needs("read")])

ItemId = Annotated[int, Path(ge=0, lt=2**63)]

_THUMBNAIL_SIDE = 256
_PNG = b"\x89PNG"
# An id is a hash of the pixels, so what it leads to never changes.
_FOREVER = {"cache-control": "private, max-age=31536000, immutable"}


@router.get("/items", responses=documented(422, 503))
async def items(
    server: ServerOf,
    where: Annotated[str | None, Query(max_length=4000)] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 24,
) -> JSONResponse:
    """Stored items, with how many there are and what their labels are."""

    def listing() -> dict[str, Any]:
        store = server.db.store
        ids = store.item_ids() if where is None else filter_ids(store, where, None)
        found = server.db.items(ids[:limit].tolist())
        labels = {name: kind.__name__ for name, kind in store.label_columns().items()}
        return {"count": len(ids), "labels": labels, "items": [item_json(item) for item in found]}

    return json_response(await server.work.run(listing))


@router.get("/items/{item_id}/image", responses=documented(404, 422, 503))
async def image(
    server: ServerOf, item_id: ItemId, size: Annotated[int, Query(ge=16, le=4096)] = 1024
) -> Response:
    """A stored picture, its longer side at most `size` pixels."""

    def picture() -> bytes:
        if size <= _THUMBNAIL_SIDE:
            return server.db.thumbnail(item_id)
        return _encoded(server.db.picture(item_id), size)

    data = await server.work.run(picture)
    media_type = "image/png" if data.startswith(_PNG) else "image/jpeg"
    return Response(data, media_type=media_type, headers=_FOREVER)


def _encoded(picture: Image.Image, size: int) -> bytes:
    """The picture, its longer side at most `size`: PNG where it is small, else JPEG."""
    if max(picture.size) > size:
        picture = picture.copy()
        picture.thumbnail((size, size), Image.Resampling.LANCZOS)
    file = io.BytesIO()
    if max(picture.size) <= _THUMBNAIL_SIDE:
        picture.save(file, "PNG")
    else:
        picture.save(file, "JPEG", quality=90)
    return file.getvalue()
