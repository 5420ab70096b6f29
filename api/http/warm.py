"""Getting ready: models and indexes are loaded and asked once, before the first client asks."""

from __future__ import annotations

import logging
import threading
from typing import final

from latentdb.database import LatentDB
from latentdb.errors import LatentDBError
from latentdb.query import Query
from latentdb.space import Space

_log = logging.getLogger("latentdb.http")


@final
class Warming:
    """Loads, in a thread beside the server, what its first questions will need.

    Of every space that holds vectors: the index that answers it, the text tower where it has
    one, and an answer to one question. What cannot be loaded is logged and named, and the server
    is ready without it: questions to other spaces can be answered.

    Parameters
    ----------
    db : LatentDB
    """

    def __init__(self, db: LatentDB) -> None:
        self._db = db
        self._thread: threading.Thread | None = None
        self._is_over = threading.Event()
        self._failed: list[str] = []

    @property
    def is_over(self) -> bool:
        """Whether everything was tried."""
        return self._is_over.is_set()

    @property
    def failed(self) -> list[str]:
        """Spaces that could not be made ready."""
        return list(self._failed)

    def start(self) -> None:
        """Begin, unless that was done."""
        if self._thread is None:
            self._thread = threading.Thread(target=self.run, name="warming", daemon=True)
            self._thread.start()

    def run(self) -> None:
        """Load and ask; returns when all was tried."""
        try:
            for name, space in self._db.spaces().items():
                self._warm(name, space)
        except LatentDBError:
            _log.exception("the database could not be made ready")
            self._failed.append("database")
        self._is_over.set()

    def _warm(self, name: str, space: Space) -> None:
        ids = self._db.store.vector_ids(name)
        if not len(ids):
            return
        try:
            if space.has_text:
                self._db.search(Query(text="a picture", space=name, k=1))
            self._db.search(Query(id=int(ids[0]), space=name, k=1))
        except LatentDBError:
            _log.exception("space %s could not be made ready", name)
            self._failed.append(name)
