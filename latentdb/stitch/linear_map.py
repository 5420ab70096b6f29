"""LinearMap: from one space into another, as an artefact with its scores."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, TypeVar, final

import numpy as np
from numpy.typing import NDArray

from latentdb.arrays import FloatArray, as_matrix
from latentdb.artefacts import Artefact, FittedOn, SpaceRef, load_artefact, save_artefact
from latentdb.errors import ArtefactError
from latentdb.geometry.norms import restore_norm as with_norm
from latentdb.space import Space
from latentdb.stitch.evaluate import MapScores, restore_spread
from latentdb.stitch.map_facts import MapFacts

Real = TypeVar("Real", bound=np.floating[Any])

KIND = "linear_map"


@final
@dataclass(frozen=True, eq=False)
class LinearMap:
    """y ≈ target_mean + weight · (x − source_mean), between two fingerprints.

    Parameters
    ----------
    source_ref, target_ref : SpaceRef
        Spaces it leads from and to.
    weight : (target_dim, source_dim) float32
    source_mean : (source_dim,) float64
    target_mean : (target_dim,) float64
    method : str
        What fitted it, such as "ridge".
    regularisation : float
        Strength, in the method's own unit (λ of ridge).
    target_norm, target_spread : float
        Mean norm of the targets fitted on, and mean distance from their mean. Regularised
        predictions fall short of both: they are conditional means.
    scores : MapScores
        On items that did not shape the map.
    fitted_on : FittedOn
        Those items' number, and the rest's.
    rank : int, optional
        Of `weight`, where the method chose one.
    """

    source_ref: SpaceRef
    target_ref: SpaceRef
    weight: NDArray[np.float32]
    source_mean: FloatArray
    target_mean: FloatArray
    method: str
    regularisation: float
    target_norm: float
    target_spread: float
    scores: MapScores
    fitted_on: FittedOn
    rank: int | None = None

    @property
    def source(self) -> str:
        """Name of the space it leads from, at the time it was fitted."""
        return self.source_ref.name

    @property
    def target(self) -> str:
        """Name of the space it leads to, at the time it was fitted."""
        return self.target_ref.name

    def transform(self, vectors: NDArray[Real], *, restore_norm: bool = False) -> NDArray[Real]:
        """Vectors (n, source_dim) of the source space, in the target space.

        Parameters
        ----------
        vectors : (n, source_dim)
            Not modified. Ask `require_source` first whether they are of the right space.
        restore_norm : bool
            Move every answer out from the mean to `target_spread`, then scale it to
            `target_norm`, as the recall in `scores` was measured. Searching and decoding need
            it; without it the answers are the predictions that R² was measured on.

        Returns
        -------
        (n, target_dim)
            Dtype of `vectors`.

        Raises
        ------
        DimensionError, DtypeError, NonFiniteError
            Not finite vectors of the source space's dimension.
        ZeroVectorError
            A prediction of norm zero was to be restored.
        """
        rows = as_matrix(vectors, name=f"map {self.source} → {self.target}", dim=self._source_dim)
        centred = rows.astype(np.float64) - self.source_mean
        mapped = centred @ self.weight.T.astype(np.float64) + self.target_mean
        if restore_norm:
            mapped = restore_spread(mapped, mean=self.target_mean, spread=self.target_spread)
            mapped = with_norm(mapped, self.target_norm)
        answer: NDArray[Real] = mapped.astype(vectors.dtype)
        return answer

    @property
    def _source_dim(self) -> int:
        return self.source_ref.dim

    def require_source(self, space: Space) -> None:
        """Raise SpaceMismatchError unless `space` holds the vectors this map was fitted from."""
        self._require(self.source_ref, space)

    def require_target(self, space: Space) -> None:
        """Raise SpaceMismatchError unless `space` holds the vectors this map was fitted to."""
        self._require(self.target_ref, space)

    def _require(self, ref: SpaceRef, space: Space) -> None:
        ref.require(
            space,
            artefact=f"the map {self.source} → {self.target}",
            refit=f"latentdb stitch DB --from {self.source} --to {self.target}",
        )

    @property
    def facts(self) -> MapFacts:
        """All but the arrays."""
        return MapFacts(**{one.name: getattr(self, one.name) for one in fields(MapFacts)})

    def to_json(self) -> dict[str, Any]:
        """What a listing of maps shows."""
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
                    "weight": self.weight,
                    "source_mean": self.source_mean,
                    "target_mean": self.target_mean,
                },
                spaces={"source": self.source_ref, "target": self.target_ref},
                fitted_on=self.fitted_on,
                parameters=self.facts.parameters,
                scores=self.scores.to_json(),
            ),
        )

    @classmethod
    def load(cls, path: Path) -> LinearMap:
        """Read what `save` wrote.

        Raises
        ------
        ArtefactError
            Torn, foreign, of another kind or of a newer format.
        """
        stored = load_artefact(path, kind=KIND)
        if stored.scores is None:
            raise ArtefactError(f"{path} is a map without scores: fit it again")
        return cls(
            source_ref=stored.spaces["source"],
            target_ref=stored.spaces["target"],
            weight=stored.arrays["weight"],
            source_mean=stored.arrays["source_mean"],
            target_mean=stored.arrays["target_mean"],
            scores=MapScores.from_json(stored.scores),
            fitted_on=stored.fitted_on,
            **stored.parameters,
        )
