"""The routes, one subject a file. What computes runs in threads; the event loop only passes on."""

from api.http.routes import (
    health,
    items,
    jobs,
    learned,
    projection,
    search,
    session,
    spaces,
    studies,
    uploads,
)

ROUTERS = (
    health.router,
    session.router,
    search.router,
    items.router,
    uploads.router,
    spaces.router,
    projection.router,
    learned.router,
    studies.router,
    jobs.router,
)
