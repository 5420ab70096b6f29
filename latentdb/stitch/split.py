"""SplitMoments: one pass over pairs that sets held-out and validation rows apart by item."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from indexers.errors import DimensionError, ParameterError
from latentdb.arrays import IdArray, RealArray, as_ids, as_matrix
from latentdb.held_out import item_hashes
from latentdb.stitch.gram import DEFAULT_LIMITS, GramLimits
from latentdb.stitch.moments import PairMoments
from latentdb.stitch.selection import Pairs


@final
@dataclass(frozen=True, eq=False)
class Split:
    """What a fit sees: moments of the training rows, and two sets of rows as they are.

    Parameters
    ----------
    train : PairMoments
        Of all rows that are in neither set.
    validation : Pairs
        Choose strengths; afterwards they are trained on too.
    held_out : Pairs
        Only score.
    held_out_ids, ids : int64
        Items held out, and all items, in no order.
    """

    train: PairMoments
    validation: Pairs
    held_out: Pairs
    held_out_ids: IdArray
    ids: IdArray


@final
class SplitMoments:
    """Pairs split by item in one pass, whatever their order and number.

    The `n_kept` items of lowest hash are kept as rows, because the held-out and the validation
    items are among them (`latentdb.held_out.split_by_item`); a row that falls out of them is
    added to the moments and forgotten. The split is that of all items at once, and rows that
    arrive later join it without the earlier ones being read again.

    Memory: the moments and `n_kept` rows, whatever the number of items, and the items' ids
    (8 bytes each, which tell new items from old).

    Parameters
    ----------
    source_dim, target_dim : int
    seed : int
        Of the split and of sketches.
    n_kept : int
        At least the held-out and validation rows to come.
    with_target_gram : bool
    limits : GramLimits
    """

    def __init__(
        self,
        source_dim: int,
        target_dim: int,
        *,
        seed: int = 0,
        n_kept: int = 4000,
        with_target_gram: bool = True,
        limits: GramLimits = DEFAULT_LIMITS,
    ) -> None:
        self.seed = seed
        self.n_kept = n_kept
        self.moments = PairMoments(
            source_dim, target_dim, with_target_gram=with_target_gram, limits=limits, seed=seed
        )
        self.kept_ids: IdArray = np.empty(0, dtype=np.int64)
        self.kept = Pairs(
            np.empty((0, source_dim), np.float32), np.empty((0, target_dim), np.float32)
        )
        self._ids: list[IdArray] = []

    @property
    def n(self) -> int:
        """Pairs seen."""
        return self.moments.n + len(self.kept)

    def ids(self) -> IdArray:
        """Items seen, in the order they came."""
        return np.concatenate([np.empty(0, dtype=np.int64), *self._ids])

    def remember(self, ids: IdArray) -> None:
        """Count `ids` as seen, as a reader of stored moments does."""
        self._ids.append(ids)

    def update(self, ids: ArrayLike, X: ArrayLike, Y: ArrayLike) -> None:
        """Add pairs X (m, source_dim), Y (m, target_dim) of items `ids` (m,).

        Raises
        ------
        DimensionError, DtypeError, NonFiniteError, DuplicateIdError
            Rows, dimensions or ids do not fit together.
        """
        sources = as_matrix(X, name="X", dim=self.kept.X.shape[1])
        targets = as_matrix(Y, name="Y", dim=self.kept.Y.shape[1])
        if len(sources) != len(targets):
            raise DimensionError(f"X has {len(sources)} rows and Y {len(targets)}: pair them")
        items = as_ids(ids, n=len(sources))
        if not len(items):
            return
        self._ids.append(items)
        enters = self._lowest(np.concatenate([self.kept_ids, items]))
        stays, enters = enters[: len(self.kept)], enters[len(self.kept) :]
        self._train(sources[~enters], targets[~enters])
        if not enters.any():
            return
        self._train(self.kept.X[~stays], self.kept.Y[~stays])
        self.kept = Pairs(
            np.concatenate([self.kept.X[stays], sources[enters]]),
            np.concatenate([self.kept.Y[stays], targets[enters]]),
        )
        self.kept_ids = np.concatenate([self.kept_ids[stays], items[enters]])

    def merge(self, other: SplitMoments) -> None:
        """Add the pairs of `other`, of items that are not here; it stays as it is.

        Raises
        ------
        ParameterError
            It is of another seed, other widths or other limits, or keeps another number of rows.
        """
        if (self.seed, self.n_kept) != (other.seed, other.n_kept):
            raise ParameterError("streams of other seeds or numbers of kept rows do not join")
        self.moments.merge(other.moments)
        self._ids.extend(other._ids)
        both = Pairs(
            np.concatenate([self.kept.X, other.kept.X]),
            np.concatenate([self.kept.Y, other.kept.Y]),
        )
        ids = np.concatenate([self.kept_ids, other.kept_ids])
        stays = self._lowest(ids)
        self._train(both.X[~stays], both.Y[~stays])
        self.kept, self.kept_ids = Pairs(both.X[stays], both.Y[stays]), ids[stays]

    def _lowest(self, ids: IdArray) -> NDArray[np.bool_]:
        """Mask of the `n_kept` of `ids` with the lowest hash."""
        is_low = np.zeros(len(ids), dtype=np.bool_)
        is_low[np.argsort(item_hashes(ids, self.seed), kind="stable")[: self.n_kept]] = True
        return is_low

    def _train(self, X: RealArray, Y: RealArray) -> None:
        if len(X):
            self.moments.update(X, Y)

    def split(self, n_held_out: int, n_validation: int) -> Split:
        """The items of lowest hash held out, the next for validation, the rest trained on.

        Raises
        ------
        DuplicateIdError
            An item came twice.
        """
        ids = self.ids()
        as_ids(ids, n=len(ids))
        order = np.argsort(item_hashes(self.kept_ids, self.seed), kind="stable")
        held_out, validation, rest = np.split(order, [n_held_out, n_held_out + n_validation])
        train = self.moments
        if len(rest):
            train = train.joined(self.kept.X[rest], self.kept.Y[rest])
        return Split(
            train=train,
            validation=self._at(validation),
            held_out=self._at(held_out),
            held_out_ids=self.kept_ids[held_out],
            ids=ids,
        )

    def _at(self, rows: NDArray[np.intp]) -> Pairs:
        return Pairs(self.kept.X[rows], self.kept.Y[rows])
