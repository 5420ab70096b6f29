"""Marginal energies from neighbours against the exact ones: bounds, levels found, time.

    python -m benchmarks.energy             # 50,000 rows of 64 and 1,024 dimensions
    python -m benchmarks.energy --quick     # 3,000 rows of 16 and 64

Corpora: `white` Gaussian noise; `noise`, white but with norms that spread as those of inverted
drawn faces do (30.2 ± 1.4 of 1,024 dimensions); `clusters`, 200 groups under a power-law spectrum,
as encoders' embeddings lie. Queries: stored rows, each left out of the sum, and rows with noise
added at known levels. Neighbours come from the exact flat index in single precision; the time of
the near form includes its searches. One thread; ratios of one run.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from benchmarks._arguments import make_parser
from benchmarks._record import record, write_section
from indexers.flat import FlatConfig
from indexers.index import build_index
from indexers.metric import make_metric
from latentdb.energy.by_neighbours import IndexSearch
from latentdb.energy.kept import EnergyScale
from latentdb.geometry.marginal_energy import (
    Energies,
    EnergyCorpus,
    NearEnergies,
    NearField,
    NoisePrior,
    marginal_energy,
    widened_energies,
)
from latentdb.types import SpaceRows

TIMES = (0.1, 0.3, 0.5, 0.7, 0.9)
TOLERANCE = 1e-3
NEIGHBOURS = (32, 512)


def drawn(kind: str, n: int, dim: int, rng: np.random.Generator) -> np.ndarray:
    """Rows (n, dim) float32 of one kind, centred, of unit variance per coordinate."""
    rows = rng.normal(size=(n, dim)).astype(np.float32)
    if kind == "noise":
        rows *= rng.normal(0.94, 0.044, (n, 1)).astype(np.float32)
    if kind == "clusters":
        spectrum = (np.arange(1, dim + 1) ** -0.5).astype(np.float32)
        centres = rng.normal(size=(200, dim)).astype(np.float32)
        rows = (centres[rng.integers(200, size=n)] + 0.5 * rows) * spectrum
    rows -= rows.mean(axis=0)
    return rows / rows.std(dtype=np.float64).astype(np.float32)


def timed(call: Callable[[], object]) -> tuple[float, object]:
    """Seconds, and what the call gives."""
    start = time.perf_counter()
    answer = call()
    return time.perf_counter() - start, answer


def asked(rows: np.ndarray, count: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Queries by what they are."""
    picked = rng.permutation(len(rows))[:count]
    noise = rng.normal(size=(count, rows.shape[1]))
    at = {f"t={t}": ((1 - t) * rows[picked] + t * noise).astype(np.float32) for t in TIMES}
    return {"stored": rows[:count]} | at


def judged(near: NearEnergies, exact: Energies) -> dict[str, float]:
    """Whether the bounds hold, and how wide they are, in nats."""
    slack = 1e-9 * (1 + np.abs(exact.energy))
    within = (near.lower <= exact.energy + slack) & (exact.energy <= near.upper + slack)
    return {
        "within": int(within.sum()),
        "queries": len(within),
        "median_width": float(np.median(near.widths)),
        "widest": float(near.widths.max()),
        "share_below_0.001": float((near.widths < TOLERANCE).mean()),
        "worst_error": float(np.abs(near.energy - exact.energy).max()),
    }


def study(kind: str, n: int, dim: int, count: int, seed: int) -> dict[str, object]:
    """One corpus: every kind of query by neighbours and exactly."""
    rng = np.random.default_rng([seed, dim])
    rows, prior = drawn(kind, n, dim, rng), NoisePrior.flow_matching(dim)
    corpus = EnergyCorpus(rows)
    seconds, field = timed(lambda: NearField(corpus, prior))
    assert isinstance(field, NearField)
    ids = np.arange(n)
    index = build_index(rows, ids, metric=make_metric("euclidean"), config=FlatConfig())
    search = IndexSearch(index, SpaceRows(ids, rows), EnergyScale(np.zeros(dim), 1.0))
    found: dict[str, object] = {"levels": len(prior.levels), "prepare_s": seconds}
    for name, queries in asked(rows, count, rng).items():
        own = np.arange(count) if name == "stored" else np.full(count, -1)
        found[name] = compared(queries, own, corpus, prior, field, search)
        if name != "stored":
            found[name] |= level_found(queries, corpus, prior, float(name[2:]))
        print(kind, dim, name, found[name], flush=True)
    return found


def compared(
    queries: np.ndarray,
    own: np.ndarray,
    corpus: EnergyCorpus,
    prior: NoisePrior,
    field: NearField,
    search: IndexSearch,
) -> dict[str, float]:
    """The near form against the exact one, and what a search at the query itself would bound."""
    product_s, _ = timed(lambda: corpus.dots(queries.astype(np.float64)))
    exact_s, exact = timed(lambda: marginal_energy(queries, corpus, prior, own_rows=own))
    gradient_s, _ = timed(
        lambda: marginal_energy(queries, corpus, prior, own_rows=own, with_gradient=True)
    )
    searching = 0.0

    def counted(points: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
        nonlocal searching
        seconds, answer = timed(lambda: search(points, k))
        searching += seconds
        return answer  # type: ignore[return-value]

    near_s, near = timed(
        lambda: widened_energies(
            queries, field, counted, tolerance=TOLERANCE, own_rows=own, k=NEIGHBOURS
        )
    )
    assert isinstance(exact, Energies)
    assert isinstance(near, NearEnergies)
    plain = field.energies(queries, *search(queries.astype(np.float64), 512), own_rows=own)
    return judged(near, exact) | {
        "median_width_of_512_at_the_query": float(np.median(plain.widths)),
        "exact_over_product": exact_s / product_s,
        "gradient_over_product": gradient_s / product_s,
        "near_over_exact": near_s / exact_s,
        "near_without_search_over_exact": (near_s - searching) / exact_s,
        "exact_ms": 1e3 * exact_s / len(queries),
    }


def level_found(
    queries: np.ndarray, corpus: EnergyCorpus, prior: NoisePrior, time_of: float
) -> dict[str, float]:
    """How far the posterior's mean flow time is from the level that the noise was added at."""
    found = marginal_energy(queries, corpus, prior).posterior @ prior.flow_times
    return {
        "found_time": float(found.mean()),
        "rms_error_of_time": float(np.sqrt(np.square(found - time_of).mean())),
    }


def gradient_error(seed: int) -> float:
    """Largest relative error of the gradient against torch's automatic differentiation."""
    import torch

    rng = np.random.default_rng(seed)
    rows, queries = rng.normal(size=(300, 32)), rng.normal(size=(20, 32))
    prior = NoisePrior.flow_matching(32)
    u, x = torch.from_numpy(queries).requires_grad_(), torch.from_numpy(rows)
    terms = []
    for level, weight in zip(prior.levels, prior.weights, strict=True):
        exponents = -(u[:, None] - level.signal * x).square().sum(2) / (2 * level.sigma**2)
        volume = 16 * np.log(2 * np.pi * level.sigma**2)
        terms.append(torch.logsumexp(exponents, 1) + np.log(weight / len(rows)) - volume)
    (-torch.logsumexp(torch.stack(terms), 0)).sum().backward()
    got = marginal_energy(queries, EnergyCorpus(rows), prior, with_gradient=True).gradient
    assert got is not None
    assert u.grad is not None
    error = np.linalg.norm(got - u.grad.numpy(), axis=1) / np.linalg.norm(got, axis=1)
    return float(error.max())


def table(results: dict[str, dict[str, dict[str, dict[str, float]]]]) -> str:
    """The results as a table for docs/energy.md."""
    lines = [
        "| corpus | dim | queries | within | median width | widest | < 0.001 | 512 at u "
        "| level found | near/exact | without search | exact/product |",
        "|---|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for kind, dims in results.items():
        for dim, found in dims.items():
            for name, one in found.items():
                if not isinstance(one, dict):
                    continue
                level = f"{one['found_time']:.3f}" if "found_time" in one else "–"
                lines.append(
                    f"| {kind} | {dim} | {name} | {one['within']}/{one['queries']} | "
                    f"{one['median_width']:.2g} | {one['widest']:.2g} | "
                    f"{one['share_below_0.001']:.0%} | "
                    f"{one['median_width_of_512_at_the_query']:.2g} | {level} | "
                    f"{one['near_over_exact']:.2f} | "
                    f"{one['near_without_search_over_exact']:.2f} | "
                    f"{one['exact_over_product']:.1f} |"
                )
    return "\n".join(lines)


def main() -> None:
    """Run, record, and write the table."""
    parser = make_parser(__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    n, dims, count = (3000, (16, 64), 16) if options.quick else (50_000, (64, 1024), 32)
    results = {
        kind: {str(dim): study(kind, n, dim, count, options.seed) for dim in dims}
        for kind in ("clusters", "noise", "white")
    }
    error = gradient_error(options.seed)
    print("gradient against torch", error)
    if not options.quick:
        found = {"n": n, "tolerance": TOLERANCE, "neighbours": NEIGHBOURS, "corpora": results}
        record("energy", found | {"gradient_relative_error": error}, seed=options.seed)
        write_section("energy.md", "energy", table(results))
    else:
        print(table(results))


if __name__ == "__main__":
    main()
