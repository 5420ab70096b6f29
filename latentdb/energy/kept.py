"""The energies of a space's rows as an artefact, with all that is needed to add later rows."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final, cast, final

import numpy as np

from latentdb.arrays import FloatArray, IdArray
from latentdb.artefact_shelf import ArtefactShelf, find_current
from latentdb.artefacts import Artefact, FittedOn, SpaceRef, load_artefact, save_artefact
from latentdb.energy.facts import EnergyFacts, Method, Schedule
from latentdb.held_out import hash_ids
from latentdb.model import Vectors
from latentdb.space import Space
from latentdb.store import Store

KIND: Final = "energy"
_QUANTILES: Final = (0.01, 0.05, 0.5, 0.95, 0.99)


@final
@dataclass(frozen=True, eq=False)
class EnergyScale:
    """Coordinates in which a space's energies are taken: x ↦ (x − centre)/deviation.

    One deviation for all coordinates, so that angles and the order of distances stay, and the unit
    noise of a schedule means the same in every space: as much as the rows themselves spread.

    Parameters
    ----------
    centre : (dim,) float64
        Mean of the rows.
    deviation : float
        Root mean square of all coordinates of all rows less the centre; above 0.
    schedule : "exploding" or "flow"
        Noise levels: a = 1 and b = σ from 0.01 to 10, or flow matching's a = 1 − t and b = t from
        t = 0.01 to 1; see `NoisePrior.exploding` and `NoisePrior.flow_matching`.
    """

    centre: FloatArray
    deviation: float
    schedule: Schedule = "exploding"

    def apply(self, vectors: Vectors) -> Vectors:
        """Scaled copies of vectors (n, dim) float32."""
        scaled = np.empty(vectors.shape, np.float32)
        np.subtract(vectors, self.centre, out=scaled, casting="unsafe")
        scaled /= self.deviation
        return scaled

    def invert(self, points: FloatArray) -> Vectors:
        """Points (n, dim) of the scaled coordinates, back in those of the space, float32."""
        vectors: Vectors = (points * self.deviation + self.centre).astype(np.float32)
        return vectors


@final
@dataclass(frozen=True, eq=False)
class SpaceEnergy:
    """Leave-one-out marginal energy of every row of a space, in nats per dimension.

    Parameters
    ----------
    space_ref : SpaceRef
        The space, and which vectors it held.
    ids : (n,) int64
        Rows of the corpus, sorted: each one's energy is over all others.
    energies : (n,) float64
        Of those rows.
    scale : EnergyScale
    method : "exact" or "neighbours"
        Summed over all rows, or over near ones with a bound on the others.
    tolerance, max_width : float
        Widest interval that was asked for, and that there is, in nats per dimension.
    is_certain : bool
        Whether the interval is proven: an index that is not exact may have missed neighbours.
    later_ids, later_energies : (m,)
        Rows that came later, sorted by id, over the whole corpus.
    created_at : str
        ISO 8601 in UTC; empty until it is read from a file.
    """

    space_ref: SpaceRef
    ids: IdArray
    energies: FloatArray
    scale: EnergyScale
    method: Method
    tolerance: float
    max_width: float
    is_certain: bool
    later_ids: IdArray = field(default_factory=lambda: np.empty(0, np.int64))
    later_energies: FloatArray = field(default_factory=lambda: np.empty(0))
    created_at: str = ""

    @property
    def mean(self) -> float:
        """Mean energy of the corpus."""
        return float(self.energies.mean())

    @property
    def std(self) -> float:
        """Standard deviation of the corpus' energies."""
        return float(self.energies.std())

    def z(self, energies: FloatArray) -> FloatArray:
        """Energies (m,) in standard deviations above the corpus' mean; 0 where all are equal."""
        spread = self.std
        return (energies - self.mean) / spread if spread > 0 else np.zeros(len(energies))

    def rows(self) -> tuple[IdArray, FloatArray]:
        """Every row measured, those that came later too: ids, sorted, and energies."""
        ids = np.concatenate([self.ids, self.later_ids])
        order = np.argsort(ids)
        return ids[order], np.concatenate([self.energies, self.later_energies])[order]

    def with_later(self, ids: IdArray, energies: FloatArray) -> SpaceEnergy:
        """The same with more rows (m,) that were measured over its corpus."""
        everything = np.concatenate([self.later_ids, ids])
        order = np.argsort(everything)
        values = np.concatenate([self.later_energies, energies])
        return replace(self, later_ids=everything[order], later_energies=values[order])

    @property
    def facts(self) -> EnergyFacts:
        """All but the rows."""
        shares = np.quantile(self.energies, _QUANTILES)
        return EnergyFacts(
            space_ref=self.space_ref,
            rows=len(self.ids),
            later_rows=len(self.later_ids),
            mean=self.mean,
            std=self.std,
            quantiles={
                f"{share:g}": float(value) for share, value in zip(_QUANTILES, shares, strict=True)
            },
            schedule=self.scale.schedule,
            deviation=self.scale.deviation,
            method=self.method,
            tolerance=self.tolerance,
            max_width=self.max_width,
            is_certain=self.is_certain,
            created_at=self.created_at,
        )

    def to_json(self) -> dict[str, Any]:
        """What a listing shows."""
        return self.facts.to_json()

    def save(self, path: Path) -> None:
        """Write to `path`, whole or not at all.

        Raises
        ------
        ArtefactError
            The folder cannot be written to.
        """
        save_artefact(
            path,
            Artefact(
                kind=KIND,
                arrays={
                    "ids": self.ids,
                    "energies": self.energies,
                    "later_ids": self.later_ids,
                    "later_energies": self.later_energies,
                    "centre": self.scale.centre,
                },
                spaces={"space": self.space_ref},
                fitted_on=FittedOn(len(self.ids), 0, hash_ids(self.ids), 0),
                parameters=self.facts.parameters,
            ),
        )

    @classmethod
    def load(cls, path: Path) -> SpaceEnergy:
        """Read what `save` wrote.

        Raises
        ------
        ArtefactError
            No such file, torn, or not energies.
        """
        read = load_artefact(path, kind=KIND)
        said = read.parameters
        return cls(
            space_ref=read.spaces["space"],
            ids=read.arrays["ids"],
            energies=read.arrays["energies"],
            scale=EnergyScale(read.arrays["centre"], said["deviation"], said["schedule"]),
            method=cast(Method, said["method"]),
            tolerance=said["tolerance"],
            max_width=said["max_width"],
            is_certain=said["is_certain"],
            later_ids=read.arrays["later_ids"],
            later_energies=read.arrays["later_energies"],
            created_at=read.created_at,
        )


@final
class EnergyShelf:
    """The energies that a database keeps, one artefact per space.

    They lie in a folder of their own among what is fitted on a space alone, and go with the
    space when that is dropped.

    Parameters
    ----------
    store : Store
    """

    def __init__(self, store: Store) -> None:
        self._shelf = ArtefactShelf(store, "priors", SpaceEnergy.load, below="energy")

    def find(self, space: Space) -> SpaceEnergy | None:
        """The energies of the vectors that `space` holds now, where they were measured."""
        return find_current(self._shelf, space.name, space)

    def put(self, energy: SpaceEnergy) -> None:
        """Keep the energies of a space, in place of earlier ones."""
        self._shelf.keep(energy.space_ref.name, energy)
