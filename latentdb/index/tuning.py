"""Tuning an index: the least effort at which it finds enough of every kind of question."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, final

from indexers.index import VectorIndex
from indexers.sharded import ShardedIndex
from indexers.stage import AbstractIndexConfig
from latentdb.index.exam import Exam, K, Recall
from latentdb.index.questions import QuestionKind
from latentdb.index.request import TARGET_RECALL
from latentdb.progress import Progress, silent

# Efforts come doubled; so often the step to the first that does is halved.
_HALVINGS = 2


@final
@dataclass(frozen=True)
class Tuning:
    """What an approximate index was set to, and what it then finds; kept in its manifest.

    Parameters
    ----------
    target : float
        Recall that every kind of question was to reach.
    target_met : bool
        Whether every kind reaches it, on the questions that the effort was chosen by and, up to
        their error, on those that it is reported on.
    k : int
        Neighbours that recall is counted over.
    settings : mapping of name to number
        The effort that was chosen, such as `ef_search`.
    recall, error : mapping of kind of question to float
        Measured on questions that nothing was chosen by, with the standard error.
    questions : mapping of kind of question to int
        How many those are.
    not_asked : mapping of kind of question to str
        Why there were no questions of the other kinds.
    tried : tuple of mapping
        Every effort that was looked at, on the other half of the questions: settings, recall by
        kind, ms per question with all asked at once.
    """

    target: float
    target_met: bool
    k: int
    settings: Mapping[str, int]
    recall: Mapping[QuestionKind, float]
    error: Mapping[QuestionKind, float]
    questions: Mapping[QuestionKind, int]
    not_asked: Mapping[QuestionKind, str] = field(default_factory=dict)
    tried: tuple[Mapping[str, Any], ...] = ()

    @property
    def least(self) -> float:
        """Recall of the kind of question that finds least."""
        return min(self.recall.values())

    @property
    def worst(self) -> QuestionKind:
        """The kind of question that finds least."""
        return min(self.recall, key=lambda kind: self.recall[kind])

    def with_earlier(self, kind: QuestionKind, before: Tuning) -> Tuning:
        """The same with what was measured before of a kind that could not be asked again."""
        if kind in self.recall or kind not in before.recall:
            return self
        return replace(
            self,
            recall={**self.recall, kind: before.recall[kind]},
            error={**self.error, kind: before.error[kind]},
            questions={**self.questions, kind: before.questions[kind]},
            not_asked={one: why for one, why in self.not_asked.items() if one != kind},
        )

    def to_json(self) -> dict[str, Any]:
        """Plain dictionary for JSON; `from_json` reads it back."""
        return {**asdict(self), "tried": [dict(one) for one in self.tried]}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Tuning:
        """What `to_json` wrote."""
        named = {one.name: data[one.name] for one in fields(cls)}
        return cls(**{**named, "tried": tuple(data["tried"])})


def tuning_of(extra: Mapping[str, Any]) -> Tuning | None:
    """How an index was tuned, of the `extra` of its manifest; None of an exact or older one."""
    told = extra.get("tuning")
    return None if told is None else Tuning.from_json(told)


@final
@dataclass(frozen=True)
class _Trial:
    """One effort, and what it found on the questions that are chosen by."""

    config: AbstractIndexConfig
    recall: Mapping[QuestionKind, Recall]
    ms_per_question: float

    def reaches(self, target: float) -> bool:
        """Whether every kind does, and by a standard error: what is chosen looks too good."""
        return all(one.value - one.error >= target for one in self.recall.values())

    @property
    def least(self) -> float:
        """Recall of the kind of question that finds least."""
        return min(one.value for one in self.recall.values())

    def to_json(self) -> dict[str, Any]:
        """Plain dictionary for JSON."""
        return {
            "settings": effort_of(self.config),
            "recall": {kind: one.value for kind, one in self.recall.items()},
            "ms_per_question": self.ms_per_question,
        }


def tune(
    index: VectorIndex | ShardedIndex,
    exam: Exam,
    *,
    target: float | None,
    is_grown: bool = False,
    progress: Progress = silent,
) -> tuple[AbstractIndexConfig, Tuning]:
    """The settings of least effort at which every kind of question reaches `target`.

    Where none does, those that come nearest; `Tuning.target_met` is false then. Without a target
    the settings of the index stay as they are and are measured.

    Parameters
    ----------
    index : VectorIndex or ShardedIndex
        An approximate one. Stays as it is.
    exam : Exam
        Half of it is chosen by, the other half is reported on.
    target : float or None
        In (0, 1].
    is_grown : bool
        Begin at the effort that the index has: it was tuned before rows came.
    progress : Progress
        Told before every effort that is tried.
    """
    choosing, reporting = exam.halves()
    wanted = TARGET_RECALL if target is None else target
    trials = list(_walk(index, choosing, target, is_grown=is_grown, progress=progress))
    # Every one that reaches it is of less effort than the one before that did.
    reaching = [one for one in trials if one.reaches(wanted)]
    chosen = reaching[-1] if reaching else max(trials, key=lambda one: one.least)
    found, _ = reporting.take(index.at_effort(chosen.config))
    is_met = chosen.reaches(wanted) and not any(one.misses(wanted) for one in found.values())
    tuning = Tuning(
        target=wanted,
        target_met=is_met,
        k=K,
        settings=effort_of(chosen.config),
        recall={kind: one.value for kind, one in found.items()},
        error={kind: one.error for kind, one in found.items()},
        questions={kind: one.questions for kind, one in found.items()},
        not_asked=dict(exam.not_asked),
        tried=tuple(one.to_json() for one in trials),
    )
    return chosen.config, tuning


def effort_of(config: AbstractIndexConfig) -> dict[str, int]:
    """Settings of a search, which no row depends on."""
    return {name: getattr(config, name) for name in config.effort}


def _walk(
    index: VectorIndex | ShardedIndex,
    exam: Exam,
    target: float | None,
    *,
    is_grown: bool,
    progress: Progress,
) -> Iterator[_Trial]:
    """Efforts from the cheapest to the first that does, and some between it and the last."""

    def tried(config: AbstractIndexConfig) -> _Trial:
        told = ", ".join(f"{name} {value}" for name, value in effort_of(config).items())
        progress(0, 0, f"asking at {told}")
        return _trial(index, config, exam)

    if target is None:
        yield tried(index.config)
        return
    missed: AbstractIndexConfig | None = None
    ladder = index.config.efforts(len(index))
    for config in _from_here_on(index.config, ladder) if is_grown else ladder:
        trial = tried(config)
        yield trial
        if trial.reaches(target):
            break
        missed = config
    if missed is None or not trial.reaches(target):
        return
    for _ in range(_HALVINGS):
        between = _between(missed, config)
        if between is None:
            return
        trial = tried(between)
        yield trial
        missed, config = (missed, between) if trial.reaches(target) else (between, config)


def _from_here_on(
    here: AbstractIndexConfig, ladder: Sequence[AbstractIndexConfig]
) -> list[AbstractIndexConfig]:
    """An effort, and those of a ladder that are greater."""
    now = effort_of(here)
    greater = [
        one for one in ladder if all(value >= now[name] for name, value in effort_of(one).items())
    ]
    return [here, *(one for one in greater if one != here)]


def _between(low: AbstractIndexConfig, high: AbstractIndexConfig) -> AbstractIndexConfig | None:
    """The effort half-way, where the two differ in one setting and there is room between them."""
    some, more = effort_of(low), effort_of(high)
    differing = [name for name in some if some[name] != more[name]]
    if len(differing) != 1:
        return None
    (name,) = differing
    middle = (some[name] + more[name]) // 2
    return replace(high, **{name: middle}) if some[name] < middle < more[name] else None


def _trial(index: VectorIndex | ShardedIndex, config: AbstractIndexConfig, exam: Exam) -> _Trial:
    recall, seconds = exam.take(index.at_effort(config))
    asked = sum(one.questions for one in recall.values())
    return _Trial(config, recall, 1e3 * seconds / asked)
