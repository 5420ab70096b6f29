"""Whether noise rows lie at the level that they claim: the last one of their grid."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypedDict, Unpack, final

import numpy as np

from latentdb.affine import Level
from latentdb.arrays import FloatArray, IdArray
from latentdb.catalog import Catalog
from latentdb.energy.measure import Progress, silent
from latentdb.errors import ModelError, NotEnoughDataError
from latentdb.filters import filter_ids
from latentdb.geometry.marginal_energy import EnergyCorpus, NoisePrior, marginal_energy, noise_level
from latentdb.model import Vectors

if TYPE_CHECKING:
    from latentdb.inverters.base import AbstractTrajectoryInverter

_BATCH: Final = 32
_MOST: Final = 2000
# A row is off where it lies outside what this share of fresh noise does.
_SHARE: Final = 0.99


class LevelOptions(TypedDict, total=False):
    """Keyword form of what `check_levels` takes besides the space."""

    where: str | None
    seed: int
    progress: Progress


@final
@dataclass(frozen=True, eq=False)
class LevelCheck:
    """Where the rows of a noise space lie; a flow time b/(a + b) of 1 is noise alone.

    Parameters
    ----------
    space : str
    claimed : float
        Flow time of the last level of the grid.
    ids : (n,) int64
        Rows that were checked, sorted.
    flow_times : (n,) float64
        Mean flow time of each under p(t|u) over the clean codes of the others.
    own : (n,) float64
        The same over its own clean code alone.
    fresh : (n,) float64
        `flow_times` of as many rows of fresh noise at the claimed level.
    """

    space: str
    claimed: float
    ids: IdArray
    flow_times: FloatArray
    own: FloatArray
    fresh: FloatArray

    @property
    def expected(self) -> tuple[float, float]:
        """Flow times between which 99 % of fresh noise lies."""
        tail = (1 - _SHARE) / 2
        low, high = np.quantile(self.fresh, [tail, 1 - tail])
        return float(low), float(high)

    @property
    def off(self) -> IdArray:
        """Rows outside that interval, the farthest first."""
        low, high = self.expected
        gap = np.maximum(low - self.flow_times, self.flow_times - high)
        order = np.argsort(-gap, kind="stable")
        found: IdArray = self.ids[order[: int((gap > 0).sum())]]
        return found

    def to_json(self) -> dict[str, Any]:
        """Plain dictionary, each row that is off with its flow time."""
        times = dict(zip(self.ids.tolist(), self.flow_times.tolist(), strict=True))
        return {
            "space": self.space,
            "claimed": self.claimed,
            "checked": len(self.ids),
            "expected": list(self.expected),
            "median": float(np.median(self.flow_times)),
            "median_of_fresh_noise": float(np.median(self.fresh)),
            "median_by_own_code": float(np.median(self.own)),
            "off": [{"id": one, "flow_time": times[one]} for one in self.off.tolist()],
        }


def check_levels(catalog: Catalog, space: str, **options: Unpack[LevelOptions]) -> LevelCheck:
    """The noise level of stored rows, by the clean codes of the space's pictures.

    p(t|u) over the levels of the space's grid is that of the marginal energy over the clean codes
    of the rows checked, each without its own: a row's own code is what its noise was made from, and
    inversion leaves the two correlated. Fresh noise a·x + b·ε at the claimed level, judged alike,
    says what to expect. Encodes the pictures once more, by the autoencoder alone.

    Parameters
    ----------
    catalog : Catalog
    space : str
        A noise space whose model can be loaded here.
    where : str, optional
        SQL condition; only rows that pass are checked. Of more than 2,000, as many are drawn.
    seed : int
        Of what is drawn; 0 by default.
    progress : callable
        Told how many more rows are done.

    Raises
    ------
    UnknownSpaceError, FilterError, ModelError
        No such space; the condition cannot be understood; the space's model does not invert along
        a grid of noise levels, or cannot be loaded.
    NotEnoughDataError
        Fewer than two rows.
    """
    # torch takes seconds to load, and whoever looks at embeddings needs none.
    from latentdb.inverters.base import AbstractTrajectoryInverter

    store, where, seed = catalog.store, options.get("where"), options.get("seed", 0)
    home, model = store.space(space), catalog.models.get(space)
    if not isinstance(model, AbstractTrajectoryInverter):
        raise ModelError(
            f"space {home.name!r} is not of noise at a level: its model does not invert pictures"
        )
    allowed = store.vector_ids(space) if where is None else filter_ids(store, where, space)
    if len(allowed) < 2:
        raise NotEnoughDataError(
            f"a level is told from the clean codes of other rows: at least 2, got {len(allowed)}"
        )
    rng = np.random.default_rng(seed)
    ids: IdArray = np.sort(rng.permutation(allowed)[:_MOST])
    codes = _codes(catalog, model, ids, options.get("progress", silent))
    noise, levels = store.vectors(space, ids), model.grid.levels
    last = levels[-1]
    fresh = last.signal * codes + last.sigma * rng.normal(size=codes.shape)
    return LevelCheck(
        space=space,
        claimed=last.flow_time,
        ids=ids,
        flow_times=_among_others(noise, codes, levels),
        own=noise_level(codes, noise, levels).flow_times,
        fresh=_among_others(fresh.astype(np.float32), codes, levels),
    )


def _codes(
    catalog: Catalog, model: AbstractTrajectoryInverter, ids: IdArray, progress: Progress
) -> Vectors:
    """Clean codes (n, dim) of the pictures of items."""
    parts = []
    for start in range(0, len(ids), _BATCH):
        some = ids[start : start + _BATCH].tolist()
        pixels = np.stack([model.transform.apply(catalog.picture(one)) for one in some])
        parts.append(model.encode(pixels))
        progress(len(some))
    return np.concatenate(parts)


def _among_others(rows: Vectors, codes: Vectors, levels: tuple[Level, ...]) -> FloatArray:
    """Mean flow time (n,) of rows under p(t|u) over the codes of the others."""
    prior = NoisePrior.of(tuple(level for level in levels if level.sigma > 0))
    found = marginal_energy(rows, EnergyCorpus(codes), prior, own_rows=np.arange(len(rows)))
    times: FloatArray = found.posterior @ prior.flow_times
    return times
