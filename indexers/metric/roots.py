"""Bracketed root finding over many equations at once."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from indexers.types import BoolArray, FloatArray

_MAX_STEPS = 80
# Roots are wanted where a function is stationary, so half of the digits are enough.
_TOLERANCE = 1e-9


def find_root(
    function: Callable[[FloatArray, BoolArray], FloatArray],
    low: FloatArray,
    high: FloatArray,
    *,
    grow: bool = False,
    tolerance: float = _TOLERANCE,
) -> FloatArray:
    """Root of each of n increasing functions.

    Parameters
    ----------
    function : callable
        `function(x, pick)` gives the values of the picked equations at their x; `pick` is a
        boolean (n,), x has as many values as `pick` has True.
    low, high : (n,)
        Ends of the brackets. A root outside is answered by the end nearest to it.
    grow : bool
        Move `high` outward, doubling the bracket, until the function is positive there.
    tolerance : float
        Of the roots, as a share of 1 + |root|.

    Returns
    -------
    (n,)
        Roots, to the tolerance.

    References
    ----------
    Chandrupatla, "A new hybrid quadratic/bisection algorithm for finding the zero of a nonlinear
    function without using derivatives", Advances in Engineering Software 28(3), 1997.
    """
    every = np.ones(len(low), np.bool_)
    a, b = high.astype(float).copy(), low.astype(float).copy()
    fa, fb = function(a, every), function(b, every)
    while grow and (behind := fa < 0).any():
        a[behind] = b[behind] + 2.0 * (a[behind] - b[behind])
        fa[behind] = function(a[behind], behind)
    c, fc = a.copy(), fa.copy()
    best = np.where(np.abs(fa) < np.abs(fb), a, b)
    active: BoolArray = (fa > 0) & (fb < 0)
    share = np.full(len(a), 0.5)
    for _ in range(_MAX_STEPS):
        if not active.any():
            break
        i = np.flatnonzero(active)
        x = a[i] + share[i] * (b[i] - a[i])
        fx = function(x, active)
        # Keep the root between a (the latest point) and b; c is the point before.
        same = np.sign(fx) == np.sign(fa[i])
        c[i], fc[i] = np.where(same, a[i], b[i]), np.where(same, fa[i], fb[i])
        b[i], fb[i] = np.where(same, b[i], a[i]), np.where(same, fb[i], fa[i])
        a[i], fa[i] = x, fx
        nearer = np.abs(fa[i]) < np.abs(fb[i])
        best[i] = np.where(nearer, a[i], b[i])
        width = np.abs(b[i] - a[i])
        limit = tolerance * (1.0 + np.abs(best[i]))
        active[i] = (width > limit) & (fa[i] != 0)
        share[i] = _next_share(a[i], b[i], c[i], (fa[i], fb[i], fc[i]), limit / (2 * width + limit))
    return best


def _next_share(
    a: FloatArray,
    b: FloatArray,
    c: FloatArray,
    values: tuple[FloatArray, FloatArray, FloatArray],
    margin: FloatArray,
) -> FloatArray:
    """Where in [a, b] to look next: inverse quadratic where it is safe, the middle elsewhere."""
    fa, fb, fc = values
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        xi, phi = (a - b) / (c - b), (fa - fb) / (fc - fb)
        is_safe = (phi**2 < xi) & ((1 - phi) ** 2 < 1 - xi)
        guess = fa / (fb - fa) * fc / (fb - fc) + (c - a) / (b - a) * fa / (fc - fa) * fb / (
            fc - fb
        )
    share: FloatArray = np.where(is_safe & np.isfinite(guess), guess, 0.5)
    return np.clip(share, margin, 1.0 - margin)
