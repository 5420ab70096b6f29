"""The centre of some latents, by the name of the method."""

from __future__ import annotations

from typing import Literal, get_args

from numpy.typing import ArrayLike

from indexers.errors import ParameterError
from indexers.metric.priors import AbstractPrior
from latentdb.geometry.frechet_mean import frechet_mean
from latentdb.geometry.kinds import Array
from latentdb.geometry.linear_combination import linear_combination
from latentdb.geometry.weighted_mean import weighted_mean
from latentdb.geometry.weights import as_rows, as_weights

CentroidMethod = Literal["lol", "karcher", "mean"]


def centroid(
    vectors: Array,
    *,
    weights: ArrayLike | None = None,
    method: CentroidMethod = "lol",
    prior: AbstractPrior | None = None,
) -> Array:
    """Centre of `vectors` (n, dim), in their kind, dtype and device."""
    if method not in get_args(CentroidMethod):
        raise ParameterError(
            f"unknown centroid {method!r}: one of {', '.join(get_args(CentroidMethod))}"
        )
    if prior is not None:
        raise ParameterError(f"expected no prior for {method}, got {prior!r}; only nao has one")
    if method == "karcher":
        return frechet_mean(vectors, weights)
    if method == "mean":
        return weighted_mean(vectors, weights)
    return linear_combination(vectors, as_weights(weights, len(as_rows(vectors))))
