"""The yes-or-no attributes that a database's labels speak of."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, final

import numpy as np
from numpy.typing import NDArray

from latentdb.arrays import BoolArray, IdArray
from latentdb.store import Store

MAX_CLASSES: Final = 20
MIN_PER_CLASS: Final = 25


@final
@dataclass(frozen=True, eq=False)
class Attribute:
    """A question that a label answers with yes or no.

    Parameters
    ----------
    name : str
        The column, or `column: value` of one class against the rest.
    ids : (m,) int64
        Items that have the label, sorted.
    values : (m,) bool
    """

    name: str
    ids: IdArray
    values: BoolArray

    def of(self, ids: IdArray) -> tuple[BoolArray, BoolArray]:
        """Values (n,) for items, and which of them have one; the others' are False."""
        at = np.searchsorted(self.ids, ids).clip(max=max(len(self.ids) - 1, 0))
        is_known = self.ids[at] == ids if len(self.ids) else np.zeros(len(ids), np.bool_)
        return self.values[at] & is_known if len(self.ids) else is_known.copy(), is_known


def read_attributes(store: Store, ids: IdArray, *, limit: int) -> tuple[list[Attribute], list[str]]:
    """Attributes with at least 25 items of `ids` on both sides, and what was left out.

    Boolean columns and numbers of two values are attributes; of text or whole numbers of three to
    twenty values each value is one, against the rest. Two columns that say the same give one.

    Parameters
    ----------
    store : Store
    ids : (n,) int64
        Items that are looked at.
    limit : int
        Attributes, at most.

    Returns
    -------
    list of Attribute
        In the order of the columns.
    list of str
        Sentences for the reader.
    """
    found: dict[bytes, Attribute] = {}
    rare, many = [], []
    kinds = store.label_columns()
    # Text names classes better than numbers do, and comes first where the two say the same.
    for column in sorted(kinds, key=lambda name: kinds[name] is not str):
        column_ids, values = store.labels(column)
        is_seen = np.isin(column_ids, ids)
        answers = _attributes_of(column, column_ids[is_seen], values[is_seen])
        if answers is None:
            many.append(column)
            continue
        for one in answers:
            if min(one.values.sum(), (~one.values).sum()) < MIN_PER_CLASS:
                rare.append(one.name)
            else:
                found.setdefault(one.ids.tobytes() + one.values.tobytes(), one)
    order = list(kinds)
    kept = sorted(found.values(), key=lambda one: order.index(one.name.split(": ")[0]))
    notes = [
        _note(rare, f"fewer than {MIN_PER_CLASS} items on one side"),
        _note(many, f"text or numbers of more than {MAX_CLASSES} values"),
        _note([one.name for one in kept[limit:]], f"beyond the first {limit}"),
    ]
    return kept[:limit], [note for note in notes if note]


def _note(names: list[str], why: str) -> str:
    return f"Not probed, {why}: {', '.join(names)}." if names else ""


def _attributes_of(column: str, ids: IdArray, values: NDArray[Any]) -> list[Attribute] | None:
    """Attributes of one column; None where it has too many values to be classes."""
    if values.dtype == np.bool_:
        return [Attribute(column, ids, values)]
    different = sorted(set(values.tolist()))
    if len(different) == 2 and values.dtype != np.object_:
        return [Attribute(column, ids, values == different[1])]
    if len(different) > MAX_CLASSES or values.dtype == np.float64:
        return None
    return list(_one_against_rest(column, ids, values, different))


def _one_against_rest(
    column: str, ids: IdArray, values: NDArray[Any], different: list[Any]
) -> Iterator[Attribute]:
    # Of two classes the second says nothing that the first does not.
    for value in different if len(different) > 2 else different[1:]:
        yield Attribute(f"{column}: {value}", ids, np.asarray(values == value, np.bool_))
