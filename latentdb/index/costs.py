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
    "flat": KindCosts(Law(0.0, 0.378, 1.0), Law(0.0, 0.378, 1.0), Law(358.0, 1.97, 1.42)),
    "sq8": KindCosts(Law(0.0, 0.208, 1.0), Law(0.0, 0.208, 1.0), Law(111.0, 239.0, 0.998)),
    "hnsw": KindCosts(Law(0.0, 78.8, 0.102), Law(0.191, 0.456, 0.623), Law(0.0, 49.1, 1.43)),
    "ivf": KindCosts(Law(0.153, 0.0523, 0.671), Law(0.384, 0.707, 0.72), Law(0.0, 4.8, 1.5)),
    "ivf_pq": KindCosts(Law(2.77, 301.0, 0.243), Law(0.338, 16.8, 0.662), Law(0.0, 27500.0, 0.655)),
    "rabitq": KindCosts(Law(2.96, 327.0, 0.318), Law(6.66, 3.98, 0.743), Law(0.0, 131.0, 1.13)),
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
