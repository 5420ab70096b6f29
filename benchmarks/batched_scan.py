"""From how many queries on a flat search should multiply matrices: FAISS one by one against ours.

    python -m benchmarks.batched_scan

For each dimension, number of rows and number of queries: milliseconds of comparing one query after
the other, over milliseconds of `indexers.flat_scan`'s products; above 1 the products are faster.
With a filter that lets half of the rows pass, too. On one thread, alternately, the best of each.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from benchmarks._arguments import make_parser
from benchmarks._record import record
from indexers import flat_scan
from indexers.faiss_library import faiss, multiply_from
from indexers.ids import Selection

SIZES = ((128, 5_000), (128, 100_000), (512, 50_000), (1024, 5_000), (1024, 50_000), (16384, 4_000))
QUERIES = (2, 4, 8, 16, 32)
K, ROUNDS = 10, 7


def main() -> None:
    """Time both ways, print and keep the ratios."""
    arguments = make_parser(__doc__)
    arguments.add_argument("--seed", type=int, default=0)
    asked = arguments.parse_args()
    faiss.omp_set_num_threads(1)
    rng = np.random.default_rng(asked.seed)
    results = {f"{dim} x {n}": _ratios(dim, n, rng) for dim, n in SIZES}
    record("batched_scan", results, seed=asked.seed)


def _ratios(dim: int, n: int, rng: np.random.Generator) -> dict[str, dict[str, float]]:
    rows = rng.standard_normal((n, dim), dtype=np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    flat = faiss.IndexFlatIP(dim)
    flat.add(rows)
    selections = {
        "all": Selection(n, None, None),
        "half": Selection.of_mask(rng.random(n) < 0.5),
    }
    found: dict[str, dict[str, float]] = {name: {} for name in selections}
    for count in QUERIES:
        queries = rng.standard_normal((count, dim), dtype=np.float32)
        for name, selection in selections.items():
            one, other = _best_ms(
                lambda s=selection, q=queries: _one_by_one(flat, q, s),
                lambda s=selection, q=queries: _products(flat, rows, q, s),
            )
            found[name][str(count)] = round(one / other, 2)
    return found


def _one_by_one(flat: object, queries: np.ndarray, selection: Selection) -> None:
    multiply_from(len(queries) + 1, queries.shape[1])
    flat_scan._one_by_one(flat, queries, K, selection)


def _products(flat: object, rows: np.ndarray, queries: np.ndarray, selection: Selection) -> None:
    multiply_from(1, queries.shape[1])
    flat_scan._by_products(flat, rows, queries, K, selection)


def _best_ms(*ways: Callable[[], None]) -> list[float]:
    taken: list[list[float]] = [[] for _ in ways]
    for _ in range(ROUNDS):
        for way, times in zip(ways, taken, strict=True):
            started = time.perf_counter()
            way()
            times.append((time.perf_counter() - started) * 1e3)
    return [min(times) for times in taken]


if __name__ == "__main__":
    main()
