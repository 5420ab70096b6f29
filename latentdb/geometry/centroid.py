"""The centre of some latents, by the name of the method."""

from __future__ import annotations

from typing import Literal, get_args

from numpy.typing import ArrayLike

from indexers.errors import ParameterError
from indexers.metric.priors import AbstractPrior, ChiPrior
from latentdb.geometry.frechet_mean import frechet_mean
from latentdb.geometry.geometric_median import geometric_median
from latentdb.geometry.kinds import Array
from latentdb.geometry.linear_combination import linear_combination
from latentdb.geometry.weighted_mean import weighted_mean
from latentdb.geometry.weights import as_rows, as_weights

CentroidMethod = Literal["nao", "lol", "karcher", "mean"]


def centroid(
    vectors: Array,
    *,
    weights: ArrayLike | None = None,
    method: CentroidMethod = "nao",
    prior: AbstractPrior | None = None,
    is_correlated: bool = False,
) -> Array:
    """Centre of any number of latents.

    Parameters
    ----------
    vectors : (n, dim)
        NumPy or torch, floating point. Not modified.
    weights : (n,), optional
        At least 0, not all 0; 1 each by default.
    method : "nao", "lol", "karcher" or "mean"
        nao: least sum of NAO distances under the prior (see `geometric_median`). lol: the linear
        combination as likely as a fresh latent (see `linear_combination`). karcher: least squared
        angles, at the weighted mean norm (see `frechet_mean`). mean: the plain weighted mean,
        whose norm is too small for noise.
    prior : AbstractPrior, optional
        Of nao only; `ChiPrior(dim)` by default, which standard Gaussian noise has.
    is_correlated : bool
        Of lol only: the latents are not independent; see `linear_combination`.

    Returns
    -------
    (dim,)
        Kind, dtype and device of `vectors`; computed in float64.

    Raises
    ------
    CutLocusError
        nao or karcher of seeds whose directions cancel, as two antipodal ones of one weight do.
    ZeroVectorError
        karcher of a vector without a direction, or correlated seeds that cancel.
    ParameterError
        Weights that do not weigh, an unknown method, a prior for another than nao, or
        `is_correlated` for another than lol.
    DimensionError, DtypeError, NonFiniteError, MetricError
    """
    if method not in get_args(CentroidMethod):
        raise ParameterError(
            f"unknown centroid {method!r}: one of {', '.join(get_args(CentroidMethod))}"
        )
    if is_correlated and method != "lol":
        raise ParameterError(f"expected no is_correlated for {method}; only lol asks for it")
    if method == "nao":
        chosen = ChiPrior(as_rows(vectors).shape[1]) if prior is None else prior
        return geometric_median(vectors, weights, prior=chosen)
    if prior is not None:
        raise ParameterError(f"expected no prior for {method}, got {prior!r}; only nao has one")
    if method == "karcher":
        return frechet_mean(vectors, weights)
    if method == "mean":
        return weighted_mean(vectors, weights)
    values = as_weights(weights, len(as_rows(vectors)))
    return linear_combination(vectors, values, is_correlated=is_correlated)
