"""The one import of FAISS.

Its bundled type hints miss the Python wrappers (keyword arguments, arrays for pointers), so it is
handled as `Any`. Where torch is used in the same process, torch must be imported first.
"""

from __future__ import annotations

from typing import Any

import faiss as _faiss

faiss: Any = _faiss

# From so many values of queries (n_queries·dim) on, FAISS 1.15 compares by a product of matrices.
# Its own figure suits a hundred cores: on a few, comparing one query after the other is ten times
# as slow by then (facebookresearch/faiss, pull request 5109). Older versions count queries alone.
_OWN_FIGURE = 128_000
_FIGURE = 20_000
if faiss.cvar.distance_compute_blas_threshold == _OWN_FIGURE:
    faiss.cvar.distance_compute_blas_threshold = _FIGURE
