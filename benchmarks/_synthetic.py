"""Vectors without pictures, drawn from the law of real ones; and the command that fits that law.

    python -m benchmarks._synthetic DATABASE --noise faces-noise --encoder faces-clip

A law keeps of a space's vectors what an index feels: the spectrum of their covariance, their
norms, the share of their mean, and how near the nearest rows are. The last is what Gaussian noise
of the same spectrum lacks: pictures that are alike have noise that is alike. So a row is made of
random Fourier features of a point in a small cube, whose inner product is a Gaussian kernel of the
distance of two points, and of noise of its own: `intrinsic_dim`, `reach` and `own_share` are those
whose cosines at the 1st, 3rd, 10th, 30th and 100th nearest row of 5,000 are the most like the real
ones. What is fitted lies in `results/synthetic.json`; drawing needs nothing else.

References
----------
Rahimi and Recht, "Random Features for Large-Scale Kernel Machines", NeurIPS 2007.
Liang et al., "Mind the Gap: Understanding the Modality Gap in Multi-modal Contrastive
Representation Learning", NeurIPS 2022, arXiv:2203.02053.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from functools import cache
from itertools import product
from typing import Any, final

import numpy as np
from scipy.fft import dct

from benchmarks._arguments import make_parser
from benchmarks._record import RESULTS, record
from indexers.types import Float32Array
from latentdb.store import Store

BLOCK_ROWS = 4096
_NAME = "synthetic"
# Kinds of random draws of one seed: what rows share, rows, texts.
_SHARED, _ROWS, _TEXTS = range(3)
# Lengths in units of the pictures' mean, as Liang et al. measured of CLIP: unit vectors, gap .82.
_GAP = 0.82
_TEXT_OWN_SHARE = 0.5
_RANKS = np.array([1, 3, 10, 30, 100])


@final
@dataclass(frozen=True)
class Law:
    """What rows are drawn from.

    Attributes
    ----------
    spectrum : tuple of float
        Eigenvalues of the covariance of vectors at unit mean square, descending, mean 1.
    norms : tuple of float
        Quantiles of the norm, evenly from 0 to 1, in units of the root of the dimension.
    mean_share : float
        Norm of the mean of unit vectors.
    intrinsic_dim : int
        Of the cube that points lie in.
    reach : float
        Distance at which likeness fades, where a side of the cube is 2√3.
    own_share : float
        Share of the variance that no other row has.
    """

    spectrum: tuple[float, ...]
    norms: tuple[float, ...]
    mean_share: float
    intrinsic_dim: int = 0
    reach: float = 0.0
    own_share: float = 0.0


@final
class _Source:
    """Draws rows of one law, one width and one seed; block by block, the same every time."""

    def __init__(self, law: Law, dim: int, seed: int) -> None:
        self._law, self._seed = law, seed
        rng = np.random.default_rng([seed, _SHARED])
        at = np.linspace(0, 1, dim)
        spectrum = np.interp(at, np.linspace(0, 1, len(law.spectrum)), law.spectrum)
        self._spread = np.sqrt(spectrum / spectrum.mean(), dtype=np.float32)
        shape = (law.intrinsic_dim, dim)
        self._waves = (rng.standard_normal(shape) / law.reach).astype(np.float32)
        self._phases = rng.uniform(0, 2 * np.pi, dim).astype(np.float32)
        self._signs = rng.choice(np.float32([-1, 1]), (2, dim))
        self.mean, self.gap = self._directions(rng, dim)

    def _directions(self, rng: np.random.Generator, dim: int) -> Float32Array:
        """Two directions at right angles, as long as rows at unit mean square have a mean."""
        pair, _ = np.linalg.qr(rng.standard_normal((dim, 2)))
        share = self._law.mean_share
        length = share * np.sqrt(dim / max(1 - share**2, 1e-6))
        return (pair.T * length).astype(np.float32)

    def block(self, kind: int, at: int, own_share: float) -> tuple[Float32Array, Float32Array]:
        """Rows (BLOCK_ROWS, dim) about 0 at unit mean square, and the norms that they are to get.

        Rows of one number are of one point, whatever their kind.
        """
        law, dim = self._law, len(self._phases)
        side = np.sqrt(3.0)
        points = np.random.default_rng([self._seed, _ROWS, at]).uniform(
            -side, side, (BLOCK_ROWS, law.intrinsic_dim)
        )
        rng = np.random.default_rng([self._seed, _ROWS + kind, at, 1])
        rows = np.cos(points.astype(np.float32) @ self._waves + self._phases)
        rows *= np.float32(np.sqrt(2 * (1 - own_share)))
        own = rng.standard_normal((BLOCK_ROWS, dim), dtype=np.float32)
        own *= np.float32(np.sqrt(own_share))
        rows += own
        rows *= self._spread
        # Sign flips and cosine transforms turn the axes as a random rotation would, in no memory.
        for signs in self._signs:
            rows = dct(rows * signs, norm="ortho", axis=1, overwrite_x=True)
        levels = np.linspace(0, 1, len(law.norms))
        norms = np.interp(rng.uniform(size=BLOCK_ROWS), levels, law.norms) * np.sqrt(dim)
        return rows, norms.astype(np.float32)

    def rows(self, start: int, n: int) -> Iterator[Float32Array]:
        """Rows `start` to `start + n`, some thousand at a time."""
        for at in range(start // BLOCK_ROWS, -(-(start + n) // BLOCK_ROWS)):
            rows, norms = self.block(_ROWS, at, self._law.own_share)
            rows += self.mean
            yield _cut(_at_norm(rows, norms), at, start, n)

    def texts(self, start: int, n: int) -> Iterator[Float32Array]:
        """Rows of the same points, moved across the gap and with more of their own."""
        for at in range(start // BLOCK_ROWS, -(-(start + n) // BLOCK_ROWS)):
            rows, norms = self.block(_TEXTS, at, max(_TEXT_OWN_SHARE, self._law.own_share))
            rows += self.mean + np.float32(_GAP) * self.gap
            yield _cut(_at_norm(rows, norms), at, start, n)


def zoo_noise(n: int, dim: int = 1024, seed: int = 0, *, start: int = 0) -> Iterator[Float32Array]:
    """Inverted noise of `n` pictures, blocks (at most `BLOCK_ROWS`, dim) float32.

    Parameters
    ----------
    n, dim : int
    seed : int
        Rows of one seed are of one data set, and the same however they are asked for.
    start : int
        Number of the first row; rows after those that are stored are questions held out.
    """
    return _source("noise", dim, seed).rows(start, n)


def encoder_like(n: int, dim: int = 512, seed: int = 0, *, start: int = 0) -> Float32Array:
    """Embeddings (n, dim) of `n` pictures; parameters as of `zoo_noise`."""
    return np.concatenate(list(_source("encoder", dim, seed).rows(start, n)))


def text_like(n: int, dim: int = 512, seed: int = 0, *, start: int = 0) -> Float32Array:
    """Embeddings (n, dim) of texts about the pictures of `encoder_like` of the same numbers.

    Off their distribution: across a gap, and half of what varies is their own.
    """
    return np.concatenate(list(_source("encoder", dim, seed).texts(start, n)))


@cache
def _source(kind: str, dim: int, seed: int) -> _Source:
    found = json.loads((RESULTS / f"{_NAME}.json").read_text(encoding="utf-8"))
    return _Source(Law(**found["results"][kind]["law"]), dim, seed)


def _at_norm(rows: Float32Array, norms: Float32Array) -> Float32Array:
    rows *= (norms / np.linalg.norm(rows, axis=1))[:, None]
    return rows


def _cut(rows: Float32Array, at: int, start: int, n: int) -> Float32Array:
    first = at * BLOCK_ROWS
    return rows[max(0, start - first) : start + n - first]


# Fitting


def main() -> None:
    """Fit the laws of a space of noise and of one of embeddings, print and keep them."""
    arguments = make_parser(__doc__)
    arguments.add_argument("database")
    arguments.add_argument("--noise", default="faces-noise")
    arguments.add_argument("--encoder", default="faces-clip")
    arguments.add_argument("--seed", type=int, default=0)
    asked = arguments.parse_args()
    store = Store.open(asked.database)
    spaces = {"noise": asked.noise, "encoder": asked.encoder}
    record(
        _NAME,
        {
            kind: _fitted(store.all_vectors(name).vectors, asked.seed)
            for kind, name in spaces.items()
        },
        seed=asked.seed,
    )


def _fitted(vectors: Float32Array, seed: int) -> dict[str, Any]:
    """The law of vectors (n, dim), and how near its rows are to one another beside theirs."""
    law, real = _observed(vectors), _nearness(vectors)
    tried = []
    for dim, reach, own in product(
        (4, 6, 8, 10, 12, 16), (0.5, 0.7, 0.9, 1.0, 1.15, 1.3, 1.6, 2.0, 2.5), (0.0, 0.15, 0.3)
    ):
        one = replace(law, intrinsic_dim=dim, reach=reach, own_share=own)
        drawn = np.concatenate(list(_Source(one, vectors.shape[1], seed).rows(0, len(vectors))))
        nearness = _nearness(drawn)
        tried.append((float(np.abs(nearness - real).mean()), one, nearness))
    error, best, drawn_nearness = min(tried, key=lambda one: one[0])
    return {
        "law": asdict(best),
        "fitted_on": {"rows": len(vectors), "dim": vectors.shape[1]},
        "ranks": _RANKS.tolist(),
        "cosine_quantiles_5_50_95": {
            "real": real.round(3).tolist(),
            "drawn": drawn_nearness.round(3).tolist(),
        },
        "mean_error": error,
    }


def _observed(vectors: Float32Array) -> Law:
    """What of a law is measured and not fitted."""
    dim = vectors.shape[1]
    norms = np.linalg.norm(vectors.astype(np.float64), axis=1)
    units = vectors / norms[:, None]
    values = np.linalg.eigvalsh(np.cov(units.T))[::-1].clip(0)
    kept = np.interp(np.linspace(0, 1, 65), np.linspace(0, 1, dim), values / values.mean())
    return Law(
        spectrum=tuple(kept.round(5).tolist()),
        norms=tuple(np.quantile(norms / np.sqrt(dim), np.linspace(0, 1, 65)).round(5).tolist()),
        mean_share=round(float(np.linalg.norm(units.mean(axis=0))), 5),
    )


def _nearness(vectors: Float32Array, queries: int = 400) -> np.ndarray:
    """Cosines of the nearest rows at `_RANKS`: 5 %, 50 % and 95 % quantiles over rows (3, 5)."""
    units = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    cosines = units[:queries] @ units.T
    cosines[np.arange(queries), np.arange(queries)] = -2
    most = -np.sort(-np.partition(cosines, -_RANKS[-1])[:, -_RANKS[-1] :])
    return np.quantile(most[:, _RANKS - 1], [0.05, 0.5, 0.95], axis=0)


if __name__ == "__main__":
    main()
