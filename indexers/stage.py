"""The first stage of every search: a FAISS structure over rows at positions 0…n−1.

A stage knows nothing of ids, metrics or norms: `indexers.forms` turns vectors into its rows and
its scores into distances, `indexers.index` turns positions into ids. A new kind of index is a
new stage and its configuration.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import Any, ClassVar, NamedTuple, Self

import numpy as np

from indexers.errors import IndexKindError
from indexers.faiss_library import faiss
from indexers.flat_scan import scan_flat
from indexers.ids import Selection
from indexers.shortlist import Shortlist
from indexers.types import Float32Array, IdArray, IndexKind


@dataclass(frozen=True, slots=True)
class RowLayout:
    """How the rows of a stage look and are compared.

    Attributes
    ----------
    dim : int
        Width of a row.
    inner_product : bool
        True: score is the inner product, higher is nearer. False: squared Euclidean distance.
    has_penalty : bool
        The last column is a penalty added to the score, not a coordinate: a structure that
        arranges rows by nearness to each other must not multiply two of them.
    """

    dim: int
    inner_product: bool
    has_penalty: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class SavedStage:
    """A stage as it was read from files: its FAISS object and its `errors`."""

    faiss_index: Any
    errors: Float32Array


class Candidates(NamedTuple):
    """What a stage found: (n_queries, k) scores and positions, −1 where there was none.

    `complete` is True when these are exactly the k best-scored rows, up to rounding. `is_measured`
    is True when squared distances were summed from differences, which do not cancel.
    """

    scores: Float32Array
    positions: IdArray
    complete: bool
    is_measured: bool = False


class AbstractStage(ABC):
    """A FAISS structure that finds rows by score."""

    def __init__(self, layout: RowLayout) -> None:
        self.layout = layout

    @property
    @abstractmethod
    def count(self) -> int:
        """Number of positions, removed ones included."""

    @property
    @abstractmethod
    def faiss_index(self) -> Any:
        """The FAISS object, for writing it to a file."""

    @property
    def errors(self) -> Float32Array:
        """Error of the code of every row; empty where rows are compared as they are."""
        return np.empty(0, np.float32)

    def prepare(self, sample: Float32Array, count: int) -> None:  # noqa: B027
        """Lay an empty structure out for `count` rows, of which `sample` are some."""

    def at_effort(self, config: Any) -> AbstractStage:  # noqa: ARG002
        """The same rows, searched with the effort of another configuration of the kind."""
        return self

    def reading(self, read: Callable[[IdArray], Float32Array]) -> AbstractStage:  # noqa: ARG002
        """The same for one search, with rows that it does not keep, at positions, from `read`."""
        return self

    @abstractmethod
    def add(self, rows: Float32Array) -> None:
        """Put rows at the next positions."""

    @abstractmethod
    def remove(self, positions: IdArray) -> bool:
        """Remove rows; True when later positions moved down, False when the places stay."""

    @abstractmethod
    def top(self, queries: Float32Array, k: int, selection: Selection) -> Candidates:
        """The k best-scored selected rows of each query; `k <= selection.count`.

        At least k are found whatever the structure: an approximate one must fall back.
        """

    @abstractmethod
    def gather(self, positions: IdArray) -> Float32Array:
        """Copies of the rows at `positions`."""


class AbstractFlatStage(AbstractStage):
    """A stage that keeps its rows, in the order of their positions, in a FAISS flat index.

    Parameters
    ----------
    layout : RowLayout
    flat : faiss.IndexFlat
        Held by the structure over it where there is one.
    """

    def __init__(self, layout: RowLayout, flat: Any) -> None:
        super().__init__(layout)
        self._flat = flat

    @property
    def count(self) -> int:
        """Number of positions, removed ones included."""
        return int(self._flat.ntotal)

    def gather(self, positions: IdArray) -> Float32Array:
        """Copies of the rows at `positions`."""
        return self.view()[positions]

    def view(self) -> Float32Array:
        """The rows (count, dim) without a copy; valid until the next change."""
        n, dim = self.count, int(self._flat.d)
        if n == 0:
            return np.empty((0, dim), np.float32)
        rows: Float32Array = faiss.rev_swig_ptr(self._flat.get_xb(), n * dim).reshape(n, dim)
        return rows

    def scan(self, queries: Float32Array, k: int, selection: Selection) -> Candidates:
        """Like `top`, by comparing with every selected row: always complete."""
        scores, positions = scan_flat(self._flat, self.view(), queries, k, selection)
        return Candidates(scores, positions, complete=True)


class AbstractExactStage(AbstractFlatStage):
    """A stage that can say of the rows it leaves out how good they can be at most."""

    @abstractmethod
    def shortlists(self, units: Float32Array, selection: Selection, width: int) -> list[Shortlist]:
        """Of each unit query (n, dim) at least the `width` rows of the largest inner products.

        Only for stages of unit rows.
        """

    def compare(self, unit: Float32Array, positions: IdArray) -> Shortlist:
        """The rows at `positions`, distinct, with their inner products as they are."""
        return Shortlist(positions, self.gather(positions) @ unit, 0.0, -np.inf)


@dataclass(frozen=True)
class AbstractIndexConfig(ABC):
    """Settings of one kind of index."""

    kind: ClassVar[IndexKind]
    # Answers are the true ones, and the stage is an `AbstractExactStage`; else they are of a recall
    # that can only be measured, and a penalty on rows must be part of them to be searched by.
    is_exact: ClassVar[bool] = True
    # Codes alone are kept: the best rows by code are compared as they are, read by a `RowReader`.
    compresses: ClassVar[bool] = False
    # Settings of a search, which no row depends on.
    effort: ClassVar[tuple[str, ...]] = ()

    @abstractmethod
    def make_stage(self, layout: RowLayout, saved: SavedStage | None = None) -> AbstractStage:
        """An empty stage, or one that was read from files."""

    @abstractmethod
    def bytes_per_vector(self, dim: int) -> float:
        """Memory of one vector of `dim` values under the Euclidean metric, ids included."""

    def efforts(self, count: int) -> tuple[Self, ...]:  # noqa: ARG002
        """The same structure over `count` rows at ascending effort of a search.

        Where answers are exact there is one.
        """
        return (self,)

    def check_effort(self, other: AbstractIndexConfig) -> None:
        """Raise IndexKindError where `other` differs in more than the effort of a search."""
        same = {name: getattr(self, name) for name in self.effort}
        if type(other) is type(self) and replace(other, **same) == self:
            return
        structure = [field.name for field in fields(self) if field.name not in self.effort]
        raise IndexKindError(
            f"expected settings of the same {self.kind} index, which may differ in "
            f"{', '.join(self.effort) or 'nothing'}, got {other}; build another index to change "
            f"{', '.join(structure) or 'its kind'}"
        )
