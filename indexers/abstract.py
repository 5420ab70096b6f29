"""What every index offers, whatever is behind it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import numpy.typing as npt

from indexers.id_set import IdSet
from indexers.metric.abstract import AbstractMetric
from indexers.stage import AbstractIndexConfig
from indexers.types import Float32Array, IdArray, SearchResult


class AbstractIndex(ABC):
    """Vectors under ids, searchable by one metric.

    Searches may run at the same time from several threads; `add` and `remove` may not run beside
    anything else.
    """

    @property
    @abstractmethod
    def dim(self) -> int:
        """Width of the vectors."""

    @property
    @abstractmethod
    def metric(self) -> AbstractMetric:
        """What distances are measured by."""

    @property
    @abstractmethod
    def config(self) -> AbstractIndexConfig:
        """Kind and settings."""

    @property
    @abstractmethod
    def ids(self) -> IdArray:
        """Ids of all vectors, in no particular order. A copy."""

    @abstractmethod
    def __len__(self) -> int:
        """Number of vectors that a search may find."""

    @abstractmethod
    def search(
        self,
        queries: npt.NDArray[Any],
        k: int,
        *,
        allowed_ids: npt.NDArray[Any] | IdSet | None = None,
        max_distance: float | None = None,
    ) -> SearchResult:
        """The nearest vectors of each query.

        Parameters
        ----------
        queries : (n_queries, dim) float32 or float16
            Not modified.
        k : int
            Hits per query, at least 1. More than there are vectors pads the answer.
        allowed_ids : (n,) integers, IdSet or None
            Only these may be found. Ids that are not in the index are passed over: a filter
            speaks about items, and an item may have no vector here. Applied inside the search:
            `min(k, allowed ids in the index)` hits come back. What is made of an `IdSet` is kept
            for the next search.
        max_distance : float or None
            Only hits at most this far, in [0, inf].

        Returns
        -------
        SearchResult
            Rows of length `k`, padded.

        Raises
        ------
        DimensionError, DtypeError, NonFiniteError, ParameterError, IdError
        ZeroVectorError
            A zero query under a metric of directions.
        """

    @abstractmethod
    def add(self, vectors: npt.NDArray[Any], ids: npt.NDArray[Any]) -> None:
        """Add vectors (n, dim) under new ids (n,). Nothing is added when an error is raised.

        Raises
        ------
        DimensionError, DtypeError, NonFiniteError, ZeroVectorError
        DuplicateIdError
            An id is given twice or is here already.
        IndexKindError
            The index is mapped from a file and cannot change.
        """

    @abstractmethod
    def remove(self, ids: npt.NDArray[Any]) -> None:
        """Remove the vectors of these ids. Nothing is removed when an error is raised.

        Raises
        ------
        UnknownIdError
            An id is not here.
        IndexKindError
            The index is mapped from a file and cannot change.
        """

    @abstractmethod
    def vectors(self, ids: npt.NDArray[Any]) -> Float32Array:
        """Vectors (n, dim) of these ids, as they were added, to one rounding in float32.

        Raises
        ------
        UnknownIdError
        """
