"""The shortest path under the norm-aware metric (NAO)."""

from __future__ import annotations

import numpy as np

from indexers.checks import check_count
from indexers.metric.angles import unit_rows
from indexers.metric.nao import NaoMetric
from indexers.metric.path import polar_path
from indexers.metric.priors import AbstractPrior, NoPrior
from indexers.types import FloatArray
from latentdb.geometry.kinds import Array, like
from latentdb.geometry.lines import angle_between, as_ends, polar_points


def geodesic(start: Array, end: Array, *, steps: int, prior: AbstractPrior) -> Array:
    """Points of the NAO shortest path, equally spaced in its length, both ends included.

    A unit of length at norm r costs −log p(r): the path goes down to likely norms, along them and
    up again, or stays out where that is shorter. It is the one whose length `NaoMetric` gives,
    found by quadrature from Clairaut's invariant; no path is optimised.

    Parameters
    ----------
    start, end : (dim,)
        NumPy or torch, floating point. Not modified. With a chi or fitted prior one of norm zero
        is an end like any other: the path is the ray to it.
    steps : int
        Number of points, at least 2.
    prior : ChiPrior, FittedPrior or NoPrior
        With `NoPrior` only the angle is a length: the path is that of `slerp`, the norm going
        linearly from one end's to the other's.

    Returns
    -------
    (steps, dim)
        Kind, dtype and device of `start`; computed in float64.

    Raises
    ------
    CutLocusError
        `start` and `end` are antipodal: their distance is defined, but paths of that length run
        through every plane that holds them.
    DimensionError
        Not two vectors of one length, or not of the chi prior's dimension.
    ZeroVectorError
        An end of norm zero under `NoPrior`.
    MetricError, ParameterError, DtypeError, NonFiniteError

    References
    ----------
    Samuel et al., "Norm-guided latent space exploration for text-to-image generation", NeurIPS
    2023, arXiv 2306.08687.

    Examples
    --------
    >>> import numpy as np
    >>> from indexers.metric import ChiPrior, NaoMetric
    >>> start, end = np.random.default_rng(0).standard_normal((2, 1024))
    >>> path = geodesic(start, end, steps=5, prior=ChiPrior(1024))
    >>> metric = NaoMetric(ChiPrior(1024))
    >>> quarters = [metric.distance(*pair) for pair in zip(path, path[1:])]
    >>> bool(np.allclose(quarters, metric.distance(start, end) / 4))
    True
    """
    first, last = as_ends(start, end)
    fractions = np.linspace(0.0, 1.0, check_count(steps, what="steps", minimum=2))
    return like(geodesic_points(first, last, fractions, prior), start)


def geodesic_points(
    first: FloatArray, last: FloatArray, fractions: FloatArray, prior: AbstractPrior
) -> FloatArray:
    """Points (m, dim) at `fractions` (m,) of the path's length; errors as `geodesic`."""
    # Refuses what the distance refuses, in its words.
    NaoMetric(prior).distance(first, last)
    allow_zero = not isinstance(prior, NoPrior)
    units, norms = unit_rows(np.stack([first, last]), what="the ends", allow_zero=allow_zero)
    # The direction of an end at the origin is the other's.
    u, v = (units[i] if norms[i] > 0 else units[1 - i] for i in (0, 1))
    angle_rad = angle_between(u, v)
    radii, angles = polar_path(prior, float(norms[0]), float(norms[1]), angle_rad, fractions)
    points = polar_points((u, v), angle_rad, radii, angles)
    points[fractions == 0.0], points[fractions == 1.0] = first, last
    return points
