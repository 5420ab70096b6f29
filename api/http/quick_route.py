"""Routes that are asked often: described as all others are, and called without ceremony."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, final

from fastapi import Request
from fastapi.routing import APIRoute
from starlette.responses import Response

from api.http.access import Needs
from api.http.server import server_of


@final
class QuickRoute(APIRoute):
    """A route whose function takes the request and the server, and depends on scopes alone.

    FastAPI works out what a function depends on anew for every request, which takes a fifth of
    all that is done for a question. Here the scopes are checked, and the function is called.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """What answers a request."""
        asked = [one.dependency for one in self.dependencies]
        needs = [one for one in asked if isinstance(one, Needs)]
        if not needs or len(needs) < len(asked):
            raise TypeError(f"{self.path} depends on more than a scope, or on none")
        function = self.endpoint

        async def handle(request: Request) -> Response:
            for one in needs:
                await one(request, None)
            response: Response = await function(request, await server_of(request))
            return response

        return handle
