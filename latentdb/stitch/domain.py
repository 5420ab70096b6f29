"""What a space's vectors look like: their Gaussian, and how far off it a question lies.

================  ====================================================================
code              symbol
================  ====================================================================
``basis``         V, leading eigenvectors of the covariance of n rows x
``variances``     λᵢ = (1 − ρ)·eigenvalueᵢ + ρ·μ, shrunk towards their mean μ
``residual``      σ², the same for the mean of the eigenvalues left out
``covariance``    Σ = V diag(λ) Vᵀ + σ²(I − VVᵀ): low rank plus a multiple of the identity
================  ====================================================================
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from indexers.errors import ParameterError
from latentdb.arrays import FloatArray, RealArray, as_ids, as_matrix
from latentdb.artefacts import Artefact, FittedOn, SpaceRef, load_artefact, save_artefact
from latentdb.errors import NotEnoughDataError
from latentdb.held_out import hash_ids, split_by_item
from latentdb.space import Space

KIND = "space_profile"
FALSE_ALARM_RATE = 0.01
MAX_RANK = 512
MIN_ROWS = 20


@final
@dataclass(frozen=True)
class Domain:
    """Whether a question is of the kind that a space was fitted on.

    Parameters
    ----------
    measure : str
        "mahalanobis" of a vector; "weakness" of a text, see `latentdb.stitch.modality`.
    distance : float
        Higher is farther off.
    threshold : float
        Exceeded by `false_alarm_rate` of what does belong.
    false_alarm_rate : float
        Share of held-out items, or texts, expected above the threshold.
    """

    measure: str
    distance: float
    threshold: float
    false_alarm_rate: float

    @property
    def is_outside(self) -> bool:
        """Whether the distance is above the threshold."""
        return self.distance > self.threshold

    def to_json(self) -> dict[str, Any]:
        """As an answer shows it."""
        return {**vars(self), "is_outside": self.is_outside}


@final
@dataclass(frozen=True, eq=False)
class TextProfile:
    """What a space's text vectors look like beside its pictures'; see `latentdb.stitch.modality`.

    Parameters
    ----------
    mean : (dim,) float64
        Of vectors of neutral texts: what all texts share and no picture has.
    threshold : float, optional
        Weakness that `false_alarm_rate` of the texts about the pictures exceed; None where the
        database has no such texts.
    false_alarm_rate : float
    n_texts : int
        Texts the threshold was measured on.
    """

    mean: FloatArray
    threshold: float | None
    false_alarm_rate: float
    n_texts: int


@final
@dataclass(frozen=True, eq=False)
class SpaceProfile:
    """Mean and covariance of a space's vectors, with the distance that 1 % of them exceed.

    Parameters
    ----------
    space_ref : SpaceRef
        The space.
    mean : (dim,) float64
    basis : (dim, rank) float32
        V, orthonormal.
    variances : (rank,) float64
    residual : float
        σ², variance along every direction outside `basis`.
    threshold : float
        Mahalanobis distance that `false_alarm_rate` of items held out exceed.
    false_alarm_rate : float
        As asked for; 1/(n_held_out + 1) where the held-out items are too few for that.
    fitted_on : FittedOn
    text : TextProfile, optional
        Of spaces with a text tower.
    """

    space_ref: SpaceRef
    mean: FloatArray
    basis: NDArray[np.float32]
    variances: FloatArray
    residual: float
    threshold: float
    false_alarm_rate: float
    fitted_on: FittedOn
    text: TextProfile | None = None

    @property
    def spread(self) -> float:
        """Root mean square distance of the vectors from their mean."""
        n_outside = len(self.mean) - len(self.variances)
        return math.sqrt(float(self.variances.sum()) + n_outside * self.residual)

    def distances(self, vectors: ArrayLike) -> FloatArray:
        """Mahalanobis distances (n,) of vectors (n, dim): √((x − mean)ᵀ Σ⁻¹ (x − mean))."""
        centred, along = self._parts(vectors, self.mean)
        outside = np.maximum((centred**2).sum(axis=1) - (along**2).sum(axis=1), 0.0)
        squared = (along**2 / self.variances).sum(axis=1)
        if self.basis.shape[1] < len(self.mean):
            squared = squared + outside / self.residual
        distance: FloatArray = np.sqrt(squared)
        return distance

    def domain(self, vector: ArrayLike) -> Domain:
        """Whether a vector (dim,) of the space is like those it was fitted on."""
        distance = float(self.distances(np.asarray(vector)[None])[0])
        return Domain("mahalanobis", distance, self.threshold, self.false_alarm_rate)

    def times_covariance(self, deviations: ArrayLike) -> FloatArray:
        """Σ·d (n, dim) of deviations d (n, dim)."""
        exact, along = self._parts(deviations, np.zeros(len(self.mean)))
        scaled: FloatArray = (along * (self.variances - self.residual)) @ self.basis.T
        return scaled + self.residual * exact

    def require(self, space: Space) -> None:
        """Raise SpaceMismatchError unless `space` holds the vectors this was fitted on."""
        self.space_ref.require(
            space,
            artefact=f"the profile of {self.space_ref.name}",
            refit=f"latentdb stitch DB --from {self.space_ref.name} --to SPACE",
        )

    def _parts(self, vectors: ArrayLike, mean: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Deviations (n, dim) from `mean`, and their coordinates (n, rank) along `basis`."""
        rows = as_matrix(vectors, name=f"space {self.space_ref.name}", dim=len(self.mean))
        centred: FloatArray = rows.astype(np.float64) - mean
        return centred, centred @ self.basis.astype(np.float64)

    def save(self, path: Path) -> None:
        """Write to `path`, whole or not at all; ArtefactError where it cannot be."""
        arrays: dict[str, NDArray[Any]] = {
            "mean": self.mean,
            "basis": self.basis,
            "variances": self.variances,
        }
        parameters: dict[str, Any] = {
            "residual": self.residual,
            "threshold": self.threshold,
            "false_alarm_rate": self.false_alarm_rate,
        }
        if self.text is not None:
            arrays["text_mean"] = self.text.mean
            parameters["text"] = {k: v for k, v in vars(self.text).items() if k != "mean"}
        spaces = {"space": self.space_ref}
        save_artefact(path, Artefact(KIND, arrays, spaces, self.fitted_on, parameters))

    @classmethod
    def load(cls, path: Path) -> SpaceProfile:
        """Read what `save` wrote; ArtefactError where it is torn, foreign or newer."""
        stored = load_artefact(path, kind=KIND)
        parameters = dict(stored.parameters)
        text = parameters.pop("text", None)
        return cls(
            space_ref=stored.spaces["space"],
            mean=stored.arrays["mean"],
            basis=stored.arrays["basis"],
            variances=stored.arrays["variances"],
            fitted_on=stored.fitted_on,
            text=None if text is None else TextProfile(stored.arrays["text_mean"], **text),
            **parameters,
        )


def fit_profile(
    X: ArrayLike,
    *,
    space: Space,
    ids: ArrayLike,
    seed: int = 0,
    false_alarm_rate: float = FALSE_ALARM_RATE,
) -> SpaceProfile:
    """Gaussian of the training items of a space, its threshold from the held-out ones.

    Parameters
    ----------
    X : (n, dim)
        Not modified.
    space : Space
    ids : (n,)
        Items' ids; the same ones are held out as by `fit_map`.
    seed : int
        Of the split.
    false_alarm_rate : float
        In (0, 1).

    Raises
    ------
    DimensionError, DtypeError, NonFiniteError, DuplicateIdError
        Rows and ids do not fit together.
    NotEnoughDataError
        Fewer than 20 items, or vectors that are all the same.
    ParameterError
        `false_alarm_rate` is not a share.

    References
    ----------
    Ledoit and Wolf, "A well-conditioned estimator for large-dimensional covariance matrices",
    Journal of Multivariate Analysis 2004. Vovk, Gammerman and Shafer, "Algorithmic learning in a
    random world", 2005 (the threshold's rank).
    """
    if not 0.0 < false_alarm_rate < 1.0:
        raise ParameterError(f"false_alarm_rate lies between 0 and 1, got {false_alarm_rate}")
    rows = as_matrix(X, name=f"vectors of {space.name}", dim=space.dim)
    items = as_ids(ids, n=len(rows))
    if len(rows) < MIN_ROWS:
        raise NotEnoughDataError(
            f"a profile of space {space.name!r} needs {MIN_ROWS} items, got {len(rows)}: ingest "
            "more"
        )
    is_test = split_by_item(items, seed=seed)
    mean, basis, variances, residual = _gaussian(rows[~is_test], space.name)
    fitted_on = FittedOn(int((~is_test).sum()), int(is_test.sum()), hash_ids(items), seed)
    whole = SpaceProfile(
        SpaceRef.of(space), mean, basis, variances, residual, math.inf, false_alarm_rate, fitted_on
    )
    threshold, rate = conformal_threshold(whole.distances(rows[is_test]), false_alarm_rate)
    return SpaceProfile(
        whole.space_ref, mean, basis, variances, residual, threshold, rate, fitted_on
    )


def conformal_threshold(distances: FloatArray, rate: float) -> tuple[float, float]:
    """Threshold that a new one of the same kind exceeds at most so often, and how often.

    The ⌈(n + 1)(1 − rate)⌉-th smallest of n is exceeded by another exchangeable one with
    probability at most `rate`. Where that rank is beyond n, the largest is taken, which is
    exceeded with probability 1/(n + 1).
    """
    n = len(distances)
    rank = math.ceil((n + 1) * (1.0 - rate))
    if rank > n:
        return float(distances.max()), 1.0 / (n + 1)
    return float(np.sort(distances)[rank - 1]), rate


def _gaussian(
    rows: RealArray, name: str
) -> tuple[FloatArray, NDArray[np.float32], FloatArray, float]:
    """Mean, basis, shrunk variances and residual variance of rows (n, dim)."""
    exact = rows.astype(np.float64)
    mean = exact.mean(axis=0)
    exact -= mean
    n, dim = exact.shape
    is_dual = n < dim
    eigenvalues, vectors = np.linalg.eigh((exact @ exact.T if is_dual else exact.T @ exact) / n)
    order = np.argsort(eigenvalues)[::-1][: min(MAX_RANK, n - 1, dim)]
    total = max(float(eigenvalues.sum()), 0.0)
    if total <= np.finfo(np.float64).eps * max(float((mean**2).sum()), 1e-300):
        raise NotEnoughDataError(f"all vectors of space {name!r} are the same: nothing to profile")
    kept = np.maximum(eigenvalues[order], 0.0)
    if is_dual:
        order = order[kept > kept[0] * 1e-12]
        kept = eigenvalues[order]
        basis = exact.T @ (vectors[:, order] / np.sqrt(n * kept))
    else:
        basis = vectors[:, order]
    average = total / dim
    rho = _shrinkage(exact, eigenvalues, average)
    left = max(total - float(kept.sum()), 0.0) / max(dim - len(kept), 1)
    variances = (1.0 - rho) * kept + rho * average
    return mean, basis.astype(np.float32), variances, (1.0 - rho) * left + rho * average


def _shrinkage(centred: FloatArray, eigenvalues: FloatArray, average: float) -> float:
    """ρ of Ledoit and Wolf from centred rows (n, dim) and the covariance's eigenvalues."""
    n, dim = centred.shape
    # δ²·dim = ‖S − μI‖², β²·dim = (Σ‖x‖⁴/n − ‖S‖²)/n: both need the eigenvalues alone.
    norm_s = float((eigenvalues**2).sum())
    distance = norm_s - dim * average**2
    spread = (float(((centred**2).sum(axis=1) ** 2).mean()) - norm_s) / n
    if distance <= 0.0:
        return 1.0
    # A positive floor keeps the inverse finite where a direction never varied.
    return float(np.clip(spread / distance, 1e-9, 1.0))
