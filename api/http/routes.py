"""The routes. What computes runs in threads; the event loop only reads and writes."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import asdict
from typing import Annotated, Any, TypeVar, final

import anyio.to_thread
from anyio import CapacityLimiter
from fastapi import APIRouter, Path, Query, Request
from PIL import Image
from starlette.responses import JSONResponse, Response

from api.http.guard import Limits
from api.http.questions import REQUEST_BODY, read_question
from api.jsonable import jsonable
from latentdb.database import LatentDB
from latentdb.filters import filter_ids
from latentdb.ingest.decode import decode_picture
from latentdb.types import Answer, Item

T = TypeVar("T")
ItemId = Annotated[int, Path(ge=0, lt=2**63)]

_THUMBNAIL_SIDE = 256
_PNG = b"\x89PNG"
# An id is a hash of the pixels, so what it leads to never changes.
_FOREVER = {"cache-control": "private, max-age=31536000, immutable"}


@final
class Routes:
    """The routes over one database.

    Parameters
    ----------
    db : LatentDB
    limits : Limits
    """

    def __init__(self, db: LatentDB, limits: Limits) -> None:
        self._db = db
        self._limits = limits
        self._limiter: CapacityLimiter | None = None

    def router(self) -> APIRouter:
        """All routes, ready to be included in an app."""
        router = APIRouter()
        add = router.add_api_route
        add("/healthz", self.healthz, methods=["GET"])
        add("/v1/search", self.search, methods=["POST"], openapi_extra=REQUEST_BODY)
        add("/v1/items", self.items, methods=["GET"])
        add("/v1/items/{item_id}/image", self.image, methods=["GET"])
        add("/v1/spaces", self.spaces, methods=["GET"])
        add("/v1/maps", self.maps, methods=["GET"])
        add("/v1/directions", self.directions, methods=["GET"])
        return router

    async def healthz(self) -> dict[str, str]:
        """Whether the server is up."""
        return {"status": "ok"}

    async def search(self, request: Request) -> JSONResponse:
        """The items nearest to a text, a stored item, a vector or an uploaded picture."""
        question, data = await read_question(request)

        def answer() -> dict[str, Any]:
            most = self._limits.max_megapixels
            picture = None if data is None else decode_picture(data, max_megapixels=most)
            return _answer_json(self._db.search(question.to_query(picture)))

        return await self._json(answer)

    async def items(
        self,
        where: Annotated[str | None, Query(max_length=4000)] = None,
        limit: Annotated[int, Query(ge=1, le=500)] = 24,
    ) -> JSONResponse:
        """Stored items, with how many there are and what their labels are."""

        def listing() -> dict[str, Any]:
            store = self._db.store
            ids = store.item_ids() if where is None else filter_ids(store, where, None)
            found = self._db.items(ids[:limit].tolist())
            labels = {name: kind.__name__ for name, kind in store.label_columns().items()}
            return {
                "count": len(ids),
                "labels": labels,
                "items": [_item_json(item) for item in found],
            }

        return await self._json(listing)

    async def image(
        self, item_id: ItemId, size: Annotated[int, Query(ge=16, le=4096)] = 1024
    ) -> Response:
        """A stored picture, its longer side at most `size` pixels."""

        def picture() -> bytes:
            if size <= _THUMBNAIL_SIDE:
                return self._db.thumbnail(item_id)
            return _encoded(self._db.picture(item_id), size)

        data = await self._in_thread(picture)
        media_type = "image/png" if data.startswith(_PNG) else "image/jpeg"
        return Response(data, media_type=media_type, headers=_FOREVER)

    async def spaces(self) -> JSONResponse:
        """The spaces, their settings, and how many vectors each has."""

        def listing() -> list[dict[str, Any]]:
            return [
                {**_without_spec(space.to_json()), "vectors": len(self._db.store.vector_ids(name))}
                for name, space in self._db.spaces().items()
            ]

        return await self._json(listing)

    async def maps(self) -> JSONResponse:
        """The maps between spaces, with their held-out scores."""
        return await self._json(lambda: [found.to_json() for found in self._db.maps()])

    async def directions(self) -> JSONResponse:
        """The fitted directions, with their held-out scores."""
        return await self._json(lambda: [found.to_json() for found in self._db.directions()])

    async def _json(self, work: Callable[[], Any]) -> JSONResponse:
        return JSONResponse(jsonable(await self._in_thread(work)))

    async def _in_thread(self, work: Callable[[], T]) -> T:
        if self._limiter is None:  # made here, because it belongs to the running event loop
            self._limiter = CapacityLimiter(self._limits.concurrent)
        return await anyio.to_thread.run_sync(work, limiter=self._limiter)


def _answer_json(answer: Answer) -> dict[str, Any]:
    """The contract's JSON, with the address of each hit's picture."""
    body = answer.to_json()
    for hit in body["hits"]:
        hit["image"] = _image_address(hit["id"])
    return body


def _item_json(item: Item) -> dict[str, Any]:
    return {**asdict(item), "image": _image_address(item.id)}


def _image_address(item_id: int) -> str:
    """Where a picture is; its id is read from here by clients that lack 63-bit integers."""
    return f"/v1/items/{item_id}/image"


def _without_spec(space: dict[str, Any]) -> dict[str, Any]:
    """A space as clients see it: where its model lies on this machine is left out."""
    return {key: value for key, value in space.items() if key != "spec"}


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
