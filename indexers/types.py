"""The vocabulary of this layer, and its conventions, said here once.

- A **distance** is always "lower is nearer": FAISS's inner product (higher is nearer) is turned.
- **euclidean** is the plain distance, not FAISS's squared one. **cosine** is 1 − cos θ, in [0, 2].
  **nao** is the norm-aware geodesic length of `indexers.metric.NaoMetric`.
- A row with fewer than `k` hits is **padded** at its end with id −1 at distance `inf` (FAISS pads
  with id −1 and ±3.4e38). `angular` and `radial` are padded with `inf`, too.
- Hits of a row are sorted by distance; which of several hits at exactly the same distance comes
  first, or is cut off at `k`, is not defined.
- **ids** are non-negative 63-bit integers in int64; **vectors** are float32 and C-contiguous.
  Arrays given by a caller are never modified; arrays handed out are the caller's own unless the
  docstring says "view".
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias, final, get_args

import numpy as np
import numpy.typing as npt

MetricName: TypeAlias = Literal["euclidean", "cosine", "nao"]
IndexKind: TypeAlias = Literal["flat", "sq8", "hnsw", "ivf", "ivf_pq", "rabitq"]
PriorName: TypeAlias = Literal["chi", "fitted", "none"]

METRIC_NAMES: tuple[MetricName, ...] = get_args(MetricName)
INDEX_KINDS: tuple[IndexKind, ...] = get_args(IndexKind)
PRIOR_NAMES: tuple[PriorName, ...] = get_args(PriorName)

FloatArray: TypeAlias = npt.NDArray[np.float64]
Float32Array: TypeAlias = npt.NDArray[np.float32]
RealArray: TypeAlias = npt.NDArray[np.floating]
IdArray: TypeAlias = npt.NDArray[np.int64]
BoolArray: TypeAlias = npt.NDArray[np.bool_]
# Full vectors (n, dim) of ids (n,), in the order asked: where an index keeps codes alone.
RowReader: TypeAlias = Callable[[IdArray], Float32Array]

PAD_ID = -1
PAD_DISTANCE = float("inf")


@final
@dataclass(frozen=True, slots=True, eq=False)
class SearchResult:
    """The nearest rows of each query, nearest first.

    Attributes
    ----------
    ids : (n_queries, k) int64
        Padded with −1.
    distances : (n_queries, k) float64
        Lower is nearer, ascending along a row, padded with `inf`.
    angular, radial : (n_queries, k) float64, or None
        The two parts that a `nao` distance is the sum of; None for other metrics.
    exact : bool
        True when every row is proven to be the true top-k (ties may be broken either way);
        False when an approximate first stage may have missed some.
    """

    ids: IdArray
    distances: FloatArray
    angular: FloatArray | None
    radial: FloatArray | None
    exact: bool
