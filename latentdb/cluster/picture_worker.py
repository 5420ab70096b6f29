"""What a worker of an ingest does: read, decode in processes of its own, embed."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from typing import final

import numpy as np

from latentdb.errors import ModelError
from latentdb.ingest.chunk import Decoded, DecodeSettings, PictureVector, Refused, Wanted
from latentdb.ingest.embedding import EmbeddedBatch, Embedder
from latentdb.ingest.pool import SECONDS_PER_PICTURE
from latentdb.ingest.recipes import AbstractRecipe
from latentdb.ingest.worker_process import WorkerDiedError, WorkerProcess
from latentdb.model import Transform
from latentdb.space import Space


@final
@dataclass(frozen=True)
class WorkerSetup:
    """What every worker of a run is told.

    `version` is that of the caller's package: two versions may decode alike and embed otherwise.
    """

    spaces: tuple[Space, ...]
    device: str
    batch_size: int | None
    max_megapixels: float
    min_side: int
    version: str


@final
@dataclass(frozen=True)
class Worked:
    """What became of a chunk, and what is to be told of it."""

    results: list[Decoded | Refused | None]
    messages: list[str]


@final
class PictureWorker:
    """Lives in an actor; several chunks may be with it at a time, told apart by tickets.

    Pictures that crash their decoder take a process of its own down, as on one machine.

    Parameters
    ----------
    setup : WorkerSetup
    """

    def __init__(self, setup: WorkerSetup) -> None:
        self._setup = setup
        self._lock = threading.Lock()
        self._model_lock = threading.Lock()
        self._idle: list[WorkerProcess] = []
        self._reading: dict[str, WorkerProcess] = {}
        self._messages: list[str] = []
        self._embedders: list[Embedder] = []
        self._transforms: list[Transform] = []
        self._settings = DecodeSettings((), setup.max_megapixels, setup.min_side)

    def ready(self) -> None:
        """Load the models.

        Raises
        ------
        ModelError
            A model cannot be loaded here, or this machine has another version of the package.
        SpaceMismatchError
            A model as it is here makes other vectors.
        """
        from latentdb.spaces import load_model

        here = version("latentdb")
        if here != self._setup.version:
            raise ModelError(
                f"a worker has latentdb {here} and the caller {self._setup.version}: install one "
                "version on every machine"
            )
        for space in self._setup.spaces:
            model = load_model(space.spec, device=self._setup.device)
            space.require_same(model.space)
            self._transforms.append(model.transform)
            self._embedders.append(
                Embedder(model, batch_size=self._setup.batch_size, tell=self._messages.append)
            )
        # Two spaces with equal transforms share one result.
        transforms = tuple(dict.fromkeys(self._transforms))
        self._settings = replace(self._settings, transforms=transforms)

    def read(self, ticket: str, recipes: Sequence[AbstractRecipe]) -> list[str | Refused]:
        """Content hash of each, or why it cannot be read; `decode` is next, `forget` or again."""
        with self._lock:
            process = self._reading.pop(ticket, None) or (self._idle.pop() if self._idle else None)
        if process is None:
            process = WorkerProcess(self._settings, timeout_s=len(recipes) * SECONDS_PER_PICTURE)
        try:
            hashes = process.read(recipes)
        except WorkerDiedError:
            process.kill()
            raise
        with self._lock:
            self._reading[ticket] = process
        return hashes

    def decode(self, ticket: str, wanted: Sequence[Wanted | None]) -> Worked:
        """The chunk that was read, decoded and embedded: `wanted` are places of spaces."""
        at = [self._settings.transforms.index(transform) for transform in self._transforms]
        with self._lock:
            process = self._reading.pop(ticket)
        try:
            decoded = process.decode(
                [None if one is None else tuple(sorted({at[i] for i in one})) for one in wanted]
            )
        except WorkerDiedError:
            process.kill()
            raise
        with self._lock:
            self._idle.append(process)
        with self._model_lock:
            vectors = self._embed(decoded, wanted, at)
            messages, self._messages[:] = list(self._messages), []
        results = [
            replace(one, pixels={}, vectors=vectors[place]) if isinstance(one, Decoded) else one
            for place, one in enumerate(decoded)
        ]
        return Worked(results, messages)

    def forget(self, ticket: str) -> None:
        """A chunk that was read is not wanted any more."""
        with self._lock:
            process = self._reading.pop(ticket, None)
        if process is not None:
            process.kill()

    def _embed(
        self,
        decoded: Sequence[Decoded | Refused | None],
        wanted: Sequence[Wanted | None],
        at: Sequence[int],
    ) -> list[dict[int, PictureVector]]:
        """Vectors per picture and space; a picture that fails in one is not tried in the next."""
        vectors: list[dict[int, PictureVector]] = [{} for _ in decoded]
        failed: set[int] = set()
        for space, embedder in enumerate(self._embedders):
            todo = [
                (place, one.pixels[at[space]])
                for place, (one, asked) in enumerate(zip(decoded, wanted, strict=True))
                if isinstance(one, Decoded) and space in (asked or ()) and place not in failed
            ]
            if not todo:
                continue
            places = [place for place, _ in todo]
            done = embedder.embed([pixels for _, pixels in todo])
            for place, vector in zip(places, _by_picture(done, len(todo)), strict=True):
                vectors[place][space] = vector
            failed |= {places[row] for row in done.failures}
        return vectors


def _by_picture(done: EmbeddedBatch, n: int) -> list[PictureVector]:
    """A batch, picture by picture."""
    row_of = {int(row): at for at, row in enumerate(done.rows)}
    found: list[PictureVector] = []
    for place in range(n):
        at = row_of.get(place)
        if at is None:
            found.append(PictureVector(None, {}, done.failures[place]))
            continue
        quality = {name: float(column[at]) for name, column in done.embedded.quality.items()}
        found.append(PictureVector(np.array(done.embedded.vectors[at]), quality))
    return found
