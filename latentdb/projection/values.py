"""What points are coloured by: one value per item, of a label, a direction or the vector itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, final

import numpy as np
from numpy.typing import NDArray

from latentdb.arrays import FloatArray, IdArray
from latentdb.catalog import Catalog
from latentdb.energy.columns import row_energies
from latentdb.errors import LabelsError, QueryError
from latentdb.held_out import hash_ids
from latentdb.model import Vectors
from latentdb.space import Space
from latentdb.store import Store
from latentdb.succession.routing import active

ValueKind = Literal["number", "boolean", "category"]

#: Categories that have a name of their own, the commonest; the others are one.
MAX_CATEGORIES: Final = 12
_BLOCK_ROWS: Final = 4096
_OTHERS: Final = "(others)"


@final
@dataclass(frozen=True, eq=False)
class PointValues:
    """One value per item.

    Parameters
    ----------
    space : str
    by : str
        As it was asked for.
    kind : "number", "boolean" or "category"
    ids : (n,) int64
    values : (n,) float32
        A number, NaN where there is none; 1 or 0 of "boolean"; of "category", which of
        `categories`.
    categories : tuple of str
        Names, the commonest first; of at most twelve, and one for all others after them.
    unit : str
        Such as "standard deviations"; empty where there is none.
    """

    space: str
    by: str
    kind: ValueKind
    ids: IdArray
    values: NDArray[np.float32]
    categories: tuple[str, ...] = ()
    unit: str = ""

    def to_json(self) -> dict[str, Any]:
        """Everything but the arrays."""
        known = self.values[np.isfinite(self.values)]
        low, middle, high = (
            np.quantile(known, [0.02, 0.5, 0.98]).tolist() if len(known) else (None, None, None)
        )
        return {
            "space": self.space,
            "by": self.by,
            "kind": self.kind,
            "points": len(self.ids),
            "without": len(self.values) - len(known),
            "ids_hash": hash_ids(self.ids),
            "categories": list(self.categories),
            "unit": self.unit,
            "low": low,
            "middle": middle,
            "high": high,
        }


def point_values(
    catalog: Catalog, space: str, by: str, *, ids: Sequence[int] | IdArray | None = None
) -> PointValues:
    """A value of each item with a vector in a space.

    Parameters
    ----------
    catalog : Catalog
    space : str
    by : str
        "label:NAME"; "direction:NAME", the signed distance to its boundary in standard
        deviations; "energy", see `latentdb.energy.columns`; "norm"; or "quality:NAME".
    ids : (n,) int64, optional
        Items, in the order of the answer; every one of the space, sorted, where not given. One
        without a vector there has no value.

    Raises
    ------
    UnknownSpaceError, LabelsError, UnknownDirectionError, SpaceMismatchError
        No such space, label or direction; the direction is of other vectors.
    NotEnoughDataError
        Energies are not measured yet, and of too many rows to do it here.
    QueryError
        `by` is none of those.
    """
    store = catalog.store
    home = store.space(active(catalog.migrations, space, store))
    wanted = store.vector_ids(home.name) if ids is None else np.asarray(ids, dtype=np.int64)
    what, _, name = by.partition(":")
    if what == "label" and name:
        return _of_label(store, home, by, wanted)
    if what == "direction" and name:
        direction = catalog.direction(name, home.name)
        direction.require_space(home)
        numbers, unit = _projections(store, home, direction.project), "standard deviations"
    elif by == "energy":
        found = row_energies(store, home)
        numbers, unit = (found.ids, found.energy), "nats per dimension"
    elif by == "norm" or (what == "quality" and name in home.quality):
        table = store.metadata(home.name)
        numbers, unit = (_column(table, "id"), _column(table, name or by)), ""
    else:
        columns = ", ".join(["norm", *(f"quality:{one}" for one in home.quality)])
        raise QueryError(
            f"points of space {home.name!r} are coloured by label:NAME, direction:NAME, energy, "
            f"{columns}; got {by!r}"
        )
    return PointValues(home.name, by, "number", wanted, _placed(numbers, wanted), unit=unit)


def _column(table: Any, name: str) -> NDArray[Any]:
    column: NDArray[Any] = table[name].to_numpy()
    return column


def _projections(
    store: Store, space: Space, project: Callable[[Vectors], FloatArray]
) -> tuple[IdArray, FloatArray]:
    """Ids of all rows and what `project` says of them."""
    ids, found = [np.empty(0, np.int64)], [np.empty(0)]
    for rows in store.iter_vectors(space.name, _BLOCK_ROWS):
        ids.append(rows.ids)
        found.append(project(rows.vectors))
    return np.concatenate(ids), np.concatenate(found)


def _placed(found: tuple[IdArray, NDArray[Any]], wanted: IdArray) -> NDArray[np.float32]:
    """Values of `wanted`, from ids in any order and theirs; NaN of those that are not there."""
    ids, values = found
    placed = np.full(len(wanted), np.nan, np.float32)
    if len(ids):
        order = np.argsort(ids)
        at = order[np.minimum(np.searchsorted(ids, wanted, sorter=order), len(ids) - 1)]
        there = ids[at] == wanted
        placed[there] = values[at[there]]
    return placed


def _of_label(store: Store, space: Space, by: str, wanted: IdArray) -> PointValues:
    name = by.partition(":")[2]
    ids, values = store.labels(name)
    if not len(ids):
        raise LabelsError(f"no item has a value of label {name!r}")
    if values.dtype == np.bool_:
        return PointValues(space.name, by, "boolean", wanted, _placed((ids, values), wanted))
    is_text = values.dtype == np.object_
    names, codes, counts = np.unique(values, return_inverse=True, return_counts=True)
    if not is_text and (values.dtype.kind == "f" or len(names) > MAX_CATEGORIES):
        return PointValues(space.name, by, "number", wanted, _placed((ids, values), wanted))
    # Numbers of classes keep their order, names come by how many have them.
    order = np.argsort(-counts, kind="stable") if is_text else np.arange(len(names))
    rank = np.empty(len(names), np.int64)
    rank[order] = np.arange(len(names))
    shown = [str(one) for one in names[order[:MAX_CATEGORIES]]]
    if len(names) > MAX_CATEGORIES:
        shown.append(_OTHERS)
    codes = np.minimum(rank[codes], MAX_CATEGORIES)
    placed = _placed((ids, codes), wanted)
    return PointValues(space.name, by, "category", wanted, placed, tuple(shown))
