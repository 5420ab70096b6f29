"""Linear probes: PCA → standardise → logistic regression, folded back to the raw space.

================  =====================================================================
code              symbol
================  =====================================================================
``components``    P (n_components, dim), the principal directions as rows
``scale``         s (n_components,), standard deviations of the components, shrunk
``weight``        W = W_clf · diag(1/s) · P, so that  z·W + b  is the pipeline's own logit
================  =====================================================================

Shrunk: with about as many rows as dimensions the small components are far too small on the rows
fitted on, and dividing by them makes noise of everything (an AUC of .77 where shrunk ones give
.95). With many rows nothing is shrunk, and s is UNE's.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

import numpy as np
from numpy.typing import ArrayLike

from latentdb.arrays import BoolArray, FloatArray, RealArray, as_ids, as_labels, as_matrix
from latentdb.directions.covariance import Shrinkage
from latentdb.directions.scores import ProbeScore, score_ranking
from latentdb.errors import NotEnoughDataError
from latentdb.held_out import split_by_item
from latentdb.space import SpaceKind

if TYPE_CHECKING:
    from sklearn.linear_model import LogisticRegression

MIN_PER_CLASS = 10
# What UNE keeps of each kind of space.
PCA_COMPONENTS: dict[SpaceKind, int] = {"noise": 500, "embedding": 310, "shared": 310}

# Inverse strength of the penalty. Whitened components all weigh the same, so with few rows a
# fixed C overfits; the best of these is chosen on a validation part of the training rows.
_PENALTIES = (0.001, 0.01, 0.1, 1.0)
# Above this, an exact decomposition costs minutes: the leading components are then sketched.
_EXACT_PCA_SIDE = 2048


@final
@dataclass(frozen=True, eq=False)
class WhitenedBasis:
    """Principal components in units of their standard deviation, as Ledoit and Wolf shrink it.

    Parameters
    ----------
    mean : (dim,)
        μ of the rows fitted on.
    components : (n_components, dim)
        P.
    scale : (n_components,)
        s; positive.
    """

    mean: FloatArray
    components: FloatArray
    scale: FloatArray

    @classmethod
    def of(cls, vectors: RealArray, *, n_components: int, seed: int) -> WhitenedBasis:
        """Basis of at most `n_components`, fewer where the rows span fewer dimensions.

        Raises
        ------
        NotEnoughDataError
            All vectors are the same.
        """
        from sklearn.decomposition import PCA

        rows = vectors.astype(np.float64)
        n, dim = rows.shape
        if min(n, dim) > _EXACT_PCA_SIDE:
            solver = "randomized"
        else:
            solver = "covariance_eigh" if n >= dim else "full"
        pca = PCA(min(n_components, n - 1, dim), svd_solver=solver, random_state=seed).fit(rows)
        variances = pca.explained_variance_ * (n - 1) / n
        # Components without spread are rounding; dividing by it would make noise of them.
        least = 1e-7 * max(math.sqrt(variances[0]), float(np.abs(pca.mean_).max()))
        keep = variances > least**2
        if not keep.any():
            raise NotEnoughDataError("all vectors are the same: there is nothing to probe")
        shrunk = Shrinkage.of(rows - pca.mean_).apply(variances[keep])
        return cls(pca.mean_, pca.components_[keep], np.sqrt(shrunk))

    def features(self, vectors: RealArray) -> FloatArray:
        """Components (n, n_components) of vectors (n, dim) in units of their scale."""
        whitened: FloatArray = (vectors - self.mean) @ self.components.T / self.scale
        return whitened

    def fold(self, coef: FloatArray, intercept: float) -> tuple[FloatArray, float]:
        """Weight (dim,) and bias on raw vectors, of a linear function of the features."""
        weight: FloatArray = (coef / self.scale) @ self.components
        return weight, float(intercept - weight @ self.mean)


def fit_logistic(features: FloatArray, is_positive: BoolArray, *, seed: int) -> LogisticRegression:
    """Logistic regression with balanced classes; the penalty chosen by validation AUC.

    Parameters
    ----------
    features : (n, n_components)
    is_positive : (n,) bool
        At least two rows of each class.
    seed : int
        Of the validation split.
    """
    from sklearn.metrics import roc_auc_score

    rows = np.arange(len(features))
    is_validation = split_by_item(rows, seed=seed, fraction=0.25, strata=is_positive)
    fitting, held = features[~is_validation], features[is_validation]

    def auc(C: float) -> float:
        model = _logistic(C).fit(fitting, is_positive[~is_validation])
        return float(roc_auc_score(is_positive[is_validation], model.decision_function(held)))

    best = max(_PENALTIES, key=auc) if len(set(is_positive[is_validation])) == 2 else _PENALTIES[0]
    return _logistic(best).fit(features, is_positive)


def _logistic(C: float) -> LogisticRegression:
    # scikit-learn takes most of a second to load, and little else needs it.
    from sklearn.linear_model import LogisticRegression

    # Balanced: the boundary of a rare attribute lies between the classes, not beyond the rare one.
    return LogisticRegression(C=C, class_weight="balanced", max_iter=2000)


def require_both_classes(is_positive: BoolArray, *, name: str) -> None:
    """Raise NotEnoughDataError, naming the counts, unless each class has 10 rows."""
    n_positive = int(is_positive.sum())
    n_negative = len(is_positive) - n_positive
    if min(n_positive, n_negative) < MIN_PER_CLASS:
        raise NotEnoughDataError(
            f"{name} has {n_positive} positive and {n_negative} negative rows; at least "
            f"{MIN_PER_CLASS} of each are needed to fit it and to score it on rows held out"
        )


def probe(
    X: ArrayLike,
    y: ArrayLike,
    *,
    ids: ArrayLike | None = None,
    n_components: int = 500,
    seed: int = 0,
) -> ProbeScore:
    """How well a linear classifier reads one attribute from vectors, on rows it has not seen.

    Parameters
    ----------
    X : (n, dim)
        Not modified.
    y : (n,) bool
    ids : (n,) int, optional
        Items' ids, which the split goes by; row numbers where not given.
    n_components : int
        Of the PCA, at most. UNE takes 500 for noise and 310 for embeddings.
    seed : int

    Raises
    ------
    DimensionError, DtypeError, NonFiniteError, DuplicateIdError
        Rows, labels and ids do not fit together.
    NotEnoughDataError
        Fewer than 10 rows of one class.
    """
    one = probe_many(X, {"the attribute": y}, ids=ids, n_components=n_components, seed=seed)
    return one["the attribute"]


def probe_many(
    X: ArrayLike,
    attributes: Mapping[str, ArrayLike],
    *,
    ids: ArrayLike | None = None,
    n_components: int = 500,
    seed: int = 0,
) -> dict[str, ProbeScore]:
    """Probe each attribute as `probe` does, on one split and one PCA.

    The split is not stratified by class, so that all attributes share it; one so rare that a
    part has fewer than two rows of it raises NotEnoughDataError.
    """
    vectors = as_matrix(X, name="X")
    n = len(vectors)
    items = np.arange(n) if ids is None else as_ids(ids, n=n)
    labels = {name: as_labels(y, n=n, name=name) for name, y in attributes.items()}
    for name, is_positive in labels.items():
        require_both_classes(is_positive, name=name)
    strata = next(iter(labels.values())) if len(labels) == 1 else None
    is_test = split_by_item(items, seed=seed, strata=strata)
    basis = WhitenedBasis.of(vectors[~is_test], n_components=n_components, seed=seed)
    fitting, held = basis.features(vectors[~is_test]), basis.features(vectors[is_test])
    found = {}
    for name, is_positive in labels.items():
        _require_in_both(is_positive, is_test, name=name)
        model = fit_logistic(fitting, is_positive[~is_test], seed=seed)
        auc, accuracy = score_ranking(
            model.decision_function(held), is_positive[is_test], seed=seed
        )
        n_positive = int(is_positive.sum())
        found[name] = ProbeScore(auc, accuracy, n_positive, n - n_positive, int(is_test.sum()))
    return found


def _require_in_both(is_positive: BoolArray, is_test: BoolArray, *, name: str) -> None:
    """Two rows of each class on each side of the split, or NotEnoughDataError."""
    for part, mask in (("training", ~is_test), ("held-out", is_test)):
        n_positive = int(is_positive[mask].sum())
        n_negative = int(mask.sum()) - n_positive
        if min(n_positive, n_negative) < 2:
            raise NotEnoughDataError(
                f"{name}: the {part} rows hold {n_positive} positive and {n_negative} negative; "
                "probe it alone, which splits each class, or bring more rows"
            )
