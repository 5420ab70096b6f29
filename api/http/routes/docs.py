"""The description of this API, to read: `/docs`."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse

from api.http.access import needs
from api.http.reference_page import html_page

router = APIRouter(include_in_schema=False, dependencies=[needs("read")])


@router.get("/docs")
async def docs(request: Request) -> HTMLResponse:
    """The OpenAPI document as a page."""
    return HTMLResponse(html_page(request.app.openapi()))
