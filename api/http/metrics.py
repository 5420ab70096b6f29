"""What is measured of a server, for Prometheus.

With several processes each writes its figures to a file of its own in the folder that
`PROMETHEUS_MULTIPROC_DIR` names, and whichever is asked adds them up.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, final

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector
from starlette.types import ASGIApp, Message, Receive, Scope, Send

import latentdb

if TYPE_CHECKING:
    from api.http.cache import AnswerCache
    from latentdb.index import LoadedIndex

SHARED_FOLDER = "PROMETHEUS_MULTIPROC_DIR"
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0)
_SIZES = (1, 2, 4, 8, 16, 32, 64, 128, 256)


@final
class Metrics:
    """Figures of one process, and of all that serve with it."""

    def __init__(self) -> None:
        self._own = own = CollectorRegistry()
        if SHARED_FOLDER not in os.environ:
            ProcessCollector(registry=own)
            PlatformCollector(registry=own)

        def histogram(name: str, told: str, labels: tuple[str, ...], buckets: Any) -> Histogram:
            return Histogram(f"latentdb_{name}", told, labels, registry=own, buckets=buckets)

        def gauge(name: str, told: str, labels: tuple[str, ...] = (), *, each: bool) -> Gauge:
            # Of what each process has for itself the sum counts; of what all see, the last look.
            mode: Any = "livesum" if each else "livemostrecent"
            return Gauge(f"latentdb_{name}", told, labels, registry=own, multiprocess_mode=mode)

        self.requests = histogram(
            "request_seconds", "From request to answer", ("method", "route", "status"), _SECONDS
        )
        self.questions = histogram(
            "query_seconds", "Of a question, by what it is asked with", ("kind",), _SECONDS
        )
        self.batch_sizes = histogram(
            "search_batch_size", "Questions that were answered together", (), _SIZES
        )
        self.waited = histogram(
            "search_wait_seconds", "What a question waited to be begun", (), _SECONDS
        )
        self._cache_looks = Counter(
            "latentdb_cache_lookups_total",
            "Questions that an answer was there for, and others",
            ("outcome",),
            registry=own,
        )
        self._counted = {"hit": 0, "miss": 0}
        self._cache_bytes = gauge("cache_bytes", "Of answers that are kept", each=True)
        self._cached = gauge("cache_answers", "That are kept", each=True)
        self._waiting = gauge("queue_length", "Requests inside", ("queue",), each=True)
        self._models = gauge("models_loaded", "Models in memory", each=True)
        self._jobs = gauge("jobs", "By state", ("state",), each=False)
        self._newer = gauge(
            "index_newer_rows", "Rows searched beside an index", ("index",), each=False
        )
        self._removed = gauge(
            "index_removed_rows", "Rows of an index that are gone", ("index",), each=False
        )
        self._age = gauge("index_age_seconds", "Since an index was built", ("index",), each=False)
        self._recall = gauge(
            "index_recall",
            "Recall@10 of a kind of question, when an index was built",
            ("index", "question"),
            each=False,
        )
        self._audited = gauge(
            "index_audit_recall",
            "The same, when an index was last audited",
            ("index", "question"),
            each=False,
        )
        self._missed = gauge(
            "index_audit_below_target",
            "Whether the last audit of an index found too little",
            ("index",),
            each=False,
        )
        self._build = gauge("build_info", "What serves", ("version",), each=False)
        self._build.labels(latentdb.__version__).set(1)

    def look_at_cache(self, cache: AnswerCache) -> None:
        """Take over what a cache counted."""
        for outcome, count in (("hit", cache.hits), ("miss", cache.misses)):
            self._cache_looks.labels(outcome).inc(count - self._counted[outcome])
            self._counted[outcome] = count
        self._cache_bytes.set(cache.bytes)
        self._cached.set(len(cache))

    def look_at_queues(self, lengths: Mapping[str, int]) -> None:
        """Take over how many requests wait or are worked on, by queue."""
        for queue, length in lengths.items():
            self._waiting.labels(queue).set(length)

    def look_at_database(
        self, models: int, indexes: list[LoadedIndex], jobs: Mapping[str, int]
    ) -> None:
        """Take over what is loaded, how far indexes are behind, and the jobs."""
        self._models.set(models)
        for index in indexes:
            self._newer.labels(index.name).set(index.newer_rows)
            self._removed.labels(index.name).set(index.facts.removed_rows)
            if index.age_s is not None:
                self._age.labels(index.name).set(index.age_s)
            for kind, recall in index.facts.recall.items():
                self._recall.labels(index.name, kind).set(recall)
            if index.audit is not None:
                self._missed.labels(index.name).set(not index.audit["target_met"])
                for kind, found in index.audit["recall"].items():
                    self._audited.labels(index.name, kind).set(found["recall"])
        for state, count in jobs.items():
            self._jobs.labels(state).set(count)

    def text(self) -> bytes:
        """All figures, in the text form of Prometheus."""
        folder = os.environ.get(SHARED_FOLDER)
        if folder is None:
            return generate_latest(self._own)
        together = CollectorRegistry()
        MultiProcessCollector(together, path=folder)  # type: ignore[no-untyped-call]
        return generate_latest(together)


@final
class Measured:
    """ASGI middleware: times every request, by the template of its route.

    Parameters
    ----------
    app : ASGIApp
    metrics : Metrics
    """

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        status = "500"

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = str(message["status"])
            await send(message)

        try:
            await self._app(scope, receive, watched)
        finally:
            route = getattr(scope.get("route"), "path", "other")
            method = scope["method"] if route != "other" else "other"
            seconds = time.perf_counter() - started
            self._metrics.requests.labels(method, route, status).observe(seconds)
