"""The index itself: ids, filters and distances around a stage; and `build_index`."""

from __future__ import annotations

import math
from copy import copy
from dataclasses import dataclass
from typing import Any, final

import numpy as np
import numpy.typing as npt

from indexers.abstract import AbstractIndex
from indexers.checks import check_count, check_ids, check_vectors, row_blocks
from indexers.code_stage import AbstractCodeStage
from indexers.errors import DimensionError, IndexKindError, ParameterError
from indexers.form_choice import form_for
from indexers.forms import Hits, Request
from indexers.id_set import IdSet
from indexers.ids import IdTable, is_padded
from indexers.metric.abstract import AbstractMetric
from indexers.stage import AbstractIndexConfig, AbstractStage
from indexers.types import (
    PAD_DISTANCE,
    PAD_ID,
    Float32Array,
    FloatArray,
    IdArray,
    RowReader,
    SearchResult,
)

# Rows of each, old and new, that codes are fitted to anew.
_FITTED_ROWS = 1 << 14


@final
@dataclass(frozen=True, slots=True, eq=False)
class HeldRows:
    """What is at the positions of an index: rows, ids (n,) and norms (n,) where those are kept."""

    stage: AbstractStage
    ids: IdArray
    norms: FloatArray
    is_read_only: bool = False


@final
class VectorIndex(AbstractIndex):
    """Vectors under ids over one FAISS structure.

    Its rows are the only copy of the vectors, or codes of them alone; full vectors are then read
    by `reader`. Made by `build_index`, `train_index` and `load_index`.
    """

    def __init__(
        self,
        dim: int,
        metric: AbstractMetric,
        config: AbstractIndexConfig,
        *,
        held: HeldRows | None = None,
        reader: RowReader | None = None,
    ) -> None:
        self._dim = dim
        self._metric = metric
        self._config = config
        self._form = form_for(metric, config)
        if held is None:
            stage = config.make_stage(self._form.layout(dim))
            held = HeldRows(stage, np.empty(0, np.int64), np.empty(0))
        self._stage = held.stage
        self._table = IdTable(held.ids)
        self._norms = held.norms
        self._is_read_only = held.is_read_only
        self._reader = reader

    @property
    def dim(self) -> int:
        """Width of the vectors."""
        return self._dim

    @property
    def metric(self) -> AbstractMetric:
        """What distances are measured by."""
        return self._metric

    @property
    def config(self) -> AbstractIndexConfig:
        """Kind and settings."""
        return self._config

    @property
    def stage(self) -> AbstractStage:
        """The FAISS structure behind; for persistence and benchmarks."""
        return self._stage

    @property
    def position_ids(self) -> IdArray:
        """The id at every position of the stage, −1 where removed. A view."""
        return self._table.raw

    @property
    def norms(self) -> FloatArray:
        """Norm of the vector at every position; empty where the metric keeps none. A view."""
        return self._norms

    @property
    def is_read_only(self) -> bool:
        """True for an index that is mapped from a file, or shares its rows with another."""
        return self._is_read_only

    @property
    def ids(self) -> IdArray:
        """Ids of all vectors, in no particular order. A copy."""
        raw = self._table.raw
        live: IdArray = raw[raw != PAD_ID]
        return live

    def __len__(self) -> int:
        return self._table.live_count

    def search(
        self,
        queries: npt.NDArray[Any],
        k: int,
        *,
        allowed_ids: npt.NDArray[Any] | IdSet | None = None,
        max_distance: float | None = None,
    ) -> SearchResult:
        """The nearest vectors of each query; see `AbstractIndex.search`."""
        rows = check_vectors(queries, self._dim, what="queries")
        wanted = check_count(k, what="k")
        limit = _check_limit(max_distance)
        if allowed_ids is not None and not isinstance(allowed_ids, IdSet):
            allowed_ids = IdSet(allowed_ids)
        selection = self._table.select(allowed_ids)
        reachable = min(wanted, selection.count)
        if reachable == 0 or len(rows) == 0:
            return self._empty(len(rows), wanted)
        request = Request(rows, reachable, selection, limit)
        hits = self._form.search(self._searched(), self._norms, request)
        return self._result(hits, wanted, limit)

    def add(self, vectors: npt.NDArray[Any], ids: npt.NDArray[Any]) -> None:
        """Add vectors under new ids; see `AbstractIndex.add`."""
        self._check_writable("add")
        new_vectors = check_vectors(vectors, self._dim, what="vectors")
        new_ids = check_ids(ids, len(new_vectors))
        self._table.check_new(new_ids)
        if isinstance(self._stage, AbstractCodeStage) and self._stage.is_outgrown_by(len(new_ids)):
            self._fit_anew(new_vectors)
        rows, norms = self._form.rows(new_vectors)
        self._stage.add(rows)
        self._table.append(new_ids)
        if norms is not None:
            self._norms = np.concatenate([self._norms, norms])

    def _fit_anew(self, more: Float32Array) -> None:
        """Encode all rows again, by codes that are fitted to them and to those that will come."""
        ids = self.ids
        some = self._read(ids[:: max(1, len(ids) // _FITTED_ROWS)])
        sample = np.concatenate([some, more[:: max(1, len(more) // _FITTED_ROWS)]])
        fresh = VectorIndex(self._dim, self._metric, self._config, reader=self._reader)
        fresh.prepare(sample, len(ids) + len(more))
        for block in row_blocks(len(ids), self._dim):
            fresh.add(self._read(ids[block]), ids[block])
        self._stage, self._table, self._norms = fresh._stage, fresh._table, fresh._norms

    def prepare(self, sample: Float32Array, count: int) -> None:
        """Lay an empty index out for `count` vectors; see `train_index`."""
        self._stage.prepare(self._form.rows(sample)[0], count)

    def remove(self, ids: npt.NDArray[Any]) -> None:
        """Remove the vectors of these ids; see `AbstractIndex.remove`."""
        self._check_writable("remove")
        positions = self._table.known_positions(check_ids(ids, None))
        if not self._stage.remove(positions):
            self._table.mark_removed(positions)
            return
        self._table.close_up(positions)
        if self._form.keeps_norms:
            self._norms = np.delete(self._norms, positions)

    def without(self, ids: npt.NDArray[Any]) -> VectorIndex:
        """An index that does not find these ids, over the same rows; this one stays as it is.

        Takes 8 bytes a row, also of an index that is mapped from a file.

        Raises
        ------
        UnknownIdError
        """
        positions = self._table.known_positions(check_ids(ids, None))
        twin = copy(self)
        twin._table = self._table.without(positions)
        # Neither may change the rows that both have.
        twin._is_read_only = True
        return twin

    def at_effort(self, config: AbstractIndexConfig) -> VectorIndex:
        """An index over the same rows that is searched with the effort settings of `config`.

        Takes no memory; read-only, like every index that shares its rows.

        Raises
        ------
        IndexKindError
            `config` is of another kind, or would lay the rows out otherwise.
        """
        self._config.check_effort(config)
        twin = copy(self)
        twin._config = config
        twin._stage = self._stage.at_effort(config)
        twin._is_read_only = True
        return twin

    def vectors(self, ids: npt.NDArray[Any]) -> Float32Array:
        """Vectors of these ids; see `AbstractIndex.vectors`."""
        checked = check_ids(ids, None)
        positions = self._table.known_positions(checked)
        if self._config.compresses:
            return self._read(checked)
        norms = self._norms[positions] if self._form.keeps_norms else None
        return self._form.vectors(self._stage.gather(positions), norms)

    def _searched(self) -> AbstractStage:
        """The stage, reading rows that it does not keep by the ids that are here now."""
        return self._stage.reading(self._read_rows)

    def _read_rows(self, positions: IdArray) -> Float32Array:
        return self._form.rows(self._read(self._table.raw[positions]))[0]

    def _read(self, ids: IdArray) -> Float32Array:
        if self._reader is None:
            raise IndexKindError(
                f"a {self._config.kind} index keeps codes alone and needs to read full vectors; "
                "pass reader= where it is built or loaded"
            )
        if not len(ids):
            return np.empty((0, self._dim), np.float32)
        vectors = check_vectors(self._reader(ids), self._dim, what="vectors from the reader")
        if len(vectors) != len(ids):
            raise DimensionError(f"expected {len(ids)} vectors from the reader, got {len(vectors)}")
        return vectors

    def _result(self, hits: Hits, k: int, limit: float) -> SearchResult:
        ids = self._table.raw[hits.positions]
        parts = [hits.distances, hits.angular, hits.radial]
        if limit < math.inf or is_padded(hits.positions):
            missing = (hits.positions == PAD_ID) | (hits.distances > limit)
            ids = np.where(missing, PAD_ID, ids)
            parts = [p if p is None else np.where(missing, PAD_DISTANCE, p) for p in parts]
        if ids.shape[1] < k:
            ids = _padded(ids, k, PAD_ID)
            parts = [p if p is None else _padded(p, k, PAD_DISTANCE) for p in parts]
        distances, angular, radial = parts
        assert distances is not None
        return SearchResult(ids, distances, angular, radial, hits.exact)

    def _empty(self, n_queries: int, k: int) -> SearchResult:
        nothing = np.full((n_queries, k), PAD_DISTANCE)
        parts = nothing if self._metric.name == "nao" else None
        return SearchResult(
            np.full((n_queries, k), PAD_ID, np.int64), nothing, parts, parts, exact=True
        )

    def _check_writable(self, action: str) -> None:
        if self._is_read_only:
            raise IndexKindError(
                f"cannot {action} in an index that is mapped from its file or shares its rows; "
                "load it with mmap=False to change it"
            )


def build_index(
    vectors: npt.NDArray[Any],
    ids: npt.NDArray[Any],
    *,
    metric: AbstractMetric,
    config: AbstractIndexConfig,
    reader: RowReader | None = None,
) -> VectorIndex:
    """Index of `vectors` under `ids`.

    Parameters
    ----------
    vectors : (n, dim) float32 or float16
        Not modified, not kept: the index holds its own rows. `n` may be 0.
    ids : (n,) integers
        Distinct, in [0, 2**63).
    metric : AbstractMetric
    config : AbstractIndexConfig
        `FlatConfig()`, `HnswConfig(...)`: kind and settings.
    reader : RowReader or None
        Where kinds that keep codes alone read full vectors; they cannot be searched without.

    Raises
    ------
    DimensionError, DtypeError, NonFiniteError, ZeroVectorError, DuplicateIdError
    MetricError
        No index can search by this metric.
    """
    checked = check_vectors(vectors, None, what="vectors")
    index = VectorIndex(checked.shape[1], metric, config, reader=reader)
    index.add(checked, ids)
    return index


def train_index(
    sample: npt.NDArray[Any],
    *,
    count: int,
    metric: AbstractMetric,
    config: AbstractIndexConfig,
    reader: RowReader | None = None,
) -> VectorIndex:
    """An empty index that is laid out for `count` vectors, to be filled by `add` block by block.

    It takes the memory of its structure, and filling it that of a block more.

    Parameters
    ----------
    sample : (n, dim) float32 or float16
        Some of the vectors, drawn at random: what cells and codes are fitted to. Not kept.
    count : int
        How many vectors will be added, about.
    metric, config, reader
        As of `build_index`.

    Raises
    ------
    DimensionError, DtypeError, NonFiniteError, ZeroVectorError, ParameterError, MetricError
    """
    checked = check_vectors(sample, None, what="sample")
    index = VectorIndex(checked.shape[1], metric, config, reader=reader)
    index.prepare(checked, check_count(count, what="count"))
    return index


def _check_limit(max_distance: float | None) -> float:
    if max_distance is None:
        return math.inf
    limit = float(max_distance)
    if math.isnan(limit) or limit < 0:
        raise ParameterError(f"expected max_distance of at least 0, got {max_distance!r}")
    return limit


def _padded(values: npt.NDArray[Any], k: int, filler: float) -> npt.NDArray[Any]:
    return np.pad(values, ((0, 0), (0, k - values.shape[1])), constant_values=filler)
