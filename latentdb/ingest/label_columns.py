"""Which labels the database can store, said before a run and not in the middle of it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Protocol, final

from latentdb.errors import LabelsError
from latentdb.ingest.labels import LabelTable
from latentdb.space import Space
from latentdb.types import LabelValue


class HasColumns(Protocol):
    """A store, or a database that has one."""

    def label_columns(self) -> dict[str, type]:
        """Labels that there are, each with its type."""

    def spaces(self) -> dict[str, Space]:
        """Spaces by name."""


@final
class LabelColumns:
    """The names that labels may have in one database.

    Parameters
    ----------
    store : HasColumns
        Its label columns, quality columns and reserved names count.
    tell : callable of str
        Told once of each label of a source that is left out.
    """

    def __init__(self, store: HasColumns, *, tell: Callable[[str], None]) -> None:
        self._types = store.label_columns()
        self._quality = {name for space in store.spaces().values() for name in space.quality}
        self._tell = tell
        self._usable: dict[str, bool] = {}

    def require(self, table: LabelTable) -> None:
        """Raise unless every column of a labels file can be stored.

        Raises
        ------
        LabelsError
            A column has a name that is taken, or another type than the database's column.
        """
        for name, kind in table.types.items():
            if not self._is_usable(name):
                raise LabelsError(
                    f"{table.origin}: a label cannot be named {name!r}: use letters, digits and "
                    "'_', a letter first, and no name of a column that the database has for "
                    "something else"
                )
            before = self._types.get(name, kind)
            if kind is not before and (kind, before) != (int, float):
                raise LabelsError(
                    f"{table.origin}: label {name!r} is {kind.__name__}, and in the database it "
                    f"is {before.__name__}: rename the column, or give it that type"
                )

    def usable(self, labels: Mapping[str, LabelValue]) -> dict[str, LabelValue]:
        """Labels of a source without those that cannot be stored, NaN as no value.

        A data set cannot be asked to rename its columns, so these are left out, and it is said.
        """
        kept: dict[str, LabelValue] = {}
        for name, value in labels.items():
            if name not in self._usable:
                self._usable[name] = self._is_usable(name)
                if not self._usable[name]:
                    self._tell(
                        f"{name!r} of the source is not kept as a label: the database has a "
                        "column of that name, or cannot have one"
                    )
            if self._usable[name]:
                is_nan = isinstance(value, float) and math.isnan(value)
                kept[name] = None if is_nan else value
        return kept

    def _is_usable(self, name: str) -> bool:
        from latentdb.store.schema import RESERVED, is_column_name

        other_case = {there.lower() for there in self._types if there != name}
        taken = RESERVED | {column.lower() for column in self._quality} | other_case
        return is_column_name(name) and name.lower() not in taken
