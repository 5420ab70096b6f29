"""The near field: exact lengths of geodesics by Clairaut's invariant, vectorised over pairs.

Along a geodesic b = h(r)·sin ψ is constant (ψ: angle to the radius), and

    θ(b) = ∫ b / (r·√(h² − b²)) dr,   W(b) = ∫ √(h² − b²) / r dr,   f = b·θ + W(b)

over the radii that the path runs through. df/db = θ − θ(b), so at the root of θ(b) = θ the
length is stationary in b: an error in b costs its square. Three families, by the position of the
ends x = r − r* and by the angle:

- *cross*: ends on both sides of the shell, b < κ;
- *direct*: ends on one side, the path monotone in r: b < κ, or κ < b < h(nearer end);
- *dip*: ends on one side, the path goes down to the turning point h(r_t) = b and back.

Far off the shell θ(b) of a dip is not monotone: it may stay out there (*shallow*), or go all the
way down to the shell and along it (*deep*). Both are local minima; the shorter one counts. That
is also why the far field begins later for such ends than e^(−λθ) says.

The variables of the integrals are those of `indexers.metric.profile`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy.special import expit

from indexers.metric.profile import Profile, pass_profile, pass_scale, shell_turn_profile
from indexers.metric.roots import find_root
from indexers.metric.shell import NODES, WEIGHTS, Shell
from indexers.metric.solution import Family, Solution
from indexers.types import BoolArray, FloatArray, IdArray

# Beyond this many e-foldings the far field is exact to float64.
FAR_EFOLDINGS = 34.0
# A panel of 16 nodes is good for 4 units of s (to 1e-12); a batch takes as many as it needs.
_PANEL_LENGTH = 4.0
_MOST_PANELS = 12
_GRIDS = [((np.arange(n)[:, None] + NODES) / n).ravel() for n in range(1, _MOST_PANELS + 1)]
_GRID_WEIGHTS = [np.tile(WEIGHTS, n) / n for n in range(1, _MOST_PANELS + 1)]
# Pairs solved at once: few enough for the temporaries to stay in the processor's cache.
_BATCH = 192
# Offsets below this share of the width are on the shell: f is κ·θ to 1e-15.
_ON_SHELL = 1e-8
# Grid points on which a far-off pair's dips are looked for.
_SCAN = 25


class _Arc(NamedTuple):
    """Angle swept and W gained along a piece of a geodesic, per pair."""

    angle: FloatArray
    work: FloatArray

    def __add__(self, other: object) -> _Arc:
        if not isinstance(other, _Arc):
            return NotImplemented
        return _Arc(self.angle + other.angle, self.work + other.work)


class _Pairs(NamedTuple):
    """One-sided pairs: offsets of the nearer and farther end from r*, both positive."""

    side: FloatArray
    near: FloatArray
    far: FloatArray


def near_field(shell: Shell, r0: FloatArray, r1: FloatArray, angle: FloatArray) -> Solution:
    """Shortest paths, all (n,), for radii of at least `shell.safe_radius` and θ > 0."""
    result = Solution.none(len(angle))
    # Like angles together: they need like numbers of panels.
    order = np.argsort(angle)
    for start in range(0, len(angle), _BATCH):
        part = order[start : start + _BATCH]
        result.put(part, _solve(shell, r0[part], r1[part], angle[part]))
    return result


def far_field_deficit(
    shell: Shell, r: float, r_limit: float, least_angle: float, angle_length: float
) -> float:
    """How much shorter than the far field says a path from `r` can be.

    Bounds κ·θ + R(r) + R(r1) − f(r, r1, θ) over θ ≥ `least_angle` and every r1 on the side of
    `r` between the shell and `r_limit`. In r1 the deficit grows as long as b > κ, in θ it falls
    then; where b = κ it is 2·R of the nearer end, and across the shell it is never positive.

    Parameters
    ----------
    angle_length : float
        f(r, r_limit, least_angle).
    """
    radii = np.array([r, r_limit])
    x = np.abs(shell.offset(radii))
    radial = shell.radial(radii)
    most = 2.0 * float(radial.min())
    if x.min() <= _ON_SHELL * shell.prior.width:
        return most
    side = np.sign(shell.offset(radii[:1]))
    through = float(
        _through_kappa(shell, _Pairs(side, x.min(keepdims=True), x.max(keepdims=True)))[0]
    )
    if least_angle <= through:
        return most
    far = shell.kappa * least_angle + float(radial.sum())
    return min(most, max(far - angle_length, 0.0))


def equal_end_dips(shell: Shell, side: float, offsets: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Angles and lengths of dips between two ends at the same offset, from shallow to deep.

    Parameters
    ----------
    side : float
        1 outside the shell, −1 inside it.
    offsets : (n,)
        Distances from the shell, positive.

    Returns
    -------
    angles, lengths : (n, 64)
    """
    depth = 0.5 * FAR_EFOLDINGS + np.log1p(offsets / shell.prior.width)
    pairs = _Pairs(np.full(len(offsets), side), offsets, offsets)
    angles, lengths = [], []
    for share in np.linspace(0.0, 1.0, 65)[1:] ** 2:
        arc = _dip_arc(shell, pairs, depth * share)
        angles.append(arc.angle)
        lengths.append(_invariant(shell, pairs, depth * share) * arc.angle + arc.work)
    return np.column_stack(angles), np.column_stack(lengths)


def _pick(pairs: _Pairs, chosen: BoolArray | IdArray) -> _Pairs:
    return _Pairs(*(values[chosen] for values in pairs))


def _solve(shell: Shell, r0: FloatArray, r1: FloatArray, angle: FloatArray) -> Solution:
    x0, x1 = shell.offset(r0), shell.offset(r1)
    low, high = np.minimum(x0, x1), np.maximum(x0, x1)
    result = Solution.of(Family.ALONG, shell.kappa * angle, shell.kappa)
    away = np.maximum(-low, high) > _ON_SHELL * shell.prior.width
    cross = away & (low * high <= 0)
    if cross.any():
        result.put(cross, _cross(shell, -low[cross], high[cross], angle[cross]))
    one_sided = away & ~cross
    if one_sided.any():
        low, high = low[one_sided], high[one_sided]
        side = np.sign(high)
        near, far = np.where(side > 0, low, -high), np.where(side > 0, high, -low)
        result.put(one_sided, _one_sided(shell, _Pairs(side, near, far), angle[one_sided]))
    return result


def _one_sided(shell: Shell, pairs: _Pairs, angle: FloatArray) -> Solution:
    zero = np.zeros_like(angle)
    widest_direct = _hang(shell, pairs, zero).angle
    at_kappa = _through_kappa(shell, pairs)
    is_direct = angle < widest_direct
    # Within one width of the shell θ(b) is monotone, and one family has the only solution.
    is_far_off = pairs.near > shell.prior.width
    result = Solution.none(len(angle))
    families: list[tuple[BoolArray, Callable[[Shell, _Pairs, FloatArray], Solution]]] = [
        (is_direct & (angle > at_kappa), _direct_outside),
        (is_direct & (angle <= at_kappa), _direct_across),
        (~is_direct & ~is_far_off, _dip),
        (is_far_off, _shortest_dip),
    ]
    for chosen, family in families:
        if chosen.any():
            result.put_shorter(chosen, family(shell, _pick(pairs, chosen), angle[chosen]))
    return result


def _cross(shell: Shell, inner: FloatArray, outer: FloatArray, angle: FloatArray) -> Solution:
    """Ends on both sides; b = κ·expit(−p)."""
    ones = np.ones_like(angle)

    def arc(p: FloatArray, pick: BoolArray) -> _Arc:
        gap = shell.kappa * expit(p)
        zero = np.zeros_like(p)
        return _pass(shell, _Pairs(-ones[pick], zero, inner[pick]), gap) + _pass(
            shell, _Pairs(ones[pick], zero, outer[pick]), gap
        )

    p = find_root(lambda p, pick: angle[pick] - arc(p, pick).angle, -120 * ones, 120 * ones)
    b = shell.kappa * expit(-p)
    return Solution.of(Family.PASS, b * angle + arc(p, np.ones(len(p), np.bool_)).work, b, p)


def _direct_across(shell: Shell, pairs: _Pairs, angle: FloatArray) -> Solution:
    """Ends on one side, b < κ: the path would cross the shell if it were continued."""
    ones = np.ones_like(angle)

    def arc(p: FloatArray, pick: BoolArray) -> _Arc:
        return _pass(shell, _pick(pairs, pick), shell.kappa * expit(p))

    p = find_root(lambda p, pick: angle[pick] - arc(p, pick).angle, -120 * ones, 120 * ones)
    b = shell.kappa * expit(-p)
    return Solution.of(Family.PASS, b * angle + arc(p, np.ones(len(p), np.bool_)).work, b, p)


def _direct_outside(shell: Shell, pairs: _Pairs, angle: FloatArray) -> Solution:
    """Ends on one side, κ < b < h(nearer end): it would turn if it were continued."""

    def arc(s: FloatArray, pick: BoolArray) -> _Arc:
        return _hang(shell, _pick(pairs, pick), s)

    zero = np.zeros_like(angle)
    s = find_root(lambda s, pick: angle[pick] - arc(s, pick).angle, zero, zero + 60.0)
    every = np.ones(len(s), np.bool_)
    b = _invariant(shell, pairs, s)
    return Solution.of(Family.HANG, b * angle + arc(s, every).work, b, s)


def _dip(shell: Shell, pairs: _Pairs, angle: FloatArray) -> Solution:
    """Ends on one side within a width of the shell, beyond the widest direct angle."""
    # On the linear part of h the angle grows by 2/λ per unit of s.
    high = 0.6 * shell.decay * angle + 3.0
    return _dip_between(shell, pairs, angle, (np.zeros_like(angle), high), grow=True)


def _shortest_dip(shell: Shell, pairs: _Pairs, angle: FloatArray) -> Solution:
    """Ends on one side far off the shell: the shortest of the shallow and the deep dips.

    The minima are where θ(s) − θ changes from − to +; looked for between the points of a grid.
    Where the deep one lies beyond the grid, it is the far field.
    """
    depth = np.minimum(0.6 * shell.decay * angle, 0.6 * FAR_EFOLDINGS)
    last = depth + np.log1p(pairs.near / shell.prior.width) + 3.0
    # Denser near s = 0, where the shallow dips are.
    grid = last[:, None] * np.linspace(0.0, 1.0, _SCAN) ** 2
    short = _dip_angles(shell, pairs, grid) - angle[:, None]
    r_near = shell.radius + pairs.side * pairs.near
    r_far = shell.radius + pairs.side * pairs.far
    far = shell.kappa * angle + shell.radial(r_near) + shell.radial(r_far)
    far[short[:, -1] >= 0] = np.inf
    result = Solution.of(Family.ALONG, far, shell.kappa)
    pair, cell = np.nonzero((short[:, :-1] <= 0) & (short[:, 1:] > 0))
    ends = grid[pair, cell], grid[pair, cell + 1]
    result.put_shortest(pair, _dip_between(shell, _pick(pairs, pair), angle[pair], ends))
    return result


def _dip_angles(shell: Shell, pairs: _Pairs, grid: FloatArray) -> FloatArray:
    """Angles of dips (n, m) for each pair at every s of its row of the grid (n, m)."""
    if grid.size > _BATCH:
        return np.column_stack([_dip_arc(shell, pairs, s).angle for s in grid.T])
    # Few pairs: one call for all points, for its cost is that of the calls and not of the sums.
    every = _Pairs(*(np.repeat(values, grid.shape[1]) for values in pairs))
    return _dip_arc(shell, every, grid.ravel()).angle.reshape(grid.shape)


def _dip_between(
    shell: Shell,
    pairs: _Pairs,
    angle: FloatArray,
    ends: tuple[FloatArray, FloatArray],
    *,
    grow: bool = False,
) -> Solution:
    """The dip whose s is between `ends`."""

    def excess_angle(s: FloatArray, pick: BoolArray) -> FloatArray:
        return _dip_arc(shell, _pick(pairs, pick), s).angle - angle[pick]

    s = find_root(excess_angle, *ends, grow=grow)
    b = _invariant(shell, pairs, s)
    return Solution.of(Family.DIP, b * angle + _dip_arc(shell, pairs, s).work, b, s)


def _dip_arc(shell: Shell, pairs: _Pairs, s: FloatArray) -> _Arc:
    """From one end to the turning point at near/cosh s and out to the other end."""
    turn = pairs.near / np.cosh(s)
    descent = _quadrature_hang(shell, pairs.side, turn, np.zeros_like(s), s)
    return descent + descent + _hang(shell, pairs, s)


def _invariant(shell: Shell, pairs: _Pairs, s: FloatArray) -> FloatArray:
    """B = h at the turning point."""
    b: FloatArray = shell.kappa + shell.rise(pairs.side * pairs.near / np.cosh(s))
    return b


def _hang(shell: Shell, pairs: _Pairs, s: FloatArray) -> _Arc:
    """From the nearer end to the farther, b > κ, the turning point at near/cosh s."""
    # cosh s_far − 1 = (far/near)·cosh s − 1, kept apart so that equal ends give equal s.
    ratio = pairs.far / pairs.near
    above = (pairs.far - pairs.near) / pairs.near + ratio * 2.0 * np.sinh(s / 2) ** 2
    end = np.log1p(above + np.sqrt(above * (above + 2.0)))
    return _quadrature_hang(shell, pairs.side, pairs.near / np.cosh(s), s, np.maximum(s, end))


def _quadrature_hang(
    shell: Shell, side: FloatArray, turn: FloatArray, low: FloatArray, high: FloatArray
) -> _Arc:
    """X = side·turn·cosh s over s in [low, high]."""
    profile = shell_turn_profile(shell, (side * turn)[:, None], _nodes(low, high))
    return _sum(profile, high - low)


def _pass(shell: Shell, pairs: _Pairs, gap: FloatArray) -> _Arc:
    """From the nearer end to the farther at b = κ − gap; x = side·ε·sinh s."""
    scale = pass_scale(shell, gap)
    low, high = np.arcsinh(pairs.near / scale), np.arcsinh(pairs.far / scale)
    s = _nodes(low, high)
    return _sum(pass_profile(shell, pairs.side[:, None], gap[:, None], s), high - low)


def _through_kappa(shell: Shell, pairs: _Pairs) -> FloatArray:
    """Angle swept from the nearer end to the farther at b = κ; x = side·eˢ."""
    low, high = np.log(pairs.near), np.log(pairs.far)
    x = np.exp(_nodes(low, high))
    signed = pairs.side[:, None] * x
    rise = np.maximum(shell.rise(signed), np.finfo(float).tiny)
    kappa = np.full((len(low), 1), shell.kappa)
    profile = Profile(shell.radius + signed, rise, kappa, x)
    return _sum(profile, high - low).angle


def _sum(profile: Profile, length: FloatArray) -> _Arc:
    """Both integrals from the profile at the nodes of a range of `length`."""
    angle_rate, work_rate = profile.rates()
    weights = _GRID_WEIGHTS[profile.r.shape[1] // len(NODES) - 1]
    angle: FloatArray = length * (angle_rate @ weights)
    work: FloatArray = length * (work_rate @ weights)
    return _Arc(angle, work)


def _nodes(low: FloatArray, high: FloatArray) -> FloatArray:
    """Quadrature nodes (n, panels·16) of [low, high]."""
    panels = math.ceil(float((high - low).max(initial=0.0)) / _PANEL_LENGTH)
    grid = _GRIDS[min(max(panels, 1), _MOST_PANELS) - 1]
    nodes: FloatArray = low[:, None] + (high - low)[:, None] * grid
    return nodes
