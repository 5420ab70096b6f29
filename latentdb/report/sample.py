"""Sample: the vectors and attributes that the studies of one report look at."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property, reduce
from typing import Any, Final, TypeVar, final

import numpy as np

from latentdb.arrays import IdArray
from latentdb.catalog import Catalog
from latentdb.errors import NotEnoughDataError
from latentdb.held_out import item_hashes
from latentdb.model import Vectors
from latentdb.report.attributes import Attribute, read_attributes
from latentdb.report.options import Plan
from latentdb.space import Space, SpaceKind
from latentdb.types import SpaceRows

MIN_ITEMS: Final = 100
_Made = TypeVar("_Made")


@final
class Sample:
    """At most `plan.limit` items of every space, read once.

    Items are chosen by hash, so that the samples of two spaces are of the same items as far as
    both have them. A shared space is left out: it is made of others, and agrees with them by
    construction.

    Parameters
    ----------
    catalog : Catalog
        Only read.
    plan : Plan
    seed : int
        Of the choice of items and of everything that is drawn.

    Attributes
    ----------
    spaces : dict of str to Space
    """

    def __init__(self, catalog: Catalog, plan: Plan, *, seed: int) -> None:
        self.catalog, self.plan, self.seed = catalog, plan, seed
        self.spaces: dict[str, Space] = {
            name: space for name, space in catalog.spaces().items() if space.kind != "shared"
        }
        self._made: dict[str, Any] = {}

    def once(self, what: str, make: Callable[[], _Made]) -> _Made:
        """What `make` gives, made once for all studies that ask for `what`."""
        if what not in self._made:
            self._made[what] = make()
        made: _Made = self._made[what]
        return made

    def rng(self, *what: str) -> np.random.Generator:
        """A stream of its own for `what`, whatever else was drawn before."""
        return np.random.default_rng([self.seed, *"/".join(what).encode()])

    def ids(self, space: str) -> IdArray:
        """Items (n,) of the sample that have a vector in `space`, sorted."""
        return self.once(f"ids of {space}", lambda: self._chosen(space))

    def _chosen(self, space: str) -> IdArray:
        ids = self.catalog.store.vector_ids(space)
        lowest = np.argsort(item_hashes(ids, self.seed), kind="stable")[: self.plan.limit]
        return np.sort(ids[lowest])

    def rows(self, space: str) -> SpaceRows:
        """Vectors (n, dim) float32 of `ids(space)`; not to be modified."""
        ids = self.ids(space)
        return self.once(
            f"rows of {space}", lambda: SpaceRows(ids, self.catalog.store.vectors(space, ids))
        )

    def having(
        self, minimum: int = MIN_ITEMS, *, kind: SpaceKind | None = None, spaces: int = 1
    ) -> list[str]:
        """Spaces of at least `minimum` items, of one kind where it is given.

        Raises
        ------
        NotEnoughDataError
            They are fewer than `spaces`; the text says what there is.
        """
        counts = {
            name: len(self.ids(name))
            for name, space in self.spaces.items()
            if kind in (None, space.kind)
        }
        enough = [name for name, count in counts.items() if count >= minimum]
        if len(enough) >= spaces:
            return enough
        what = f"{kind} space" if kind else "space"
        there = ", ".join(f"{name} ({count})" for name, count in counts.items()) or "none"
        wanted = f"a {what}" if spaces == 1 else f"{spaces} {what}s"
        raise NotEnoughDataError(
            f"this needs {wanted} of at least {minimum} items; there is {there}"
        )

    def left_out(self, minimum: int = MIN_ITEMS, *, kind: SpaceKind | None = None) -> list[str]:
        """A sentence for each space of that kind with too few items."""
        return [
            f"{name} is left out: it has {len(self.ids(name))} of the {minimum} items needed."
            for name, space in self.spaces.items()
            if kind in (None, space.kind) and len(self.ids(name)) < minimum
        ]

    def common(self, spaces: list[str], minimum: int = MIN_ITEMS) -> tuple[IdArray, list[Vectors]]:
        """Items that have a vector in all of `spaces`, and their vectors in each.

        Raises
        ------
        NotEnoughDataError
            They are fewer than `minimum`.
        """
        ids = reduce(np.intersect1d, [self.ids(name) for name in spaces])
        if len(ids) < minimum:
            raise NotEnoughDataError(
                f"this needs {minimum} items with a vector in all of {', '.join(spaces)}; "
                f"{len(ids)} have one"
            )
        rows = [self.rows(name) for name in spaces]
        return ids, [one.vectors[np.searchsorted(one.ids, ids)] for one in rows]

    @cached_property
    def _labelled(self) -> tuple[list[Attribute], list[str]]:
        anywhere = [self.ids(name) for name in self.spaces] or [np.empty(0, np.int64)]
        ids = reduce(np.union1d, anywhere)
        return read_attributes(self.catalog.store, ids, limit=self.plan.max_attributes)

    @property
    def attributes(self) -> list[Attribute]:
        """What the labels speak of, for the items of the sample."""
        return self._labelled[0]

    @property
    def attribute_notes(self) -> list[str]:
        """Which labels were left out, and why."""
        return self._labelled[1]

    def require_attributes(self) -> list[Attribute]:
        """The attributes; NotEnoughDataError where there is none."""
        if not self.attributes:
            why = " ".join(self.attribute_notes) or "No item has a label."
            raise NotEnoughDataError(f"there is no attribute to probe. {why}")
        return self.attributes
