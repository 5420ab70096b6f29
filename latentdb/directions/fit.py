"""Fit directions of a binary label."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, final, get_args

import numpy as np
from numpy.typing import ArrayLike

from indexers.errors import ParameterError
from latentdb.arrays import BoolArray, FloatArray, RealArray, as_ids, as_labels, as_matrix
from latentdb.directions.complete import complete
from latentdb.directions.direction import Direction
from latentdb.directions.draft import Boundary, Draft, Fitted, Judges, Midpoint, Resampling
from latentdb.directions.lda import discriminant
from latentdb.directions.liked import between, mean_of
from latentdb.directions.orthogonal import Nuisances
from latentdb.directions.probe import (
    PCA_COMPONENTS,
    WhitenedBasis,
    fit_logistic,
    require_both_classes,
)
from latentdb.held_out import split_by_item
from latentdb.space import Space

DirectionMethod = Literal["logistic", "lda", "mean_difference"]


@final
@dataclass(frozen=True)
class DirectionOptions:
    """How a direction is fitted and scored.

    Parameters
    ----------
    method : "mean_difference", "lda" or "logistic"
        "mean_difference" moves pictures along what differs on average; "lda" (shrunk) reads an
        attribute most surely, with few rows as with many; "logistic" (PCA → standardise →
        logistic regression, folded back) is the probe of UNE.
    seed : int
        Of the split, of the penalty's validation and of the resampling.
    label : str
        What the labels are, kept in the artefact; the direction's name where empty.
    nuisances : Nuisances
        Taken off jointly before the boundary is placed and the score measured.
    nuisance_labels : mapping of name to (n,) float
        1 and 0 for rows that have and lack a nuisance, NaN where it is not known: what
        orthogonality takes off is measured by them too.
    held_out : float
        Share of each class that only scores it.
    n_resamples : int
        For the 95 % intervals.
    """

    method: DirectionMethod = "mean_difference"
    seed: int = 0
    label: str = ""
    nuisances: Nuisances = field(default_factory=Nuisances)
    nuisance_labels: Mapping[str, FloatArray] = field(default_factory=dict)
    held_out: float = 0.2
    n_resamples: int = 500


_DEFAULTS = DirectionOptions()


def fit_direction(
    vectors: ArrayLike,
    is_positive: ArrayLike,
    *,
    name: str,
    space: Space,
    ids: ArrayLike,
    options: DirectionOptions = _DEFAULTS,
) -> Direction:
    """Direction along which a binary attribute changes, scored on items that did not shape it.

    Parameters
    ----------
    vectors : (n, dim)
        Of `space`. Not modified.
    is_positive : (n,) bool
    name : str
        What it will be called.
    space : Space
    ids : (n,) int
        Items' ids, distinct; the split goes by them.
    options : DirectionOptions

    Raises
    ------
    DimensionError, DtypeError, NonFiniteError, DuplicateIdError
        Rows, labels and ids do not fit together.
    NotEnoughDataError
        Fewer than 10 rows of one class; the text names the counts.
    SpaceMismatchError
        A nuisance lives in another space.
    ZeroVectorError
        Nothing remains once the nuisances are taken off, or the classes have one mean.

    References
    ----------
    "The Universal Normal Embedding", 2026, arXiv 2603.21786.
    """
    if options.method not in get_args(DirectionMethod):
        known = ", ".join(get_args(DirectionMethod))
        raise ParameterError(f"unknown method {options.method!r}: one of {known}")
    rows = as_matrix(vectors, name=f"vectors of {space.name}", dim=space.dim)
    items = as_ids(ids, n=len(rows))
    labels = as_labels(is_positive, n=len(rows), name=f"direction {name!r}")
    require_both_classes(labels, name=f"direction {name!r}")
    is_test = split_by_item(items, seed=options.seed, fraction=options.held_out, strata=labels)
    X, y = rows[~is_test], labels[~is_test]
    vector, boundary = _boundary(X, y, space=space, options=options)
    draft = Draft(
        name=name,
        space=space,
        vector=vector,
        method=options.method,
        label=options.label or name,
        boundary=boundary,
        ids=items[~is_test],
        classes=(int(y.sum()), int((~y).sum())),
        is_reading=options.method != "mean_difference",
    )
    has = {other: np.asarray(v)[is_test] for other, v in options.nuisance_labels.items()}
    return complete(
        draft,
        corpus=X,
        judges=Judges(rows[is_test], labels[is_test], items[is_test], nuisance_labels=has),
        nuisances=options.nuisances,
        resampling=Resampling(options.seed, options.n_resamples),
    )


def _boundary(
    X: RealArray, y: BoolArray, *, space: Space, options: DirectionOptions
) -> tuple[FloatArray, Boundary]:
    """Vector of the training rows' boundary, and where along it that lies."""
    middle = Midpoint(mean_of(X[~y]), mean_of(X[y]))
    if options.method == "mean_difference":
        return between(middle.start, middle.end), middle
    if options.method == "lda":
        return discriminant(X, y), middle
    basis = WhitenedBasis.of(X, n_components=PCA_COMPONENTS[space.kind], seed=options.seed)
    model = fit_logistic(basis.features(X), y, seed=options.seed)
    weight, bias = basis.fold(model.coef_[0], float(model.intercept_[0]))
    if options.nuisances.directions:
        return weight, middle
    return weight, Fitted(-bias / float(np.linalg.norm(weight)))
