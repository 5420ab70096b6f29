"""The routes, one subject a file. What computes runs in threads; the event loop only passes on."""

from api.http.routes import (
    between,
    database,
    docs,
    edit,
    health,
    imagine,
    items,
    jobs,
    learned,
    projection,
    rank,
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
    rank.router,
    items.router,
    uploads.router,
    edit.router,
    between.router,
    imagine.router,
    database.router,
    spaces.router,
    projection.router,
    learned.router,
    studies.router,
    jobs.router,
    docs.router,
)
