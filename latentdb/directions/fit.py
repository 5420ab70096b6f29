"""Fit directions: from a binary label, or from liked and disliked examples."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, final, get_args

import numpy as np
from numpy.typing import ArrayLike

from indexers.errors import ParameterError, ZeroVectorError
from latentdb.arrays import BoolArray, FloatArray, RealArray, as_ids, as_labels, as_matrix
from latentdb.artefacts import FittedOn, SpaceRef
from latentdb.directions.direction import Direction, orthogonal_part, spread
from latentdb.directions.probe import (
    PCA_COMPONENTS,
    WhitenedBasis,
    fit_logistic,
    require_both_classes,
)
from latentdb.directions.scores import ProbeScore, score_ranking
from latentdb.errors import NotEnoughDataError
from latentdb.held_out import hash_ids, split_by_item
from latentdb.space import Space

DirectionMethod = Literal["logistic", "mean_difference"]


@final
@dataclass(frozen=True)
class DirectionOptions:
    """How a direction is fitted and scored.

    Parameters
    ----------
    method : "mean_difference" or "logistic"
        "logistic" (PCA → standardise → logistic regression, folded back) separates best;
        "mean_difference" asks for fewer rows and moves pictures along what differs on average.
    seed : int
        Of the split, of the penalty's validation and of the resampling.
    label : str
        What the labels are, kept in the artefact; the direction's name where empty.
    orthogonal_to : tuple of Direction
        Nuisances, taken off jointly before the boundary is placed and the score measured.
    held_out : float
        Share of each class that only scores it.
    n_resamples : int
        For the 95 % intervals.
    """

    method: DirectionMethod = "mean_difference"
    seed: int = 0
    label: str = ""
    orthogonal_to: tuple[Direction, ...] = ()
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
    vector, offset = _boundary(X, y, space=space, options=options)
    if options.orthogonal_to:
        vector = orthogonal_part(vector, SpaceRef.of(space), options.orthogonal_to)
        offset = _midpoint(X @ vector, y)
    std = spread(X @ vector, name=name)
    distances = (rows[is_test] @ vector - offset) / std
    auc, accuracy = score_ranking(
        distances, labels[is_test], seed=options.seed, n_resamples=options.n_resamples
    )
    n_positive, n_test = int(labels.sum()), int(is_test.sum())
    return Direction(
        name=name,
        space_ref=SpaceRef.of(space),
        vector=vector,
        offset=offset,
        std=std,
        method=options.method,
        label=options.label or name,
        fitted_on=FittedOn(len(items) - n_test, n_test, hash_ids(items), options.seed),
        scores=ProbeScore(auc, accuracy, n_positive, len(items) - n_positive, n_test),
        orthogonal_to=tuple(other.name for other in options.orthogonal_to),
    )


def _boundary(
    X: RealArray, y: BoolArray, *, space: Space, options: DirectionOptions
) -> tuple[FloatArray, float]:
    """Unit vector and offset of the training rows' boundary."""
    if options.method == "mean_difference":
        vector = _unit(_mean(X[y]) - _mean(X[~y]))
        return vector, _midpoint(X @ vector, y)
    n_components = PCA_COMPONENTS[space.kind]
    basis = WhitenedBasis.of(X, n_components=n_components, seed=options.seed)
    model = fit_logistic(basis.features(X), y, seed=options.seed)
    weight, bias = basis.fold(model.coef_[0], float(model.intercept_[0]))
    length = float(np.linalg.norm(weight))
    return _unit(weight), -bias / length


def from_ids(
    liked: ArrayLike,
    disliked: ArrayLike,
    *,
    corpus: ArrayLike,
    name: str,
    space: Space,
    ids: ArrayLike,
) -> Direction:
    """Direction from the mean of disliked examples to that of liked ones, unscored.

    Parameters
    ----------
    liked : (n_liked, dim)
        Vectors of one or more items.
    disliked : (n_disliked, dim)
        Vectors of any number of items; where there are none, the mean of `corpus` stands in.
    corpus : (n, dim)
        Sample of the space, which the standard deviation is measured on.
    name : str
    space : Space
    ids : (n_liked + n_disliked,) int
        Items' ids, distinct.

    Raises
    ------
    DimensionError, DtypeError, NonFiniteError, DuplicateIdError
        Vectors and ids do not fit together, or an item is both liked and disliked.
    NotEnoughDataError
        Nothing is liked, or the corpus does not spread along the direction.
    ZeroVectorError
        Both means are the same.
    """
    sample = as_matrix(corpus, name="corpus", dim=space.dim)
    good = as_matrix(liked, name="liked", dim=space.dim)
    bad = as_matrix(disliked, name="disliked", dim=space.dim)
    items = as_ids(ids, n=len(good) + len(bad))
    if not len(good):
        raise NotEnoughDataError(f"direction {name!r} needs one liked item at least")
    towards, away = _mean(good), _mean(bad if len(bad) else sample)
    vector = _unit(towards - away)
    return Direction(
        name=name,
        space_ref=SpaceRef.of(space),
        vector=vector,
        offset=float((towards + away) @ vector) / 2.0,
        std=spread(sample @ vector, name=name),
        method="ids",
        label=f"{len(good)} liked, {len(bad)} disliked",
        fitted_on=FittedOn(len(items), 0, hash_ids(items), 0),
    )


def _mean(vectors: RealArray) -> FloatArray:
    mean: FloatArray = vectors.mean(axis=0, dtype=np.float64)
    return mean


def _unit(vector: FloatArray) -> FloatArray:
    length = float(np.linalg.norm(vector))
    if length == 0.0:
        raise ZeroVectorError("both classes have the same mean: no direction leads between them")
    unit: FloatArray = vector / length
    return unit


def _midpoint(along: FloatArray, y: BoolArray) -> float:
    """Halfway between the class means: the boundary that treats both classes alike."""
    return float(along[y].mean() + along[~y].mean()) / 2.0
