"""Making one index: its kind chosen, its rows put in, its search tuned by what it finds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, final

from indexers.index import VectorIndex
from indexers.stage import AbstractIndexConfig
from latentdb.index.asking import QUESTIONS, Asker
from latentdb.index.build import build_from_store
from latentdb.index.choose import choose, require_room
from latentdb.index.costs import Size
from latentdb.index.exam import Exam
from latentdb.index.name import IndexName
from latentdb.index.questions import QuestionSet
from latentdb.index.request import TARGET_RECALL, IndexRequest
from latentdb.index.truth import exact_neighbours
from latentdb.index.tuning import Tuning, tune, tuning_of
from latentdb.model import Vectors
from latentdb.progress import Progress
from latentdb.space import Space
from latentdb.store import Store

_SEED = 0


@final
@dataclass(frozen=True, eq=False)
class MadeIndex:
    """An index with what its manifest says of how it came to be."""

    index: VectorIndex
    tuning: Tuning | None
    reason: str | None

    def facts(self) -> dict[str, Any]:
        """For the manifest: exact answers need no measurement."""
        tuning = self.tuning
        return {
            "recall_at_10": 1.0 if tuning is None else tuning.least,
            "tuning": None if tuning is None else tuning.to_json(),
            "reason": self.reason,
        }


@final
class IndexMaker:
    """Makes indexes of the spaces of one store.

    Parameters
    ----------
    store : Store
    asker : Asker
        Makes the questions that approximate indexes are tuned by.
    """

    def __init__(self, store: Store, asker: Asker) -> None:
        self._store = store
        self._asker = asker

    def make(
        self, space: Space, name: IndexName, request: IndexRequest, progress: Progress
    ) -> MadeIndex:
        """The index that is asked for, in memory.

        Where a kind that was chosen does not find enough, an exact one takes its place, if there
        is memory for one.

        Raises
        ------
        NotEnoughDataError
            There are no vectors.
        ParameterError
            There is not enough memory for it; the text names a kind that there is enough for.
        """
        size = Size(len(self._store.vector_ids(space.name)), space.dim, name.metric)
        config = request.config
        if config is not None:
            require_room(config, size, request)
            return MadeIndex(*self._made(space, name, config, request, progress), None)
        choice = choose(size, request, is_noise=space.kind == "noise")
        index, tuning = self._made(space, name, choice.config, request, progress)
        if tuning is None or tuning.target_met or choice.otherwise is None:
            return MadeIndex(index, tuning, choice.reason)
        second, _ = self._made(space, name, choice.otherwise, request, progress)
        missed = (
            f"{choice.otherwise.kind}: exact, since {choice.config.kind}, which would be quicker, "
            f"found {tuning.least:.3f} of what {tuning.worst} questions ask for at its best, "
            f"below {tuning.target:g}"
        )
        return MadeIndex(second, None, missed)

    def measured_again(
        self, space: Space, index: VectorIndex, extra: Mapping[str, Any], progress: Progress
    ) -> MadeIndex:
        """An index that rows came to, searched with no less effort than before if it is to be.

        Parameters
        ----------
        space : Space
        index : VectorIndex
            Every row is in it, so that of new pictures what was measured before is told.
        extra : mapping
            Of its manifest.
        progress : Progress
        """
        reason = extra.get("reason")
        if index.config.is_exact:
            return MadeIndex(index, None, reason)
        before = tuning_of(extra)
        target = TARGET_RECALL if before is None else before.target
        exam = self._exam(space, index, None, progress)
        config, tuning = tune(index, exam, target=target, is_grown=True, progress=progress)
        tuning = tuning if before is None else tuning.with_earlier("image", before)
        return MadeIndex(index.at_effort(config), tuning, reason)

    def _made(
        self,
        space: Space,
        name: IndexName,
        config: AbstractIndexConfig,
        request: IndexRequest,
        progress: Progress,
    ) -> tuple[VectorIndex, Tuning | None]:
        """An index of one configuration, tuned where it is not exact."""
        if config.is_exact:
            return build_from_store(self._store, space, name, config, progress=progress), None
        held_out = self._asker.held_out(space, count=QUESTIONS, seed=_SEED)
        new = self._store.vectors(space.name, held_out)
        progress(0, 0, f"building {name} as {config.kind}")
        index = build_from_store(
            self._store, space, name, config, leave_out=held_out, progress=progress
        )
        exam = self._exam(space, index, new, progress)
        chosen, tuning = tune(index, exam, target=request.target, progress=progress)
        if len(new):
            index.add(new, held_out)
        return index.at_effort(chosen), tuning

    def _exam(
        self, space: Space, index: VectorIndex, new: Vectors | None, progress: Progress
    ) -> Exam:
        """Questions of every kind about the rows that are in an index, with their answers."""
        progress(0, 0, "finding true neighbours to measure by")
        questions = self._asker.questions(space, count=QUESTIONS, seed=_SEED, among=index.ids)
        if new is not None and len(new):
            questions = questions.and_also("image", QuestionSet.of_no_item(new))
        exact = partial(exact_neighbours, self._store, space.name, index.metric, among=index.ids)
        return Exam.of(questions, exact)
