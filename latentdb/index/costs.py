"""What kinds of index cost, as laws fitted to what was measured.

The figures are of `python -m benchmarks.index_choice`: one query at a time on one core, every
approximate kind tuned to recall .95 on vectors like an encoder's and on noise by the zoo's law, up
to 64,000 of them. They say which kind is quickest, and not how quick it is on another machine.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple, final

from indexers.kinds import make_config
from indexers.stage import AbstractIndexConfig
from indexers.types import IndexKind, MetricName


class Law(NamedTuple):
    """`overhead` milliseconds and `scale · dim · n^power` nanoseconds."""

    overhead: float
    scale: float
    power: float

    def seconds(self, size: Size, *, times: float = 1.0) -> float:
        """At a size, all but the overhead `times` over."""
        grows = self.scale * size.dim * math.pow(size.count, self.power)
        return 1e-3 * self.overhead + 1e-9 * times * grows


class KindCosts(NamedTuple):
    """Of one kind of index: a query of an encoder's vectors, one of noise, and a build."""

    embedding: Law
    noise: Law
    build: Law


@final
@dataclass(frozen=True)
class Size:
    """What there is to index."""

    count: int
    dim: int
    metric: MetricName

    def __str__(self) -> str:
        return f"{self.count:,} × {self.dim:,}"


# A target of recall above .95 takes (.05 / (1 − target))^0.5 times as long, about.
_HARDER: Final = 0.5
_MISSED, _NEARLY_ALL = 0.05, 0.999

COSTS: Final[Mapping[IndexKind, KindCosts]] = {
    "flat": KindCosts(Law(0.0, 0.135, 1.0), Law(0.0, 0.135, 1.0), Law(65.6, 3.75, 1.23)),
    "sq8": KindCosts(Law(0.126, 0.0722, 1.0), Law(0.126, 0.0722, 1.0), Law(45.8, 5.41, 1.22)),
    "hnsw": KindCosts(Law(0.0498, 0.25, 0.617), Law(0.211, 15.3, 0.1), Law(0.0, 4.28, 1.5)),
    "ivf": KindCosts(Law(0.0761, 0.00926, 0.973), Law(0.32, 2.2, 0.5), Law(0.0, 0.861, 1.5)),
    "ivf_pq": KindCosts(Law(4.28, 0.671, 0.776), Law(5.96, 4.87, 0.5), Law(406.0, 5800.0, 0.605)),
    "rabitq": KindCosts(Law(4.47, 4.45, 0.552), Law(5.14, 16.1, 0.5), Law(0.0, 55.9, 1.03)),
}

# Cells per root of the rows.
_CELLS: Final[Mapping[IndexKind, float]] = {"ivf": 4.0, "ivf_pq": 1.0, "rabitq": 1.0}


def query_seconds(kind: IndexKind, size: Size, *, target: float, is_noise: bool) -> float:
    """About how long one query takes at a recall of `target`."""
    law = COSTS[kind].noise if is_noise else COSTS[kind].embedding
    missed = 1.0 - min(target, _NEARLY_ALL)
    is_exact = make_config(kind).is_exact
    return law.seconds(size, times=1.0 if is_exact else max(1.0, (_MISSED / missed) ** _HARDER))


def build_seconds(kind: IndexKind, size: Size) -> float:
    """About how long it takes to build."""
    return COSTS[kind].build.seconds(size)


def index_bytes(config: AbstractIndexConfig, size: Size) -> int:
    """Memory of an index: its structure, ids and, where a metric keeps them, norms."""
    width = size.dim + (size.metric == "nao" and not config.is_exact)
    norms = 0 if size.metric == "euclidean" else 8
    cells = _CELLS.get(config.kind, 0.0) * math.sqrt(size.count)
    rows = size.count * (config.bytes_per_vector(width) + norms)
    return int(rows + 4.0 * width * cells)
