"""The routes, one subject a file. What computes runs in threads; the event loop only passes on."""

from api.http.routes import health, items, learned, search, spaces

ROUTERS = (health.router, search.router, items.router, spaces.router, learned.router)
