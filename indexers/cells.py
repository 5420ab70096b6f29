"""Cells around centroids: how many there are, how they are laid out, how a query visits them."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from indexers.faiss_library import faiss
from indexers.gpu import place_centroids_on_gpu
from indexers.ids import Selection
from indexers.stage import Candidates
from indexers.types import PAD_ID, Float32Array

# FAISS wants so many rows to place a centroid by.
_ROWS_PER_CELL = 39
# What was laid out for few rows is laid out again when there are so many times as many.
OUTGROWN = 4


def cells_for(count: int, nlist: int | None, *, per_root: int) -> int:
    """How many cells `count` rows are laid out in: `nlist`, or `per_root`·√count.

    Fewer where a cell would have less than 39 rows.
    """
    if nlist is not None:
        return max(1, min(nlist, count))
    return max(1, min(int(per_root * math.sqrt(count)), count // _ROWS_PER_CELL))


def owned_flat(dim: int, score: int) -> Any:
    """An empty flat index of `dim` values for the centroids, for FAISS to own."""
    centroids = faiss.IndexFlat(dim, score)
    centroids.this.disown()
    return centroids


def settle(structure: Any) -> Any:
    """A structure of cells with the settings that all of them share."""
    structure.own_fields = True
    # Fewer rows than FAISS would like are no reason to write to the caller's standard error.
    structure.cp.min_points_per_centroid = 1
    place_centroids_on_gpu(structure)
    return structure


def search_cells(
    structure: Any,
    asked: tuple[Float32Array, int, Selection],
    nprobe: int,
    parameters: Callable[..., Any] = faiss.SearchParametersIVF,
) -> Candidates:
    """The k best-scored selected rows of the nearest cells; of all, where those hold fewer.

    Parameters
    ----------
    structure : faiss.IndexIVF
    asked : queries (n_queries, dim), k, selection
        `k <= selection.count`.
    nprobe : int
        Cells that a query visits; more under a filter.
    parameters : callable
        Makes FAISS's parameters from `nprobe` and `sel`.
    """
    queries, k, selection = asked
    cells = int(structure.nlist)
    if selection.mask is not None:
        # Cells hold one allowed row in count/selection.count, so that many more are visited.
        nprobe = -(-nprobe * int(structure.ntotal) // selection.count)
    nprobe = min(nprobe, cells)
    scores, positions = structure.search(
        queries, k, params=parameters(nprobe=nprobe, sel=selection.selector)
    )
    short = np.flatnonzero(positions[:, -1] == PAD_ID)
    if short.size and nprobe < cells:
        everywhere = parameters(nprobe=cells, sel=selection.selector)
        scores[short], positions[short] = structure.search(queries[short], k, params=everywhere)
    complete = nprobe == cells or len(short) == len(queries)
    return Candidates(scores, positions, complete, is_measured=True)
