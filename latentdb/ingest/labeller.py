"""Labels of the pictures of one run, from their source and from a labels file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

from latentdb.ingest.label_columns import LabelColumns
from latentdb.ingest.labels import LabelJoin, LabelTable
from latentdb.ingest.sources.base import Candidate
from latentdb.types import LabelValue


@final
class Labeller:
    """Labels of a candidate: what its source says, and over it what the labels file says.

    Attributes
    ----------
    unlabelled : int
        Candidates so far that have no row in the file.
    """

    def __init__(self, columns: LabelColumns, join: LabelJoin | None) -> None:
        self._columns = columns
        self._join = join
        self.unlabelled = 0

    @classmethod
    def of(
        cls, columns: LabelColumns, table: LabelTable | None, keys: Sequence[str] | None
    ) -> Labeller:
        """One for a labels file, where there is one, and a source with these keys.

        Raises
        ------
        LabelsError
            A column of the file cannot be stored in the database.
        """
        if table is None:
            return cls(columns, None)
        columns.require(table)
        return cls(columns, LabelJoin(table, keys))

    def labels_of(self, candidate: Candidate) -> dict[str, LabelValue]:
        """Labels of one candidate."""
        labels = self._columns.usable(candidate.labels)
        if self._join is not None:
            row = self._join.labels_of(candidate)
            self.unlabelled += row is None
            labels.update(row or {})
        return labels

    @property
    def unused(self) -> int:
        """Rows of the file that no candidate had."""
        return 0 if self._join is None else self._join.unused
