"""Direction: an attribute as a unit vector in one space, as an artefact with its scores."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, TypeVar, final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from indexers.errors import ParameterError
from latentdb.arrays import FloatArray, as_matrix
from latentdb.artefacts import Artefact, FittedOn, SpaceRef, load_artefact, save_artefact
from latentdb.directions.cost import OrthogonalityCost
from latentdb.directions.facts import DirectionFacts
from latentdb.directions.scores import ProbeScore
from latentdb.geometry.norms import restore_norm
from latentdb.space import Space

Real = TypeVar("Real", bound=np.floating[Any])

KIND = "direction"


@final
@dataclass(frozen=True, eq=False)
class Direction:
    """One attribute: positive on the far side of a hyperplane.

    Parameters
    ----------
    name : str
        Such as "smile".
    space_ref : SpaceRef
        Space it lives in.
    vector : (dim,) float64
        Unit length.
    offset : float
        Where the boundary cuts the direction: x lies on it when x·vector = offset.
    std : float
        Standard deviation of x·vector over the training rows: the unit of strength.
    method : str
        What made it: "logistic", "lda" or "mean_difference" of a label, "ids", "pair_difference",
        "pair_svd", "text", "carried_movement" or "carried_reading".
    label : str
        What it was fitted from: a label column, or the items, texts or direction in words.
    fitted_on : FittedOn
        Numbers of rows.
    scores : ProbeScore, optional
        On items that did not shape it; None where none were held out.
    orthogonal_to : tuple of str
        Names of the directions it was made orthogonal to.
    boundary : str, optional
        Where `offset` was put: "fitted" with the vector, at the "midpoint" of two means, at the
        "median" of the space, or so that the "share" of positives stayed. None of one that an
        earlier version wrote.
    score_label : str, optional
        Label column of `scores` where `label` is none.
    cost : OrthogonalityCost, optional
        Of one with `orthogonal_to`.
    recipe : mapping, optional
        Arguments of `latentdb.learn.learn_direction` that make it again.
    """

    name: str
    space_ref: SpaceRef
    vector: FloatArray
    offset: float
    std: float
    method: str
    label: str
    fitted_on: FittedOn
    scores: ProbeScore | None = None
    orthogonal_to: tuple[str, ...] = ()
    boundary: str | None = None
    score_label: str | None = None
    cost: OrthogonalityCost | None = None
    recipe: Mapping[str, Any] | None = None

    @property
    def is_reading(self) -> bool:
        """Whether the vector is what is summed over an item, not what is added to one."""
        return self.facts.is_reading

    @property
    def column(self) -> str | None:
        """Label column that says which items have the attribute; None where none is known."""
        return self.facts.column

    @property
    def space(self) -> str:
        """Name of its space, at the time it was fitted."""
        return self.space_ref.name

    def require_space(self, space: Space) -> None:
        """Raise SpaceMismatchError unless `space` holds the vectors this was fitted on."""
        self.space_ref.require(
            space,
            artefact=f"direction {self.name!r}",
            refit=f"latentdb direction DB {self.name} --space {space.name} --label COLUMN",
        )

    def project(self, vectors: ArrayLike) -> FloatArray:
        """Signed distance (n,) to the boundary, in standard deviations; positive has it.

        Raises
        ------
        DimensionError, DtypeError, NonFiniteError
            Not finite vectors (n, dim) of the space's dimension.
        """
        rows = as_matrix(vectors, name=f"direction {self.name!r}", dim=self.space_ref.dim)
        distance: FloatArray = (rows @ self.vector - self.offset) / self.std
        return distance

    def move(
        self, vectors: NDArray[Real], strength: float, *, keep_norm: bool = True
    ) -> NDArray[Real]:
        """Vectors moved `strength` standard deviations towards the attribute.

        Parameters
        ----------
        vectors : (n, dim)
            Not modified.
        strength : float
            In standard deviations; negative takes the attribute away.
        keep_norm : bool
            Scale every row back to the norm it had: a generator has seen no other. Strictly, the
            step along the direction is then a little shorter.

        Returns
        -------
        (n, dim)
            Dtype of `vectors`.

        Raises
        ------
        DimensionError, DtypeError, NonFiniteError
            Not finite vectors of the space's dimension.
        ParameterError
            `strength` is not finite.
        ZeroVectorError
            A row was moved to the origin, where no norm can be restored.
        """
        rows = as_matrix(vectors, name=f"direction {self.name!r}", dim=self.space_ref.dim)
        if not np.isfinite(strength):
            raise ParameterError(f"a strength is a finite number of deviations, got {strength}")
        exact = rows.astype(np.float64)
        moved = exact + strength * self.std * self.vector
        if keep_norm:
            moved = restore_norm(moved, np.linalg.norm(exact, axis=1))
        answer: NDArray[Real] = moved.astype(vectors.dtype)
        return answer

    @property
    def facts(self) -> DirectionFacts:
        """All but the vector."""
        return DirectionFacts(
            **{one.name: getattr(self, one.name) for one in fields(DirectionFacts)}
        )

    def to_json(self) -> dict[str, Any]:
        """What a listing of directions shows."""
        return self.facts.to_json()

    def save(self, path: Path) -> None:
        """Write to `path`, whole or not at all.

        Raises
        ------
        ArtefactError
            The folder cannot be written to.
        """
        known = {key: value for key, value in self.facts.parameters.items() if value is not None}
        save_artefact(
            path,
            Artefact(
                kind=KIND,
                arrays={"vector": self.vector},
                spaces={"space": self.space_ref},
                fitted_on=self.fitted_on,
                parameters={"name": self.name, **known},
                scores=None if self.scores is None else self.scores.to_json(),
            ),
        )

    @classmethod
    def load(cls, path: Path) -> Direction:
        """Read what `save` wrote.

        Raises
        ------
        ArtefactError
            Torn, foreign, of another kind or of a newer format.
        """
        stored = load_artefact(path, kind=KIND)
        parameters = dict(stored.parameters)
        cost = parameters.pop("cost", None)
        return cls(
            space_ref=stored.spaces["space"],
            vector=stored.arrays["vector"],
            fitted_on=stored.fitted_on,
            scores=None if stored.scores is None else ProbeScore.from_json(stored.scores),
            orthogonal_to=tuple(parameters.pop("orthogonal_to")),
            cost=None if cost is None else OrthogonalityCost.from_json(cost),
            **parameters,
        )
