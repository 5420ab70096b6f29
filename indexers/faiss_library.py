"""The one import of FAISS.

Its bundled type hints miss the Python wrappers (keyword arguments, arrays for pointers), so it is
handled as `Any`. Where torch is used in the same process, torch must be imported first.
"""

from __future__ import annotations

from typing import Any

import faiss as _faiss

faiss: Any = _faiss

# FAISS 1.15 counts values of queries (n_queries·dim) to tell when a product of matrices pays, which
# suits one dimension at a time; older versions count queries.
_COUNTS_VALUES = faiss.cvar.distance_compute_blas_threshold == 128_000


def multiply_from(n_queries: int, dim: int) -> None:
    """Have flat searches of this dimension multiply matrices from so many queries on.

    The setting is the process's: searches of two dimensions at once may each take the other's
    way, which changes what they cost and nothing else.
    """
    figure = n_queries * dim if _COUNTS_VALUES else n_queries
    if faiss.cvar.distance_compute_blas_threshold != figure:
        faiss.cvar.distance_compute_blas_threshold = figure
