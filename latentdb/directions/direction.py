"""Direction: an attribute as a unit vector in one space, as an artefact with its scores."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar, final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from indexers.errors import ParameterError, ZeroVectorError
from latentdb.arrays import FloatArray, as_matrix
from latentdb.artefacts import Artefact, FittedOn, SpaceRef, load_artefact, save_artefact
from latentdb.directions.scores import ProbeScore
from latentdb.errors import NotEnoughDataError
from latentdb.geometry.norms import restore_norm
from latentdb.space import Space

Real = TypeVar("Real", bound=np.floating[Any])

KIND = "direction"
# A unit vector of which less than this remains lies in the span of the nuisances.
_VANISHED = 1e-6


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
        What fitted it: "logistic", "mean_difference" or "ids".
    label : str
        What it was fitted from, such as a label column.
    fitted_on : FittedOn
        Numbers of rows.
    scores : ProbeScore, optional
        On items that did not shape it; None where none were held out.
    orthogonal_to : tuple of str
        Names of the directions it was made orthogonal to.
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

    def orthogonalise(self, against: Sequence[Direction], *, vectors: ArrayLike) -> Direction:
        """The part of this direction that no direction of `against` explains.

        Offset and deviation are measured anew, since both belong to the vector: the boundary is
        put where it leaves the same share of `vectors` on the positive side. No held-out score
        is claimed for the result; `fit_direction` with `orthogonal_to` measures one.

        Parameters
        ----------
        against : sequence of Direction
            Nuisances of the same space, any number.
        vectors : (n, dim)
            Sample of the space, at least two rows.

        Raises
        ------
        SpaceMismatchError
            A nuisance lives in another space.
        ZeroVectorError
            Nothing remains: the direction lies in the span of the nuisances.
        """
        vector = orthogonal_part(self.vector, self.space_ref, against)
        share = float((self.project(vectors) <= 0).mean())
        along = np.asarray(vectors) @ vector
        return replace(
            self,
            vector=vector,
            offset=float(np.quantile(along, share)),
            std=spread(along, name=self.name),
            scores=None,
            orthogonal_to=(*self.orthogonal_to, *(other.name for other in against)),
        )

    def to_json(self) -> dict[str, Any]:
        """What a listing of directions shows."""
        return {
            "name": self.name,
            "space": dict(vars(self.space_ref)),
            **self._parameters(),
            "fitted_on": self.fitted_on.to_json(),
            "scores": None if self.scores is None else self.scores.to_json(),
        }

    def _parameters(self) -> dict[str, Any]:
        return {
            "method": self.method,
            "label": self.label,
            "offset": self.offset,
            "std": self.std,
            "orthogonal_to": list(self.orthogonal_to),
        }

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
                arrays={"vector": self.vector},
                spaces={"space": self.space_ref},
                fitted_on=self.fitted_on,
                parameters={"name": self.name, **self._parameters()},
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
        return cls(
            space_ref=stored.spaces["space"],
            vector=stored.arrays["vector"],
            fitted_on=stored.fitted_on,
            scores=None if stored.scores is None else ProbeScore.from_json(stored.scores),
            orthogonal_to=tuple(parameters.pop("orthogonal_to")),
            **parameters,
        )


def orthogonal_part(vector: FloatArray, home: SpaceRef, against: Sequence[Direction]) -> FloatArray:
    """Unit vector along (I − B(BᵀB)⁻¹Bᵀ)·vector, B the directions of `against` as columns.

    Jointly: taking them off one after the other would leave a part along the first, unless they
    are orthogonal to one another. Nuisances that depend on each other are allowed.

    Parameters
    ----------
    vector : (dim,)
        Of any non-zero norm. Not modified.
    home : SpaceRef
        Its space.
    against : sequence of Direction

    Raises
    ------
    SpaceMismatchError
        A nuisance lives in another space.
    ZeroVectorError
        Nothing remains.

    References
    ----------
    "The Universal Normal Embedding", 2026, arXiv 2603.21786 (for one nuisance).
    """
    for other in against:
        other.space_ref.require_ref(home, artefact=f"direction {other.name!r}")
    unit: FloatArray = vector / np.linalg.norm(vector)
    if not against:
        return unit
    basis, singular, _ = np.linalg.svd(
        np.stack([other.vector for other in against], axis=1), full_matrices=False
    )
    basis = basis[:, singular > _VANISHED * singular[0]]
    # Twice is enough: the second pass takes off what rounding left of the first.
    rest = unit - basis @ (basis.T @ unit)
    rest -= basis @ (basis.T @ rest)
    length = float(np.linalg.norm(rest))
    if length < _VANISHED:
        names = ", ".join(other.name for other in against)
        raise ZeroVectorError(
            f"nothing of the direction remains once {names} are taken off: it lies in their span"
        )
    part: FloatArray = rest / length
    return part


def spread(along: FloatArray, *, name: str) -> float:
    """Standard deviation of projections (n,), which a direction measures strength in.

    Raises
    ------
    NotEnoughDataError
        Fewer than two rows, or all the same.
    """
    std = float(along.std()) if len(along) > 1 else 0.0
    if not std > 0.0:
        raise NotEnoughDataError(
            f"direction {name!r}: {len(along)} rows do not spread along it, so a strength has no "
            "unit; bring more rows"
        )
    return std
