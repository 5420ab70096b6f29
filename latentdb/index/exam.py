"""Questions with their true answers: what an index finds of them is measured here."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol, final

import numpy as np

from indexers.recall import recall_at_k
from indexers.types import PAD_ID, FloatArray, IdArray, SearchResult
from latentdb.index.questions import QuestionKind, Questions, QuestionSet
from latentdb.model import Vectors

# Neighbours that recall is counted over.
K: Final = 10
# Standard errors below a target at which it is certainly missed: 95 % on one side.
_CERTAIN = 1.645


class Searchable(Protocol):
    """An index, alone or with the rows that are newer."""

    def search(self, queries: Vectors, k: int) -> SearchResult:
        """The nearest rows of each query."""


@final
@dataclass(frozen=True)
class Recall:
    """Share of the true 10 nearest that was found, of one kind of question.

    Parameters
    ----------
    value : float
        Mean over the questions, in [0, 1].
    error : float
        Standard error of the mean.
    questions : int
        How many were asked.
    """

    value: float
    error: float
    questions: int

    @classmethod
    def of(cls, each: FloatArray) -> Recall:
        """Of the recall of each question (n,), to four digits: more are of what was asked."""
        spread = float(each.std(ddof=1)) if len(each) > 1 else 0.0
        error = spread / math.sqrt(len(each))
        return cls(round(float(each.mean()), 4), round(error, 4), len(each))

    def misses(self, target: float) -> bool:
        """Whether it is certainly below `target`, and not by the chance of what was asked."""
        if target >= 1.0:
            return self.value < 1.0
        return self.value + _CERTAIN * self.error < target

    def to_json(self) -> dict[str, Any]:
        """Plain dictionary for JSON."""
        return {"recall": self.value, "error": self.error, "questions": self.questions}


@final
@dataclass(frozen=True, eq=False)
class Exam:
    """Questions of each kind, and the distances (n, 10) of their true neighbours.

    `not_asked` says why there are none of the other kinds.
    """

    questions: Mapping[QuestionKind, QuestionSet]
    truth: Mapping[QuestionKind, FloatArray]
    not_asked: Mapping[QuestionKind, str]

    @classmethod
    def of(cls, questions: Questions, exact: Callable[[Vectors, int], SearchResult]) -> Exam:
        """All questions with their answers, which `exact` is asked for at once."""
        sets = list(questions.asked.values())
        found = exact(np.concatenate([one.vectors for one in sets]), K + 1)
        own = np.concatenate([one.own for one in sets])
        ends = np.cumsum([len(one) for one in sets])[:-1]
        truth = np.split(_without_own(found, own), ends)
        answers = dict(zip(questions.asked, truth, strict=True))
        return cls(questions.asked, answers, questions.not_asked)

    def halves(self) -> tuple[Exam, Exam]:
        """Half of the questions of each kind, drawn at random, and the rest."""
        orders = {
            kind: np.random.default_rng(len(one)).permutation(len(one))
            for kind, one in self.questions.items()
        }
        first, second = (
            Exam(
                {kind: one[orders[kind][start::2]] for kind, one in self.questions.items()},
                {kind: one[orders[kind][start::2]] for kind, one in self.truth.items()},
                self.not_asked,
            )
            for start in (0, 1)
        )
        return first, second

    def take(self, index: Searchable) -> tuple[dict[QuestionKind, Recall], float]:
        """What an index finds, by kind of question, and the seconds that its searches took."""
        recall: dict[QuestionKind, Recall] = {}
        seconds = 0.0
        for kind, asked in self.questions.items():
            started = time.perf_counter()
            answer = index.search(asked.vectors, K + 1)
            seconds += time.perf_counter() - started
            found = _without_own(answer, asked.own)
            each = [
                recall_at_k(one[None], true[None], K)
                for one, true in zip(found, self.truth[kind], strict=True)
            ]
            recall[kind] = Recall.of(np.array(each))
        return recall, seconds


def _without_own(found: SearchResult, own: IdArray) -> FloatArray:
    """Distances (n, 10) of the 11 that were found, less the item that each question was made of."""
    is_own = (found.ids == own[:, None]) & (own[:, None] != PAD_ID)
    nearest = np.argsort(is_own, axis=1, kind="stable")[:, :K]
    others = np.where(is_own, np.inf, found.distances)
    distances: FloatArray = np.take_along_axis(others, nearest, axis=1)
    return distances
