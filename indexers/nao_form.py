"""NAO over inner products: augmented rows, over-fetch, exact re-rank, certificate.

On the shell f/κ = π/2 − arcsin c + g(r1) + g(r0), c the cosine and g = R/κ. Rows [x̂, −g(r)]
serve two inner-product queries at once: [q̂, 1] ranks by c − g, [q̂, 0] by c. The candidates of
both lists are ranked again by the exact f in float64. A row outside both has c ≤ c_k and
c − g ≤ s (the lists' last scores), and since arcsin c − c grows with c,

    f ≥ κ·(π/2 − s − arcsin c_k + c_k) + R(r0) − D,

D bounding what a near pair saves against the far field. Where that is no less than the k-th best
found, the answer is *certified*: it is the true top-k. Where it is not, and the first stage is
complete, one pass over all rows with the same bound, row by row, settles it.
"""

from __future__ import annotations

import math
from typing import ClassVar, NamedTuple, final

import numpy as np

from indexers.checks import row_blocks
from indexers.errors import DimensionError
from indexers.forms import AbstractForm, Hits, Request, unit_float32
from indexers.ids import Selection
from indexers.metric.angles import angle_matrix, unit_rows
from indexers.metric.nao import NaoMetric
from indexers.metric.nao_bound import NaoBound
from indexers.metric.priors import ChiPrior
from indexers.stage import AbstractStage, RowLayout
from indexers.types import Float32Array, FloatArray, IdArray

# Candidates per list for k hits: at least this many more, and this many times as many.
_MORE, _TIMES = 30, 3


class _Best(NamedTuple):
    """Candidates of one query, nearest first."""

    positions: IdArray
    distances: FloatArray
    angles: FloatArray

    def cut(self, k: int) -> _Best:
        return _Best(self.positions[:k], self.distances[:k], self.angles[:k])


@final
class NaoForm(AbstractForm):
    """Rows [x̂, −g(r)] under the inner product, norms beside them.

    Directions are kept in float32: the angle of a hit is off by up to about 5e-8 rad from that
    of the vectors that were added, and 0 for identical vectors.
    """

    keeps_norms: ClassVar[bool] = True

    def __init__(self, metric: NaoMetric) -> None:
        self._metric = metric
        self._bound = NaoBound(metric.prior)

    def layout(self, dim: int) -> RowLayout:
        """Unit rows and a penalty."""
        prior = self._metric.prior
        if isinstance(prior, ChiPrior) and prior.dim != dim:
            raise DimensionError(
                f"expected vectors of dimension {prior.dim}, the chi prior's, got {dim}; "
                f"make a ChiPrior({dim})"
            )
        return RowLayout(dim + 1, inner_product=True, has_penalty=True)

    def rows(self, vectors: Float32Array) -> tuple[Float32Array, FloatArray | None]:
        """Augmented rows and the norms."""
        units, norms = unit_float32(vectors, what="vectors", allow_zero=self._bound.has_prior)
        rows = np.empty((len(vectors), vectors.shape[1] + 1), np.float32)
        rows[:, :-1] = units
        rows[:, -1] = -self._bound.penalty(norms)
        return rows, norms

    def vectors(self, rows: Float32Array, norms: FloatArray | None) -> Float32Array:
        """Rows at their own norms again."""
        assert norms is not None
        return (rows[:, :-1] * norms[:, None]).astype(np.float32)

    def search(self, stage: AbstractStage, norms: FloatArray, request: Request) -> Hits:
        """Two lists per query in one search of the stage, then every query by itself."""
        units, radii = unit_float32(
            request.queries, what="queries", allow_zero=self._bound.has_prior
        )
        count = request.selection.count
        fetch = min(count, max(_TIMES * request.k, request.k + _MORE))
        lists = np.ones((2 * len(units), units.shape[1] + 1), np.float32)
        lists[::2, :-1] = lists[1::2, :-1] = units
        lists[1::2, -1] = 0.0
        found = stage.top(lists, fetch, request.selection)
        # Rows that the far field says nothing of: ranked by their own f, where it may be short.
        special = self._bound.special_positions(norms, request.selection.mask)
        answers = []
        for row, unit in enumerate(units):
            query = _Query((self._metric, self._bound), stage, norms, unit, float(radii[row]))
            near = query.rank(np.unique(found.positions[2 * row : 2 * row + 2]), request.k)
            limit = min(request.limit, float(near.distances[request.k - 1]))
            within = self._bound.in_radial_reach(query.radius, norms[special], limit)
            if within.any():
                near = query.rank(np.union1d(near.positions, special[within]), request.k)
            limit = min(limit, float(near.distances[request.k - 1]))
            # Of a query in the core the lists say nothing: it is compared with every row.
            is_settled = found.complete or not self._bound.covers(query.radius)
            is_exact = found.complete and (
                fetch == count
                or self._is_certified(query, limit, found.scores[2 * row : 2 * row + 2, -1])
            )
            if is_settled and not is_exact:
                rest = self._within(query, limit, request.selection)
                near, is_exact = query.rank(np.union1d(near.positions, rest), request.k), True
            answers.append((near.cut(request.k), is_exact))
        return self._hits(answers)

    def _is_certified(self, query: _Query, limit: float, last_scores: Float32Array) -> bool:
        """Whether no row outside both lists is nearer than `limit`."""
        if not self._bound.covers(query.radius):
            return False
        slack = _rounding(len(query.unit))
        score, cosine = (float(value) for value in last_scores)
        cosine = min(cosine + slack, 1.0)
        # Of a row with a penalty g only those with g below |score| + 2 can reach the list.
        score += slack * (3.0 + abs(score))
        turn = math.pi / 2 - (score + math.asin(max(cosine, -1.0)) - cosine)
        least_angle = math.acos(max(cosine, -1.0))
        least = self._bound.least_length(query.radius, turn, least_angle, limit)
        return least >= limit * (1.0 - 1e-9)

    def _within(self, query: _Query, limit: float, selection: Selection) -> IdArray:
        """Selected positions whose lower bound does not exceed `limit`, from one pass."""
        rows = query.stage.view()
        if not self._bound.covers(query.radius):
            every = selection.positions(len(rows))
            within = self._bound.in_radial_reach(query.radius, query.norms[every], limit)
            return every[within]
        slack = _rounding(len(query.unit))
        unit = np.append(query.unit, np.float32(0.0))
        near: list[IdArray] = []
        for block in row_blocks(*rows.shape):
            cosines = np.minimum((rows[block] @ unit).astype(np.float64) + slack, 1.0)
            penalties = -rows[block, -1].astype(np.float64) * (1.0 - 1e-6)
            angles = np.arccos(np.maximum(cosines, -1.0))
            least = self._bound.least_lengths(query.radius, angles, penalties, limit)
            near.append(np.flatnonzero(least <= limit) + block.start)
        positions = np.concatenate(near)
        return positions if selection.mask is None else positions[selection.mask[positions]]

    def _hits(self, answers: list[tuple[_Best, bool]]) -> Hits:
        best = [answer for answer, _ in answers]
        distances = np.stack([near.distances for near in best])
        angular = self._bound.kappa * np.stack([near.angles for near in best])
        return Hits(
            np.stack([near.positions for near in best]),
            distances,
            all(is_exact for _, is_exact in answers),
            angular,
            distances - angular,
        )


class _Query:
    """One query against the rows of a stage."""

    def __init__(
        self,
        measure: tuple[NaoMetric, NaoBound],
        stage: AbstractStage,
        norms: FloatArray,
        unit: Float32Array,
        radius: float,
    ) -> None:
        self.stage, self.norms = stage, norms
        self._metric, self._bound = measure
        self.unit, self.radius = unit, radius
        # Through float32 like the rows, so that an identical vector is at angle 0.
        self._direction, _ = unit_rows(
            unit[None, :].astype(np.float64), what="queries", allow_zero=True
        )

    def rank(self, positions: IdArray, k: int) -> _Best:
        """The k nearest or more of the rows at `positions`, nearest first, by exact distances.

        Rows are solved in the order of a lower bound, as far as it is below the k-th best.
        """
        positions = positions[positions >= 0]
        norms, angles = self.norms[positions], self._angles(positions)
        least = self._bound.least_of_pairs(self.radius, norms, angles)
        order = np.argsort(least, kind="stable")
        distances = np.empty(len(order))
        solved, wanted = 0, min(k + 6, len(order))
        while solved < wanted:
            some = order[solved:wanted]
            distances[solved:wanted] = self._metric.from_polar(
                self.radius, norms[some], angles[some]
            )
            solved = wanted
            kth = np.partition(distances[:solved], k - 1)[k - 1] if solved >= k else np.inf
            open_rows = int(np.searchsorted(least[order], kth, side="right"))
            wanted = max(solved, min(open_rows, 2 * solved))
        ranks = np.argsort(distances[:solved], kind="stable")
        chosen = order[ranks]
        return _Best(positions[chosen], distances[ranks], angles[chosen])

    def _angles(self, positions: IdArray) -> FloatArray:
        angles = np.empty(len(positions))
        for block in row_blocks(len(positions), len(self.unit)):
            rows = self.stage.gather(positions[block])[:, :-1].astype(np.float64)
            directions, _ = unit_rows(rows, what="vectors", allow_zero=True)
            angles[block] = angle_matrix(self._direction, directions)[0]
        # The angle at the origin means nothing; 0 keeps the angular part out.
        angles[(self.norms[positions] == 0) | (self.radius == 0)] = 0.0
        return angles


def _rounding(dim: int) -> float:
    """Bound on the error of a float32 inner product of two float32 unit vectors.

    The sum errs by about √dim·2⁻²⁴ with random signs; eight times that is exceeded with
    probability 1e-14 (Higham and Mary, "A new approach to probabilistic rounding error
    analysis", SIAM J. Sci. Comput. 41(5), 2019). Rounding the unit vectors adds 2⁻²³.
    """
    return 8.0 * math.sqrt(dim) * 2.0**-24 + 2.0**-22
