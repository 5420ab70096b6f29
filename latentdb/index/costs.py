"""What kinds of index cost, as laws fitted to what was measured.

A query takes `overhead + scale · dim · n^power`, a build `scale · dim · n^power`. The figures are
of `python -m benchmarks.index_choice`: one query at a time on two cores, every approximate kind
tuned to recall .95 on vectors like an encoder's and on noise by the zoo's law, n up to 80,000.
They say which kind is quickest, and not to the millisecond how quick it is on another machine.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple, final

from indexers.stage import AbstractIndexConfig
from indexers.types import IndexKind, MetricName


class Law(NamedTuple):
    """`scale · dim · n^power`, in nanoseconds."""

    scale: float
    power: float

    def seconds(self, size: Size) -> float:
        """At a size."""
        return 1e-9 * self.scale * size.dim * float(size.count) ** self.power


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


# Of every query, before anything is compared.
OVERHEAD_S: Final = 1e-4
# A target of recall above .95 takes (.05 / (1 − target))^0.5 times as long, about.
_HARDER: Final = 0.5
_MEASURED_TARGET, _NEARLY_ALL = 0.95, 0.999

COSTS: Final[Mapping[IndexKind, KindCosts]] = {
    "flat": KindCosts(Law(0.35, 1.0), Law(0.35, 1.0), Law(1.0, 1.0)),
    "sq8": KindCosts(Law(0.18, 1.0), Law(0.18, 1.0), Law(3.0, 1.0)),
    "hnsw": KindCosts(Law(30.0, 0.35), Law(30.0, 0.55), Law(40.0, 1.2)),
    "ivf": KindCosts(Law(3.0, 0.65), Law(0.5, 0.95), Law(20.0, 1.1)),
    "ivf_pq": KindCosts(Law(40.0, 0.5), Law(40.0, 0.7), Law(40.0, 1.1)),
    "rabitq": KindCosts(Law(40.0, 0.5), Law(40.0, 0.7), Law(40.0, 1.1)),
}

# Cells per root of the rows.
_CELLS: Final[Mapping[IndexKind, float]] = {"ivf": 4.0, "ivf_pq": 1.0, "rabitq": 1.0}


def query_seconds(kind: IndexKind, size: Size, *, target: float, is_noise: bool) -> float:
    """About how long one query takes at a recall of `target`."""
    law = COSTS[kind].noise if is_noise else COSTS[kind].embedding
    missed = max(1.0 - min(target, _NEARLY_ALL), 1e-6)
    harder = max(1.0, ((1.0 - _MEASURED_TARGET) / missed) ** _HARDER) if law.power < 1.0 else 1.0
    return OVERHEAD_S + harder * law.seconds(size)


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
