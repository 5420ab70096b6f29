"""NAO lengths by direct numerical minimisation: slow, and sharing nothing with the package.

A curve is a chain of logarithmic spirals (straight in u = ln r and φ) at fixed, graded angles;
its length is the integral of h(u) = r·w(r) over every segment, by a Gauss rule of its own, so a
segment cannot jump the radial wall unpaid. The radii are moved by a damped Newton method with
the exact tridiagonal Hessian. Every chain is a true curve: its length is an upper bound that
falls to the distance with the square of the spacing; two spacings are extrapolated.
"""

from __future__ import annotations

import numpy as np
from scipy import stats
from scipy.linalg import solveh_banded

_T, _WT = np.polynomial.legendre.leggauss(5)
_T, _WT = (_T + 1) / 2, _WT / 2


def _profile(dim, u):
    """h and its first two derivatives by u, with SciPy's chi density."""
    r = np.exp(u)
    pull = r**3 - (dim - 1) * r
    h = -r * stats.chi.logpdf(r, dim)
    return h, h + pull, h + pull + 3 * r**3 - (dim - 1) * r


def _chain_length(dim, u, steps):
    rise = np.diff(u)
    h = _profile(dim, u[:-1, None] + rise[:, None] * _T)[0]
    return np.hypot(rise, steps) @ (h @ _WT)


def _derivatives(dim, u, steps):
    """Gradient and tridiagonal Hessian of the length by the inner points."""
    rise = np.diff(u)
    h, h1, h2 = _profile(dim, u[:-1, None] + rise[:, None] * _T)
    size = np.hypot(rise, steps)
    mean, lean, curve = h @ _WT, rise / size, steps**2 / size**3
    low, high = h1 @ (_WT * (1 - _T)), h1 @ (_WT * _T)
    gradient_low = -lean * mean + size * low
    gradient_high = lean * mean + size * high
    hess_low = curve * mean - 2 * lean * low + size * (h2 @ (_WT * (1 - _T) ** 2))
    hess_high = curve * mean + 2 * lean * high + size * (h2 @ (_WT * _T**2))
    hess_both = -curve * mean + lean * (low - high) + size * (h2 @ (_WT * _T * (1 - _T)))
    gradient = gradient_high[:-1] + gradient_low[1:]
    return gradient, hess_high[:-1] + hess_low[1:], hess_both[1:-1]


def _minimise(dim, u, steps):
    length, damping = _chain_length(dim, u, steps), 1e-3
    for _ in range(400):
        gradient, diagonal, beside = _derivatives(dim, u, steps)
        banded = np.zeros((2, len(diagonal)))
        banded[0, 1:], scale = beside, np.abs(diagonal) + 1e-12
        try:
            banded[1] = diagonal + damping * scale
            move = -solveh_banded(banded, gradient)
            trial = u.copy()
            trial[1:-1] += np.clip(move, -0.1, 0.1)
            reached = _chain_length(dim, trial, steps)
        except np.linalg.LinAlgError:
            reached = np.inf
        if reached < length:
            is_done = length - reached < 1e-13 * length
            u, length, damping = trial, reached, max(damping / 5, 1e-14)
            if is_done:
                break
        else:
            damping *= 8
            if damping > 1e12:
                break
    return length


def _start(dim, ends, angles, share):
    """Chains to start from: straight (share 0), or down to the likeliest norm and along it."""
    straight = np.interp(angles, [0, angles[-1]], np.log(ends))
    t = angles / angles[-1]
    shelf = np.minimum(np.minimum(t, 1 - t) / max(share, 1e-12), 1.0)
    return straight + (0.0 if share == 0 else shelf) * (np.log(np.sqrt(dim - 1)) - straight)


def reference_length(dim, r0, r1, angle, points=300):
    """Shortest chain found from several starts, extrapolated from two spacings."""
    lengths = []
    for count in (points, 2 * points):
        half = np.sinh(np.linspace(0, 12, count + 1)) / np.sinh(12)
        t = np.concatenate([half / 2, 1 - half[-2::-1] / 2])
        angles = angle * t
        chains = [_start(dim, (r0, r1), angles, share) for share in (0, 0.003, 0.05, 0.3)]
        lengths.append(min(_minimise(dim, u, np.diff(angles)) for u in chains))
    return lengths[1] + (lengths[1] - lengths[0]) / 3
