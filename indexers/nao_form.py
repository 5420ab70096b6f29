"""NAO over inner products: shortlist by angle, exact re-rank, certificate.

Where the far field holds, f = κ·θ + R(r0) + R(r1): a row is near if its angle is small and its
penalty g = R/κ is. Rows are unit vectors, so a stage lists those of the largest cosines c; the
norms are kept beside them. For each query

1. the listed rows of the largest c − g are measured exactly, and their k-th best is a limit L;
2. every listed row whose lower bound κ·(θ + g) + R(r0) − D does not exceed L is measured, too
   (D bounds what a near pair saves against the far field, θ the error of a compressed cosine);
3. a row that was not listed has a cosine of at most the list's ceiling. Where that angle is wider
   than any row within L can be at, the answer is *certified*: it is the true top-k. Where it is
   not, the list is made longer, up to all rows.

A graph finds its rows by walking, so there the penalty is a column of the rows, [x̂, −g]: queries
[q̂, 1] and [q̂, 0] list by c − g and by c; nothing is certified.
"""

from __future__ import annotations

import math
from typing import ClassVar, final

import numpy as np
from scipy.special import ndtr

from indexers.errors import DimensionError
from indexers.forms import AbstractForm, Hits, Request, unit_float32
from indexers.metric.nao import NaoMetric
from indexers.metric.nao_bound import NaoBound
from indexers.metric.priors import ChiPrior
from indexers.nao_query import NaoCorpus, NaoQuery
from indexers.rounding import product_rounding
from indexers.shortlist import Shortlist
from indexers.stage import AbstractStage, RowLayout
from indexers.types import Float32Array, FloatArray, IdArray

# Rows measured first for k hits: at least this many more, and this many times as many.
_MORE, _TIMES = 30, 3
_LONGER = 8
# Rows whose norms are looked at to choose a list's length.
_SAMPLED = 250


@final
class NaoForm(AbstractForm):
    """Unit rows under the inner product, norms beside them.

    Directions are kept in float32: the angle of a hit is off by up to about 5e-8 rad from that
    of the vectors that were added, and 0 for identical vectors.

    Parameters
    ----------
    metric : NaoMetric
    has_penalty : bool
        The stage walks among its rows and needs the penalty as a column of them.
    """

    keeps_norms: ClassVar[bool] = True

    def __init__(self, metric: NaoMetric, *, has_penalty: bool) -> None:
        self._metric = metric
        self._has_penalty = has_penalty
        self._bound = NaoBound(metric.prior)
        # Penalties of the norms that were searched last: R is a quadrature per row.
        self._penalties: tuple[FloatArray, FloatArray] = (np.empty(0), np.empty(0))

    def layout(self, dim: int) -> RowLayout:
        """Unit rows, and a penalty where the stage needs one."""
        prior = self._metric.prior
        if isinstance(prior, ChiPrior) and prior.dim != dim:
            raise DimensionError(
                f"expected vectors of dimension {prior.dim}, the chi prior's, got {dim}; "
                f"make a ChiPrior({dim})"
            )
        return RowLayout(dim + self._has_penalty, True, has_penalty=self._has_penalty)

    def rows(self, vectors: Float32Array) -> tuple[Float32Array, FloatArray | None]:
        """Unit rows, augmented where the stage needs it, and the norms."""
        units, norms = unit_float32(vectors, what="vectors", allow_zero=self._bound.has_prior)
        if not self._has_penalty:
            return units, norms
        rows = np.empty((len(vectors), vectors.shape[1] + 1), np.float32)
        rows[:, :-1] = units
        rows[:, -1] = -self._bound.penalty(norms)
        return rows, norms

    def vectors(self, rows: Float32Array, norms: FloatArray | None) -> Float32Array:
        """Rows at their own norms again."""
        assert norms is not None
        units = rows[:, :-1] if self._has_penalty else rows
        return (units * norms[:, None]).astype(np.float32)

    def search(self, stage: AbstractStage, norms: FloatArray, request: Request) -> Hits:
        """Shortlists for all queries in one search of the stage, then every query by itself."""
        units, radii = unit_float32(
            request.queries, what="queries", allow_zero=self._bound.has_prior
        )
        corpus = NaoCorpus(stage, norms, self._penalties_of(norms))
        width = _width(corpus, request)
        lists = stage.shortlists(units, request.selection, width)
        special = self._bound.special_positions(norms, request.selection.mask)
        queries, is_exact = [], True
        for unit, radius, shortlist in zip(units, radii, lists, strict=True):
            query = NaoQuery((self._metric, self._bound), corpus, unit, radius)
            query.meet(_foremost(corpus, shortlist, request.k), request.k)
            if self._bound.covers(np.array(query.radius)):
                self._meet_special(query, corpus, special, request)
                is_exact &= self._settle(query, corpus, shortlist, request)
            else:
                # Of a query in the core angles say nothing: every row in radial reach is met.
                every = request.selection.positions(stage.count)
                self._meet_special(query, corpus, every, request)
            queries.append(query)
        return self._hits(queries, request.k, is_exact)

    def _penalties_of(self, norms: FloatArray) -> FloatArray:
        # An index makes a new array when its rows change, and never writes to one.
        known, penalties = self._penalties
        if known is not norms:
            penalties = self._bound.penalty(norms)
            self._penalties = (norms, penalties)
        return penalties

    def _meet_special(
        self, query: NaoQuery, corpus: NaoCorpus, positions: IdArray, request: Request
    ) -> None:
        """Rows that no bound covers: as far as the way along the radius is within the limit."""
        if positions.size:
            limit = min(request.limit, query.kth(request.k))
            within = self._bound.in_radial_reach(query.radius, corpus.norms[positions], limit)
            query.meet(positions[within], request.k)

    def _settle(
        self, query: NaoQuery, corpus: NaoCorpus, shortlist: Shortlist, request: Request
    ) -> bool:
        """Meet every listed row that may be nearer than the k-th best, on longer lists if need be.

        Returns whether no other row can be.
        """
        rounding = product_rounding(len(query.unit))
        while True:
            limit = min(request.limit, query.kth(request.k))
            ball = self._bound.ball(query.radius, limit)
            floor = math.cos(min(ball.widest_angle, math.pi)) - rounding
            listed = corpus.stage.refine(query.unit, shortlist, floor)
            cosines = np.clip(listed.cosines.astype(np.float64) + rounding, -1.0, 1.0)
            penalties = corpus.penalties[listed.positions]
            least = ball.least_lengths(np.arccos(cosines), penalties)
            query.meet(listed.positions[least <= limit], request.k)
            # The floor was of an earlier, wider limit: what is below it is out all the more.
            if shortlist.ceiling < floor:
                return True
            if math.isinf(shortlist.ceiling):
                return False
            tighter = self._bound.ball(query.radius, min(limit, query.kth(request.k)))
            if shortlist.ceiling < math.cos(min(tighter.widest_angle, math.pi)) - rounding:
                return True
            width = _LONGER * len(shortlist.positions)
            shortlist = corpus.stage.shortlists(query.unit[None], request.selection, width)[0]

    def _hits(self, queries: list[NaoQuery], k: int, is_exact: bool) -> Hits:
        distances = np.stack([query.distances[:k] for query in queries])
        angular = self._bound.kappa * np.stack([query.angles[:k] for query in queries])
        positions = np.stack([query.positions[:k] for query in queries])
        return Hits(positions, distances, is_exact, angular, distances - angular)


def _foremost(corpus: NaoCorpus, shortlist: Shortlist, k: int) -> IdArray:
    """The listed rows of the largest c − g, the first to be met for k hits."""
    count = max(_TIMES * k, k + _MORE)
    if len(shortlist.positions) <= count:
        return shortlist.positions
    scores = shortlist.cosines - corpus.penalties[shortlist.positions]
    return shortlist.positions[np.argpartition(scores, len(scores) - count)[-count:]]


def _width(corpus: NaoCorpus, request: Request) -> int:
    """How many of the nearest by angle hold the k nearest, if angles were those of noise.

    Cosines of unrelated directions are normal with variance 1/dim. The k-th best c − g is at the
    t where the rows' chances of c > t + g add up to k; all rows of c > t may be nearer.
    """
    count = request.selection.count
    wanted = max(_TIMES * request.k, request.k + _MORE)
    if wanted >= count:
        return count
    sample = corpus.penalties[:: max(1, len(corpus.penalties) // _SAMPLED)]
    root = math.sqrt(corpus.stage.layout.dim)
    low, high = -float(sample.max()) - 10.0 / root, 10.0 / root
    for _ in range(20):
        middle = 0.5 * (low + high)
        above = float(ndtr(-(middle + sample) * root).mean()) * count
        low, high = (middle, high) if above > request.k else (low, middle)
    return min(count, max(wanted, math.ceil(count * float(ndtr(-low * root)))))
