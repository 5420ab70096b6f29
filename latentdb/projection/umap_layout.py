"""UMAP of a space's rows. The only file that knows umap-learn, which is an optional package."""

from __future__ import annotations

import importlib.util
import re
from typing import Any, Final, final

import numpy as np

from latentdb.errors import NotEnoughDataError, QueryError
from latentdb.model import Vectors
from latentdb.progress import Progress

#: Principal components that neighbours are found by: distances along the others are left out.
UMAP_COMPONENTS: Final = 64
_NEIGHBOURS: Final = 15
_MIN_DIST: Final = 0.1
_MIN_ROWS: Final = 5


def require_umap() -> None:
    """Raise QueryError where umap-learn is not installed."""
    if importlib.util.find_spec("umap") is None:
        raise QueryError(
            'method "umap" needs umap-learn, which is not installed: pip install '
            "'latentdb[map]', or ask for pca"
        )


def lay_out(rows: Vectors, *, seed: int, progress: Progress) -> tuple[Vectors, dict[str, Any]]:
    """Points (n, 2) float32 of rows (n, count), which are principal components, and the settings.

    It starts from the first two components, so that what is to the left of a plane by PCA is
    mostly to the left of this one, and so that equal seeds give equal points.

    Raises
    ------
    NotEnoughDataError
        Fewer than five rows.

    References
    ----------
    McInnes, Healy and Melville, "UMAP: uniform manifold approximation and projection", 2018,
    arXiv 1802.03426. Kobak and Linderman, "Initialization is critical for preserving global data
    structure in both t-SNE and UMAP", Nature Biotechnology 2021 (the start).
    """
    if len(rows) < _MIN_ROWS:
        raise NotEnoughDataError(f"umap needs {_MIN_ROWS} rows, got {len(rows)}: use pca")
    progress(0, 0, "loading UMAP")
    from umap import UMAP

    n_neighbors = min(_NEIGHBOURS, len(rows) - 1)
    progress(0, 0, "finding neighbours")
    # One thread: with several, the order of additions and so the points would differ.
    layout = UMAP(
        n_neighbors=n_neighbors,
        min_dist=_MIN_DIST,
        init=_start(rows, seed),
        random_state=seed,
        n_jobs=1,
        tqdm_kwds={
            "file": _Epochs(progress),
            "disable": False,
            "bar_format": "{n_fmt}/{total_fmt} ",
            "mininterval": 0.5,
        },
    )
    xy: Vectors = layout.fit_transform(rows).astype(np.float32)
    params = {"n_neighbors": n_neighbors, "min_dist": _MIN_DIST, "components": rows.shape[1]}
    return xy, {**params, "seed": seed}


def _start(rows: Vectors, seed: int) -> Vectors:
    """The first two components (n, 2); random where rows do not differ along the second."""
    start = np.random.default_rng(seed).standard_normal((len(rows), 2)).astype(np.float32)
    for axis in range(min(2, rows.shape[1])):
        if np.ptp(rows[:, axis]) > 0:
            start[:, axis] = rows[:, axis]
    return start


@final
class _Epochs:
    """What UMAP's progress bar writes to: it has no other way to say how far it is."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress

    def write(self, text: str) -> None:
        """Pass on the two numbers of a line."""
        found = re.search(r"(\d+)/(\d+)", text)
        if found:
            self._progress(int(found[1]), int(found[2]), "laying out")

    def flush(self) -> None:
        """Nothing is held back."""
