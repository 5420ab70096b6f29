"""The routes, one subject a file. What computes runs in threads; the event loop only passes on."""

from api.http.routes import health, items, learned, projection, search, session, spaces

ROUTERS = (
    health.router,
    session.router,
    search.router,
    items.router,
    spaces.router,
    projection.router,
    learned.router,
)
