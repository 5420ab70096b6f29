"""Questions that an index is measured by: of every kind that its database can be asked.

An index that finds what pictures ask for may lose what texts ask for: texts lie apart from all
pictures, mapped vectors where the map puts them, moved ones where no picture is. And a graph finds
the neighbours of its own rows along their links, which a new picture has not: of 20,000 vectors of
noise the same graph found .87 for rows that are in it and .39 for others. So every kind is a
measurement of its own, and rows that stand for new pictures are out of the index while it is made.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias, final, get_args

import numpy as np

from indexers.types import PAD_ID, Float32Array, IdArray

QuestionKind: TypeAlias = Literal["id", "image", "text", "mapped", "shifted"]
QUESTION_KINDS: Final[tuple[QuestionKind, ...]] = get_args(QuestionKind)


@final
@dataclass(frozen=True, eq=False)
class QuestionSet:
    """Questions of one kind.

    Parameters
    ----------
    vectors : (n, dim) float32
        In the space of the index.
    own : (n,) int64
        The item that each was made of, which is left out of its answer; −1 where there is none.
    """

    vectors: Float32Array
    own: IdArray

    def __len__(self) -> int:
        return len(self.own)

    @classmethod
    def of_no_item(cls, vectors: Float32Array) -> QuestionSet:
        """Questions that were made of nothing that is stored."""
        return cls(vectors, np.full(len(vectors), PAD_ID, np.int64))

    def __getitem__(self, some: IdArray) -> QuestionSet:
        return QuestionSet(self.vectors[some], self.own[some])


@final
@dataclass(frozen=True, eq=False)
class Questions:
    """Questions of every kind that can be asked, and why not of the others."""

    asked: Mapping[QuestionKind, QuestionSet]
    not_asked: Mapping[QuestionKind, str] = field(default_factory=dict)

    def and_also(self, kind: QuestionKind, more: QuestionSet) -> Questions:
        """The same with questions of one kind more."""
        said = {one: why for one, why in self.not_asked.items() if one != kind}
        asked = {**self.asked, kind: more}
        return Questions({one: asked[one] for one in QUESTION_KINDS if one in asked}, said)
