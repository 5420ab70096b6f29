"""Answers that were given already, for as long as nothing that they hang on has changed."""

from __future__ import annotations

from collections import OrderedDict
from typing import final

from latentdb.store.state import AbstractState, State, all_settled

# What an entry takes beside its question and its answer.
_OVERHEAD_BYTES = 300


@final
class AnswerCache:
    """The answers asked for last, by the whole of their question, bounded in bytes.

    A change of the database, by whatever process, empties it. Used by the event loop alone.

    Parameters
    ----------
    state : AbstractState
        What the answers hang on.
    max_bytes : int
        Of questions and answers together; 0 for none.
    """

    def __init__(self, state: AbstractState, max_bytes: int) -> None:
        self._state = state
        self._max_bytes = max_bytes
        self._answers: OrderedDict[bytes, bytes] = OrderedDict()
        self._of: State = ()
        self.bytes = 0
        self.hits = 0
        self.misses = 0

    def __len__(self) -> int:
        return len(self._answers)

    def look(self, question: bytes) -> tuple[bytes | None, State]:
        """The answer, where it is there; and the state that an answer found now is of."""
        if not self._max_bytes:
            return None, ()
        state = self._state.now()
        if not state:
            return None, ()
        if state != self._of:
            self._answers.clear()
            self.bytes = 0
            self._of = state
        answer = self._answers.get(question)
        if answer is None:
            self.misses += 1
        else:
            self.hits += 1
            self._answers.move_to_end(question)
        return answer, state

    def keep(self, question: bytes, answer: bytes, state: State) -> None:
        """Keep an answer that was found after `look` told this state.

        An answer of a state that may yet change unseen, or that has changed, is not kept.
        """
        size = _size(question, answer)
        if not state or state != self._of or size > self._max_bytes or not all_settled(state):
            return
        before = self._answers.pop(question, None)
        if before is not None:
            self.bytes -= _size(question, before)
        self._answers[question] = answer
        self.bytes += size
        while self.bytes > self._max_bytes:
            self.bytes -= _size(*self._answers.popitem(last=False))


def _size(question: bytes, answer: bytes) -> int:
    return len(question) + len(answer) + _OVERHEAD_BYTES
