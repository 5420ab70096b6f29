"""What a report is asked for, and the sizes that it works with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, TypedDict, final

SectionName = Literal[
    "gaussianity",
    "norm_law",
    "spectrum",
    "autocorrelation",
    "singular_values",
    "probes",
    "controls",
    "probe_agreement",
    "shared_accuracy",
    "neighbourhoods",
]


class ReportOptions(TypedDict, total=False):
    """Keyword arguments of `LatentDB.report`; see `latentdb.report.run.write_report`."""

    sections: Sequence[SectionName]
    seed: int
    limit: int
    quick: bool
    on_section: Callable[[SectionName], None] | None


@final
@dataclass(frozen=True)
class Plan:
    """Sizes of the studies.

    Parameters
    ----------
    limit : int
        Items of each space that are looked at, at most: those whose hash is lowest.
    projections : int
        Random projections, and at most so many dimensions, that are tested for normality.
    samples : int
        Items per test. With more of them every test fails in the end: pass rates of two databases
        compare only at the same number.
    twin_rows : int
        Rows of the Gaussian that a space is held against.
    controls : int
        Pictures that are encoded again for the leak controls, at most.
    matrices : int
        Noise codes whose channels are decomposed, at most.
    permutations : int
        Of the null of neighbourhoods.
    shared_dims : tuple of int
        Numbers of shared coordinates that probes are fitted on.
    max_attributes : int
        Attributes that are probed, at most: the first ones.
    """

    limit: int = 5_000
    projections: int = 5_000
    samples: int = 250
    twin_rows: int = 2_000
    controls: int = 1_500
    matrices: int = 2_000
    permutations: int = 39
    shared_dims: tuple[int, ...] = (2, 4, 8, 16, 32, 64, 128, 256)
    max_attributes: int = 40


QUICK = Plan(
    limit=1_000,
    projections=500,
    twin_rows=1_000,
    controls=300,
    matrices=300,
    permutations=19,
    shared_dims=(2, 8, 32),
)
