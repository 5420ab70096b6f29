"""ResidualLaw: how stored vectors scatter around what a chain of maps predicts of them.

================  =====================================================================
code              symbol
================  =====================================================================
``axes``          U, (rank, dim): orthonormal rows
``variances``     Λ, (rank,): variance along each axis, beyond `diagonal`
``diagonal``      D, (dim,): what the axes leave of each coordinate's variance
law               r = y − chain(x) ~ N(0, Uᵀ diag(Λ) U + diag(D))
================  =====================================================================
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from indexers.errors import ParameterError
from latentdb.arrays import FloatArray, as_matrix
from latentdb.artefacts import Artefact, FittedOn, SpaceRef, load_artefact, save_artefact
from latentdb.errors import ArtefactError
from latentdb.stitch.chain import MapChain

KIND = "residual_law"


def map_hash(chain: MapChain) -> str:
    """16 hex digits that stand for what a chain answers: its maps' weights and means."""
    digest = hashlib.sha256()
    for one in chain.maps:
        for array in (one.weight, one.source_mean, one.target_mean):
            digest.update(f"{array.dtype.str}{array.shape}".encode())
            digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()[:16]


def conditional_mean(chain: MapChain, vectors: FloatArray) -> FloatArray:
    """What a chain predicts of vectors (n, source_dim) float64: (n, target_dim).

    Each map gives the mean of all that fits, E[m | x], and a linear map of a mean is the mean of
    what it gives: so nothing is restored on the way, as it is for a search.
    """
    for one in chain.maps:
        vectors = one.transform(vectors)
    return vectors


@final
@dataclass(frozen=True)
class ResidualScores:
    """How well a law describes residuals that did not shape it.

    Parameters
    ----------
    n_held_out : int
        Pairs scored.
    inflation : float
        Variance of held-out residuals over that of those fitted on, by which the law was
        scaled: a fit makes its own residuals too small.
    ranks : tuple of int
        Ranks tried; the law has that of the best likelihood.
    log_likelihoods : tuple of float
        Mean log-density of held-out residuals under each, nats per coordinate.
    isotropic : float
        The same under a law of equal variance in every direction.
    """

    n_held_out: int
    inflation: float
    ranks: tuple[int, ...]
    log_likelihoods: tuple[float, ...]
    isotropic: float

    def to_json(self) -> dict[str, Any]:
        """Plain dictionary; `from_json` reads it back."""
        lists = {"ranks": list(self.ranks), "log_likelihoods": list(self.log_likelihoods)}
        return {**vars(self), **lists}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> ResidualScores:
        """Scores written by `to_json`."""
        lists = {name: tuple(data[name]) for name in ("ranks", "log_likelihoods")}
        return cls(**{**data, **lists})


@final
@dataclass(frozen=True)
class LawFacts:
    """What is known of a `ResidualLaw` but its arrays; the names are those of that class."""

    rank: int
    total_variance: float
    map_hash: str
    fitted_on: FittedOn
    scores: ResidualScores

    def to_json(self) -> dict[str, Any]:
        """What is said of it beside an answer; `from_json` reads it back."""
        return {
            "rank": self.rank,
            "total_variance": self.total_variance,
            "map_hash": self.map_hash,
            "fitted_on": self.fitted_on.to_json(),
            "scores": self.scores.to_json(),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> LawFacts:
        """Facts written by `to_json`."""
        return cls(
            rank=data["rank"],
            total_variance=data["total_variance"],
            map_hash=data["map_hash"],
            fitted_on=FittedOn(**data["fitted_on"]),
            scores=ResidualScores.from_json(dict(data["scores"])),
        )


@final
@dataclass(frozen=True, eq=False)
class ResidualLaw:
    """Gaussian law of a chain's residuals: mean zero, covariance of low rank plus a diagonal.

    A map, or a chain of them, answers with the conditional mean, the average of all vectors that
    fit a question; one of them is that mean plus a draw of this law.

    Parameters
    ----------
    source_ref, target_ref : SpaceRef
        Spaces that the chain joins.
    map_hash : str
        `map_hash` of the very chain.
    axes : (rank, dim) float32
        Orthonormal rows.
    variances : (rank,) float64
        Along the axes, positive.
    diagonal : (dim,) float64
        Of each coordinate besides, positive.
    fitted_on : FittedOn
    scores : ResidualScores
    """

    source_ref: SpaceRef
    target_ref: SpaceRef
    map_hash: str
    axes: NDArray[np.float32]
    variances: FloatArray
    diagonal: FloatArray
    fitted_on: FittedOn
    scores: ResidualScores

    @property
    def rank(self) -> int:
        """Number of axes."""
        return len(self.variances)

    @property
    def dim(self) -> int:
        """Of the target space."""
        return len(self.diagonal)

    @property
    def total_variance(self) -> float:
        """Trace of the covariance: the mean squared norm of a draw."""
        return float(self.variances.sum() + self.diagonal.sum())

    def draw(self, n: int, *, seed: int) -> FloatArray:
        """`n` residuals (n, dim); the first of them are the same whatever `n`.

        Raises
        ------
        ParameterError
            `n` or `seed` is negative.
        """
        if n < 0 or seed < 0:
            raise ParameterError(f"n and seed are at least 0, got n={n} and seed={seed}")
        rng = np.random.default_rng(seed)
        # A row at a time, so that --n 8 shows the pictures of --n 4 and four more.
        white = rng.standard_normal((n, self.rank + self.dim))
        along = (white[:, : self.rank] * np.sqrt(self.variances)) @ self.axes.astype(np.float64)
        drawn: FloatArray = along + white[:, self.rank :] * np.sqrt(self.diagonal)
        return drawn

    def log_density(self, residuals: ArrayLike) -> FloatArray:
        """Log-density (n,) of residuals (n, dim), in nats."""
        rows = as_matrix(residuals, name="residuals", dim=self.dim).astype(np.float64)
        squares, log_determinant = mahalanobis(rows, self.axes, self.variances, self.diagonal)
        density: FloatArray = -0.5 * (squares + log_determinant + self.dim * np.log(2 * np.pi))
        return density

    def is_of(self, chain: MapChain) -> bool:
        """Whether it holds the residuals of this very chain."""
        return self.map_hash == map_hash(chain)

    @property
    def facts(self) -> LawFacts:
        """All but the arrays."""
        return LawFacts(self.rank, self.total_variance, self.map_hash, self.fitted_on, self.scores)

    def to_json(self) -> dict[str, Any]:
        """What is said of it beside an answer."""
        return self.facts.to_json()

    def save(self, path: Path) -> None:
        """Write to `path`, whole or not at all; ArtefactError where that cannot be."""
        artefact = Artefact(
            kind=KIND,
            arrays={
                "axes": self.axes,
                "variances": self.variances,
                "diagonal": self.diagonal,
            },
            spaces={"source": self.source_ref, "target": self.target_ref},
            fitted_on=self.fitted_on,
            parameters={"map_hash": self.map_hash},
            scores=self.scores.to_json(),
        )
        save_artefact(path, artefact)

    @classmethod
    def load(cls, path: Path) -> ResidualLaw:
        """Read what `save` wrote; ArtefactError where it is torn, foreign or of another kind."""
        stored = load_artefact(path, kind=KIND)
        if stored.scores is None:
            raise ArtefactError(f"{path} is a residual law without scores: delete it")
        return cls(
            source_ref=stored.spaces["source"],
            target_ref=stored.spaces["target"],
            fitted_on=stored.fitted_on,
            scores=ResidualScores.from_json(dict(stored.scores)),
            map_hash=stored.parameters["map_hash"],
            axes=stored.arrays["axes"],
            variances=stored.arrays["variances"],
            diagonal=stored.arrays["diagonal"],
        )


def mahalanobis(
    rows: FloatArray, axes: ArrayLike, variances: FloatArray, diagonal: FloatArray
) -> tuple[FloatArray, float]:
    """rᵀΣ⁻¹r (n,) of rows r (n, dim) and log det Σ, Σ = Uᵀ diag(Λ) U + diag(D).

    By the Woodbury identity: no matrix larger than rank × dim is formed.
    """
    directions = np.asarray(axes, dtype=np.float64)
    whitened = rows / diagonal
    inner = np.diag(1.0 / variances) + (directions / diagonal) @ directions.T
    factor = np.linalg.cholesky(inner)
    along = np.linalg.solve(factor, directions @ whitened.T)
    squares: FloatArray = (rows * whitened).sum(axis=1) - (along**2).sum(axis=0)
    determinant = 2.0 * np.log(factor.diagonal()).sum() + np.log(variances).sum()
    return squares, float(determinant + np.log(diagonal).sum())
