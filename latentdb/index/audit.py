"""Audits: what searches find now, checked against every stored row for a sample of questions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final, TypedDict, Unpack, final

import numpy as np

from latentdb.index.asking import FEWEST_NEW, Asker
from latentdb.index.exam import Exam, Recall
from latentdb.index.live import LiveIndex
from latentdb.index.name import IndexName
from latentdb.index.questions import QUESTION_KINDS, QuestionKind, Questions, QuestionSet
from latentdb.index.truth import exact_neighbours
from latentdb.store import Store

# Of each kind, where not said: recall is then known to about .01.
AUDIT_QUESTIONS: Final = 200


class AuditOptions(TypedDict, total=False):
    """How an audit asks: questions of each kind, the recall each is to reach, the seed.

    Where no target is given it is the one that the index was tuned for, and 1 for exact search.
    """

    questions: int
    target: float | None
    seed: int


@final
@dataclass(frozen=True)
class IndexAudit:
    """What the searches of one index find now.

    Parameters
    ----------
    index : IndexName
    kind : str
        Its structure.
    target : float
        Recall that every kind of question was to reach.
    recall : mapping of kind of question to Recall
    before : mapping of kind of question to float
        What was measured when the index was built; nothing of exact search.
    not_asked : mapping of kind of question to str
        Why there were no questions of the other kinds.
    """

    index: IndexName
    kind: str
    target: float
    recall: Mapping[QuestionKind, Recall]
    before: Mapping[QuestionKind, float] = field(default_factory=dict)
    not_asked: Mapping[QuestionKind, str] = field(default_factory=dict)

    @property
    def missing(self) -> list[QuestionKind]:
        """Kinds of questions that certainly find less than they are to."""
        return [kind for kind, one in self.recall.items() if one.misses(self.target)]

    @property
    def alarm(self) -> str | None:
        """What is wrong and what to do about it; None where nothing is."""
        if not self.missing:
            return None
        said = ", ".join(
            f"{self.recall[kind].value:.3f} ± {self.recall[kind].error:.3f} of what {kind} "
            "questions ask for"
            for kind in self.missing
        )
        return (
            f"index {self.index} finds {said}, below {self.target:g}: build it again with "
            f"latentdb index DB --space {self.index.space} --metric {self.index.metric} "
            f"--kind {self.kind} --target-recall {self.target:g}"
        )

    def to_json(self) -> dict[str, Any]:
        """Plain dictionary for JSON."""
        return {
            "index": str(self.index),
            **self.index._asdict(),
            "kind": self.kind,
            "target": self.target,
            "target_met": not self.missing,
            "recall": {
                kind: {**one.to_json(), "before": self.before.get(kind)}
                for kind, one in self.recall.items()
            },
            "not_asked": dict(self.not_asked),
            "alarm": self.alarm,
        }


def audit_index(
    store: Store, asker: Asker, name: IndexName, live: LiveIndex, **options: Unpack[AuditOptions]
) -> IndexAudit:
    """Ask an index questions of every kind and compare with all rows that are stored.

    Newer rows are searched beside it, as in every search. Where there are some they are questions
    of new pictures, asked of the index alone.

    Parameters
    ----------
    store, asker
        Of the database.
    name : IndexName
    live : LiveIndex
        The index as it is searched.
    **options
        See `AuditOptions`.
    """
    space = store.space(name.space)
    count, seed = options.get("questions", AUDIT_QUESTIONS), options.get("seed", 1)
    asked = asker.questions(space, count=count, seed=seed, among=live.rows.ids)
    exact = partial(exact_neighbours, store, space.name, live.metric)
    recall, _ = Exam.of(asked, exact).take(live)
    not_asked = dict(asked.not_asked)
    newer = np.setdiff1d(live.rows.ids, live.index.ids)[:count]
    if len(newer) >= FEWEST_NEW:
        new = QuestionSet.of_no_item(store.vectors(space.name, newer))
        alone = partial(exact, among=live.index.ids)
        recall |= Exam.of(Questions({"image": new}), alone).take(live.index)[0]
        del not_asked["image"]
    target = options.get("target")
    return IndexAudit(
        index=name,
        kind=live.index.config.kind,
        target=live.facts.target_recall if target is None else target,
        recall={kind: recall[kind] for kind in QUESTION_KINDS if kind in recall},
        before=live.facts.recall,
        not_asked=not_asked,
    )
