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

A graph finds its rows by walking, so there the penalty is a column of the rows, [x̂, −g]: the query
[q̂, 1] lists by c − g; nothing is certified. Nor is it of codes alone: `indexers.nao_codes`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import ClassVar, TypeAlias, final

import numpy as np
from scipy.special import ndtr

from indexers.code_stage import AbstractCodeStage
from indexers.errors import DimensionError
from indexers.forms import AbstractForm, Hits, Request, unit_float32
from indexers.metric.nao import NaoMetric
from indexers.metric.nao_bound import NaoBall, NaoBound
from indexers.metric.priors import ChiPrior
from indexers.nao_codes import list_by_code
from indexers.nao_query import NaoCorpus, NaoQuery, foremost_count, measure
from indexers.rounding import product_rounding
from indexers.shortlist import Shortlist
from indexers.stage import AbstractExactStage, AbstractStage, RowLayout
from indexers.types import Float32Array, FloatArray, IdArray

_LONGER = 8
# Cosines of queries and rows held at a time: 128 MB of float32.
_MOST_SCORES = 1 << 25
# Norms that are looked at to choose a list's length; times the wanted rows, scores of a sample.
_SAMPLED = 250

_Open: TypeAlias = tuple[NaoQuery, Shortlist]


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
        """Shortlists for all queries in one search of the stage, measured in a few rounds."""
        units, radii = unit_float32(
            request.queries, what="queries", allow_zero=self._bound.has_prior
        )
        corpus = NaoCorpus(stage, norms, self._penalties_of(norms))
        step = max(1, _MOST_SCORES // max(_held_values(stage, request), 1))
        parts = [
            self._search_some(
                units[start : start + step], radii[start : start + step], corpus, request
            )
            for start in range(0, len(units), step)
        ]
        queries = [query for some, _ in parts for query in some]
        distances = np.stack([query.distances[: request.k] for query in queries])
        angular = self._bound.kappa * np.stack([query.angles[: request.k] for query in queries])
        positions = np.stack([query.positions[: request.k] for query in queries])
        is_exact = all(exact for _, exact in parts)
        return Hits(positions, distances, is_exact, angular, distances - angular)

    def _search_some(
        self, units: Float32Array, radii: FloatArray, corpus: NaoCorpus, request: Request
    ) -> tuple[list[NaoQuery], bool]:
        """Queries with what they have met, and whether that is certain of all."""
        queries = [
            NaoQuery(self._bound, corpus, unit, radius)
            for unit, radius in zip(units, radii, strict=True)
        ]
        lists: list[Shortlist] = []
        if isinstance(corpus.stage, AbstractCodeStage):
            first = list_by_code(corpus.stage, units, corpus, request)
            corpus.stage.fetch(np.unique(np.concatenate(first)))
        else:
            lists = self._first_lists(units, corpus, request)
            first = [_foremost(corpus, shortlist, request.k) for shortlist in lists]
        for query, positions in zip(queries, first, strict=True):
            query.offer(positions)
        measure(self._metric, corpus, queries, request.k)
        self._measure_uncovered(queries, corpus, request)
        is_exact = foremost_count(request.k) >= request.selection.count
        if isinstance(corpus.stage, AbstractExactStage):
            pairs = zip(queries, lists, strict=True)
            covered = [pair for pair in pairs if self._bound.covers(np.array(pair[0].radius))]
            self._settle(covered, corpus.stage, corpus, request)
            is_exact = True
        for query in queries:
            query.forget()
        return queries, is_exact

    def _first_lists(
        self, units: Float32Array, corpus: NaoCorpus, request: Request
    ) -> list[Shortlist]:
        """What the stage lists for each query, by cosine, or by c − g where rows say so."""
        stage = corpus.stage
        if isinstance(stage, AbstractExactStage):
            return stage.shortlists(units, request.selection, _width(corpus, request))
        augmented = np.ones((len(units), units.shape[1] + 1), np.float32)
        augmented[:, :-1] = units
        count = min(foremost_count(request.k), request.selection.count)
        found = stage.top(augmented, count, request.selection)
        return [
            Shortlist(positions, scores, 0.0, np.inf)
            for positions, scores in zip(found.positions, found.scores, strict=True)
        ]

    def _penalties_of(self, norms: FloatArray) -> FloatArray:
        # An index makes a new array when its rows change, and never writes to one.
        known, penalties = self._penalties
        if known is not norms:
            penalties = self._bound.penalty(norms)
            self._penalties = (norms, penalties)
        return penalties

    def _measure_uncovered(
        self, queries: Sequence[NaoQuery], corpus: NaoCorpus, request: Request
    ) -> None:
        """Rows that no bound covers: as far as the way along the radius is within the limit.

        Of a query in the core that is every row, for angles say nothing there.
        """
        special = self._bound.special_positions(corpus.norms, request.selection.mask)
        for query in queries:
            positions = special
            if not self._bound.covers(np.array(query.radius)):
                positions = request.selection.positions(corpus.stage.count)
            if positions.size:
                limit = min(request.limit, query.kth(request.k))
                within = self._bound.in_radial_reach(query.radius, corpus.norms[positions], limit)
                query.offer(positions[within])
        measure(self._metric, corpus, queries, request.k)

    def _settle(
        self,
        open_lists: Sequence[_Open],
        stage: AbstractExactStage,
        corpus: NaoCorpus,
        request: Request,
    ) -> None:
        """Measure every listed row that may be nearer than the k-th best, until no other can be.

        A list of which that cannot be said is made longer, up to all rows.
        """
        while open_lists:
            floors = [self._offer_within(pair, stage, corpus, request) for pair in open_lists]
            measure(self._metric, corpus, [query for query, _ in open_lists], request.k)
            longer = []
            for (query, shortlist), floor in zip(open_lists, floors, strict=True):
                ceiling = shortlist.ceiling
                # Measuring can only have lowered the limit, so the floor of before it holds, too.
                if ceiling >= floor and ceiling >= self._floor(query, request)[1]:
                    width = _LONGER * len(shortlist.positions)
                    found = stage.shortlists(query.unit[None], request.selection, width)
                    longer.append((query, found[0]))
            open_lists = longer

    def _offer_within(
        self, pair: _Open, stage: AbstractExactStage, corpus: NaoCorpus, request: Request
    ) -> float:
        """Queue the listed rows that may be within the limit, and return the least cosine there."""
        query, shortlist = pair
        limit = min(request.limit, query.kth(request.k))
        ball, floor = self._floor(query, request)
        near = _within(corpus, ball, shortlist, floor, limit)
        if shortlist.slack > 0.0:
            listed = stage.compare(query.unit, near)
            near = _within(corpus, ball, listed, floor, limit)
        query.offer(near)
        return floor

    def _floor(self, query: NaoQuery, request: Request) -> tuple[NaoBall, float]:
        """What is within the limit, and the least float32 cosine there."""
        ball = self._bound.ball(query.radius, min(request.limit, query.kth(request.k)))
        rounding = product_rounding(len(query.unit))
        return ball, math.cos(min(ball.widest_angle, math.pi)) - rounding


def _held_values(stage: AbstractStage, request: Request) -> int:
    """Values in memory for a query at a time: scores of all rows, or rows that were read."""
    if isinstance(stage, AbstractCodeStage):
        read = max(stage.refine * request.k, foremost_count(request.k))
        return max(stage.count, read * stage.layout.dim)
    return stage.count


def _foremost(corpus: NaoCorpus, shortlist: Shortlist, k: int) -> IdArray:
    """The listed rows of the largest c − g, the first to be met for k hits."""
    count = foremost_count(k)
    if len(shortlist.positions) <= count:
        return shortlist.positions
    if len(shortlist.positions) == len(corpus.penalties):
        scores = shortlist.cosines - corpus.penalties
    else:
        scores = shortlist.cosines - corpus.penalties[shortlist.positions]
    return shortlist.positions[_largest(scores, count)]


def _largest(scores: FloatArray | Float32Array, count: int) -> IdArray:
    """Positions of the `count` largest of more scores, in no order."""
    # To part a long list takes longer than to compare it with a number: a sample gives one that
    # some four times `count` exceed.
    sample = scores[:: max(1, len(scores) // (_SAMPLED // 4 * count))]
    rank = math.ceil(4.0 * count * len(sample) / len(scores)) + 4
    some = np.arange(len(scores))
    if rank < len(sample):
        some = np.flatnonzero(scores >= np.partition(sample, -rank)[-rank])
    if len(some) <= count:
        some = np.arange(len(scores))
    return some[np.argpartition(scores[some], len(some) - count)[-count:]]


def _within(
    corpus: NaoCorpus, ball: NaoBall, shortlist: Shortlist, floor: float, limit: float
) -> IdArray:
    """The listed rows that may be within `limit`, whose true cosines are at least `floor`."""
    slack = shortlist.slack + product_rounding(corpus.stage.layout.dim)
    some = np.flatnonzero(shortlist.cosines >= np.float32(floor - slack - 1e-6))
    positions = shortlist.positions[some]
    cosines = np.clip(shortlist.cosines[some].astype(np.float64) + slack, -1.0, 1.0)
    least = ball.least_lengths(np.arccos(cosines), corpus.penalties[positions])
    return positions[least <= limit]


def _width(corpus: NaoCorpus, request: Request) -> int:
    """How many of the nearest by angle hold the k nearest, if angles were those of noise.

    Cosines of unrelated directions are normal with variance 1/dim. The k-th best c − g is at the
    t where the rows' chances of c > t + g add up to k; all rows of c > t may be nearer.
    """
    count = request.selection.count
    wanted = foremost_count(request.k)
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
