"""Building and searching on a GPU, where FAISS was built for one and one is there.

Centroids are placed there, and structures of all rows or of rows in cells are searched there. FAISS
has no graph on a GPU; a filter, or more hits or cells than its kernels select, is searched for on
the processor. Without a GPU nothing here does anything.
"""

from __future__ import annotations

from functools import cache
from typing import Any, final

from indexers.faiss_library import faiss
from indexers.ids import Selection
from indexers.types import Float32Array, IdArray

# What FAISS's kernels select at most.
MOST_HITS = MOST_PROBES = 2048
_SEARCHED = ("IndexFlat", "IndexFlatL2", "IndexFlatIP", "IndexIVFFlat")


@cache
def gpu_count() -> int:
    """GPUs that FAISS can use; 0 where it was built without."""
    return int(faiss.get_num_gpus()) if hasattr(faiss, "StandardGpuResources") else 0


def suits_gpu(structure: Any, k: int, selection: Selection, nprobe: int = 1) -> bool:
    """Whether a GPU can do a search: the structure is of a kind it has, and the limits are kept."""
    return (
        type(faiss.downcast_index(structure)).__name__ in _SEARCHED
        and selection.selector is None
        and k <= MOST_HITS
        and nprobe <= MOST_PROBES
    )


def place_centroids_on_gpu(structure: Any) -> None:
    """Have the centroids of cells placed on a GPU, where one is there."""
    if gpu_count():
        structure.clustering_index = faiss.index_cpu_to_all_gpus(
            faiss.IndexFlat(int(structure.d), structure.metric_type)
        )


@final
class GpuCopy:
    """A structure's copy on GPUs: made when it is first searched, and again after it has grown."""

    def __init__(self) -> None:
        self._made: tuple[Any, int, Any] | None = None

    def search(
        self, structure: Any, queries: Float32Array, k: int, nprobe: int | None = None
    ) -> tuple[Float32Array, IdArray]:
        """FAISS's scores and positions (n_queries, k)."""
        made = self._made
        if made is None or made[0] is not structure or made[1] != structure.ntotal:
            made = (structure, int(structure.ntotal), faiss.index_cpu_to_all_gpus(structure))
            self._made = made
        parameters = None if nprobe is None else faiss.SearchParametersIVF(nprobe=nprobe)
        scores, positions = made[2].search(queries, k, params=parameters)
        return scores, positions
