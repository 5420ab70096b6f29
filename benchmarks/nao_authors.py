"""The optimiser of NAO's authors, written from its description, and its time and value beside ours.

    python -m benchmarks.nao_authors

Theirs: 50 points on the chord with uniform jitter of up to .01 a coordinate, 48 of them free; the
loss is the sum of segment lengths times −log p(‖midpoint‖), plus what segments exceed
eps = 2·‖chord‖/50; Adam at .01, at most 10,000 steps, float32. Where the description leaves a
choice ("stop when the loss moved by less than .001 ten times") the one that stops earliest is
taken: the ten need not be in a row. Theirs runs on as many threads as torch takes.

Ours, per pair: among all pairs of a batch with another (`pairwise`, whose angles are one product);
row by row, where reading the vectors is what takes the time; the length alone, of norms and an
angle; and one call of `distance`.

References
----------
Samuel et al., "Norm-guided latent space exploration for text-to-image generation", NeurIPS 2023,
arXiv 2306.08687.
"""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch

from benchmarks._arguments import make_parser
from benchmarks._record import record
from indexers.metric import ChiPrior, NaoMetric
from indexers.metric.priors import AbstractRadialPrior
from indexers.types import Float32Array, FloatArray
from tests.indexers.nao_reference import quadrature_length, reference_length

POINTS = 50
LEARNING_RATE = 0.01
MOST_STEPS = 10_000
# Least change of the loss that counts as one, and how many such standstills end the descent.
PATH_STOP = (1e-3, 10)
CENTROID_STOP = (1e-2, 5)
# Above this arccos has lost a factor of 2,500 of accuracy.
STEEP_COSINE = 0.9998
# A segment's length integral: panels and Gauss nodes in each.
_PANELS, _NODES = 64, 8


class Descent(NamedTuple):
    """Where an optimisation ended: the points, and after how many steps."""

    points: torch.Tensor
    steps: int


def optimise_path(
    start: torch.Tensor, end: torch.Tensor, *, generator: torch.Generator
) -> torch.Tensor:
    """Path of 50 points (50, dim) between two vectors (dim,), as the authors find it.

    Parameters
    ----------
    start, end : (dim,)
        Computed in float32, on their device. Not modified.
    generator : torch.Generator
        Of the jitter; on the same device.
    """
    return descend_path(start, end, generator=generator).points


def descend_path(start: torch.Tensor, end: torch.Tensor, *, generator: torch.Generator) -> Descent:
    """Like `optimise_path`, with the number of steps it took."""
    first, last = start.detach().float(), end.detach().float()
    inner = _chords(first[None], last[None], generator)[0].requires_grad_()
    eps = 2.0 * torch.linalg.vector_norm(first - last) / POINTS

    def loss() -> torch.Tensor:
        return _path_loss(torch.cat([first[None], inner, last[None]]), eps)

    steps = _descend([inner], loss, PATH_STOP)
    return Descent(torch.cat([first[None], inner.detach(), last[None]]), steps)


def optimise_centroid(vectors: torch.Tensor, *, generator: torch.Generator) -> torch.Tensor:
    """Centroid (dim,) of the rows of `vectors` (n, dim), as the authors find it.

    The centre and a path of 50 points to every row are moved together, from the mean of the rows
    and its chords; the loss is the sum of the paths' losses plus −log p(‖centre‖).
    """
    ends = vectors.detach().float()
    centre = ends.mean(dim=0)
    inner = _chords(centre.expand_as(ends), ends, generator).requires_grad_()
    eps = 2.0 * torch.linalg.vector_norm(ends - centre, dim=1) / POINTS
    centre = centre.clone().requires_grad_()

    def loss() -> torch.Tensor:
        paths = torch.cat([centre.expand_as(ends)[:, None], inner, ends[:, None]], dim=1)
        return _path_loss(paths, eps[:, None]) + _minus_log_p(centre)

    _descend([centre, inner], loss, CENTROID_STOP)
    return centre.detach()


def midpoint_cost(points: torch.Tensor) -> float:
    """The value that the optimiser sees: segment lengths times −log p(‖midpoint‖), in float32."""
    sizes, costs = _segments(points)
    return float((sizes * costs).sum())


def path_cost(points: torch.Tensor, prior: AbstractRadialPrior) -> float:
    """Length of the polyline through `points` (m, dim) under the metric of `prior`, in float64.

    w(‖x‖) is integrated along every segment by 512 nodes: the midpoint rule lets a segment jump
    over a wall, which this does not.
    """
    corners = points.detach().cpu().numpy().astype(np.float64)
    squares = np.einsum("ij,ij->i", corners, corners)
    products = np.einsum("ij,ij->i", corners[:-1], corners[1:])
    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    t = ((np.arange(_PANELS)[:, None] + (nodes + 1) / 2) / _PANELS).ravel()
    low, high, cross = squares[:-1, None], squares[1:, None], products[:, None]
    radii = np.sqrt(np.maximum((1 - t) ** 2 * low + 2 * t * (1 - t) * cross + t**2 * high, 0.0))
    sizes = np.linalg.norm(np.diff(corners, axis=0), axis=1)
    return float(sizes @ (prior.cost(radii) @ np.tile(weights / (2 * _PANELS), _PANELS)))


def _chords(starts: torch.Tensor, ends: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Inner points (n, 48, dim) of n straight lines, jittered."""
    t = torch.linspace(0, 1, POINTS, device=starts.device)[1:-1, None]
    points = starts[:, None] + t * (ends - starts)[:, None]
    return points + torch.rand(points.shape, generator=generator, device=points.device) / 100


def _path_loss(points: torch.Tensor, eps: torch.Tensor) -> torch.Tensor:
    sizes, costs = _segments(points)
    return (sizes * costs).sum() + torch.relu(sizes - eps).sum()


def _segments(points: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Segment lengths, and −log p at their midpoints."""
    before, after = points[..., :-1, :], points[..., 1:, :]
    sizes: torch.Tensor = torch.linalg.vector_norm(after - before, dim=-1)
    return sizes, _minus_log_p((before + after) / 2)


def _minus_log_p(points: torch.Tensor) -> torch.Tensor:
    """−log of the chi density of the norms of `points` (…, dim)."""
    dim = points.shape[-1]
    r = torch.linalg.vector_norm(points, dim=-1)
    constant = (dim / 2 - 1) * math.log(2) + math.lgamma(dim / 2)
    value: torch.Tensor = constant - (dim - 1) * torch.log(r) + r.square() / 2
    return value


def _descend(
    free: list[torch.Tensor], loss: Callable[[], torch.Tensor], stop: tuple[float, int]
) -> int:
    """Move `free` by Adam until the loss has stood still often enough; the number of steps."""
    optimiser = torch.optim.Adam(free, lr=LEARNING_RATE)
    least_change, patience = stop
    before, standstills = math.inf, 0
    for step in range(1, MOST_STEPS + 1):
        optimiser.zero_grad()
        value = loss()
        value.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        now = float(value.detach())
        standstills += abs(before - now) < least_change
        if standstills >= patience:
            return step
        before = now
    return MOST_STEPS


# The comparison

# Offsets of both norms from the mode, and the angle.
PAIRS = {
    "far, on the shell": ((0.0, 0.0), 1.5),
    "near, on the shell": ((0.0, 0.0), 0.05),
    "far, both 8 outside": ((8.0, 8.0), 1.5),
    "far, 2 outside and 1 inside": ((2.0, -1.0), 1.5),
}


def main() -> None:
    """Run both on every kind of pair; print and keep seconds, values and ratios."""
    arguments = make_parser(__doc__)
    arguments.add_argument("--dim", type=int, default=16384)
    arguments.add_argument("--batch", type=int, default=512, help="pairs of a batch of ours")
    arguments.add_argument("--pairs", nargs="+", choices=list(PAIRS), default=list(PAIRS))
    arguments.add_argument("--seed", type=int, default=0)
    asked = arguments.parse_args()
    rows = {
        name: _compare(_drawn(asked.dim, asked.batch, name, asked.seed), asked.seed)
        for name in asked.pairs
    }
    results = {
        "dim": asked.dim,
        "batch": asked.batch,
        "threads_of_theirs": torch.get_num_threads(),
        "goal_ratio": 1e5,
        "least_ratio_among_all_pairs": min(row["ratio_among_all_pairs"] for row in rows.values()),
        "least_ratio_in_a_batch": min(row["ratio_in_a_batch"] for row in rows.values()),
        "least_ratio_of_one_call": min(row["ratio_of_one_call"] for row in rows.values()),
        "pairs": rows,
    }
    record("nao_authors", results, seed=asked.seed)


class _Batch(NamedTuple):
    """Pairs of one kind, row by row."""

    starts: Float32Array
    ends: Float32Array


def _drawn(dim: int, count: int, name: str, seed: int) -> _Batch:
    """Pairs of random directions with the norms and the angle of their kind."""
    offsets, angle = PAIRS[name]
    rng, mode = np.random.default_rng(seed), math.sqrt(dim - 1)
    starts = rng.standard_normal((count, dim), dtype=np.float32)
    aside = rng.standard_normal((count, dim), dtype=np.float32)
    starts /= np.linalg.norm(starts, axis=1, keepdims=True)
    aside -= np.einsum("ij,ij->i", starts, aside)[:, None] * starts
    aside /= np.linalg.norm(aside, axis=1, keepdims=True)
    ends = math.cos(angle) * starts + math.sin(angle) * aside
    return _Batch(
        (starts * np.float32(mode + offsets[0])).astype(np.float32),
        (ends * np.float32(mode + offsets[1])).astype(np.float32),
    )


def _compare(batch: _Batch, seed: int) -> dict[str, float]:
    """Theirs on the first pair, ours on the batch and on the first pair alone."""
    prior = ChiPrior(batch.starts.shape[1])
    metric = NaoMetric(prior)
    x, y = batch.starts[0], batch.ends[0]
    generator = torch.Generator().manual_seed(seed)
    started = time.perf_counter()
    path = descend_path(torch.from_numpy(x), torch.from_numpy(y), generator=generator)
    theirs_s = time.perf_counter() - started
    batch_s = _median_seconds(lambda: _paired(metric, batch), 9) / len(batch.starts)
    polar = [np.concatenate(values) for values in zip(*_polar_blocks(batch), strict=True)]
    polar_s = _median_seconds(lambda: metric.from_polar(*polar), 9) / len(batch.starts)
    all_s = _median_seconds(lambda: metric.pairwise(batch.starts, batch.ends), 3)
    all_s /= len(batch.starts) * len(batch.ends)
    call_s = _median_seconds(lambda: metric.distance(x, y), 50)
    r0, r1, angle = (float(values[0]) for values in polar)
    reference = reference_length(prior.dim, r0, r1, angle)
    ours, seen = float(_paired(metric, batch)[0]), midpoint_cost(path.points)
    walked = path_cost(path.points, prior)
    return {
        "theirs_s": theirs_s,
        "theirs_steps": path.steps,
        "ours_among_all_pairs_s": all_s,
        "ours_in_a_batch_s": batch_s,
        "ours_lengths_alone_s": polar_s,
        "ours_one_call_s": call_s,
        "ratio_among_all_pairs": theirs_s / all_s,
        "ratio_in_a_batch": theirs_s / batch_s,
        "ratio_of_one_call": theirs_s / call_s,
        "reference": reference,
        "reference_by_quadrature": quadrature_length(prior.dim, r0, r1, angle),
        "ours": ours,
        "ours_off_by": ours / reference - 1,
        "theirs_as_it_sees_it": seen,
        "theirs_sees_off_by": seen / reference - 1,
        "theirs_integrated": walked,
        "theirs_integrated_off_by": walked / reference - 1,
    }


def _paired(metric: NaoMetric, batch: _Batch) -> FloatArray:
    """Distances row by row, norms and angles computed on the way."""
    polar = [np.concatenate(values) for values in zip(*_polar_blocks(batch), strict=True)]
    return metric.from_polar(*polar)


def _polar_blocks(batch: _Batch, rows: int = 4) -> list[tuple[FloatArray, FloatArray, FloatArray]]:
    """Norms and angles in float64, a few rows at a time to stay in the processor's cache."""
    blocks = []
    for start in range(0, len(batch.starts), rows):
        x = batch.starts[start : start + rows].astype(np.float64)
        y = batch.ends[start : start + rows].astype(np.float64)
        # Not vecdot: its BLAS wakes a second thread for every dot product, which costs four times
        # what the product does.
        r0, r1 = (np.sqrt(np.einsum("ij,ij->i", rows, rows)) for rows in (x, y))
        cosines = np.einsum("ij,ij->i", x, y) / (r0 * r1)
        angles = np.arccos(np.clip(cosines, -1.0, 1.0))
        # Where arccos is steep: 2·atan2(‖x̂ − ŷ‖, ‖x̂ + ŷ‖).
        for i in np.flatnonzero(np.abs(cosines) > STEEP_COSINE):
            u, v = x[i] / r0[i], y[i] / r1[i]
            angles[i] = 2 * np.arctan2(np.linalg.norm(u - v), np.linalg.norm(u + v))
        blocks.append((r0, r1, angles))
    return blocks


def _median_seconds(call: Callable[[], object], repeats: int) -> float:
    """Median time of a call, the first one left out."""
    taken = []
    for _ in range(repeats + 1):
        started = time.perf_counter()
        call()
        taken.append(time.perf_counter() - started)
    return statistics.median(taken[1:])


if __name__ == "__main__":
    main()
