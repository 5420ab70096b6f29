"""SharedSpace: the estimate of what several spaces are views of, as an artefact."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from indexers.errors import ParameterError
from latentdb.arrays import FloatArray, RealArray, as_matrix
from latentdb.artefacts import Artefact, FittedOn, SpaceRef, load_artefact, save_artefact
from latentdb.errors import ArtefactError
from latentdb.space import Space

KIND = "shared_space"
SPEC = "shared"


@final
@dataclass(frozen=True, eq=False)
class SharedSpace:
    """Projections of several spaces onto their shared coordinates; see `latentdb.stitch.gcca`.

    Parameters
    ----------
    name : str
        What the space is called in the database.
    members : sequence of SpaceRef
        Spaces it was fitted on.
    weights : sequence of (dim, member_dim) float32
    means : sequence of (member_dim,) float64
    eigenvalues : (dim,) float64
        How much the members agree on each coordinate, at most their number.
    relative : float
        Strength, in units of the mean eigenvalue of each member.
    scores : mapping
        Per member, what `LinearMap.scores` of its projection hold, as JSON.
    fitted_on : FittedOn
    """

    name: str
    members: Sequence[SpaceRef]
    weights: Sequence[NDArray[np.float32]]
    means: Sequence[FloatArray]
    eigenvalues: FloatArray
    relative: float
    scores: Mapping[str, Any]
    fitted_on: FittedOn

    @property
    def dim(self) -> int:
        """Number of shared coordinates."""
        return len(self.eigenvalues)

    @property
    def space(self) -> Space:
        """The space that its vectors lie in; other projections are another space."""
        digest = hashlib.sha256()
        for weight, mean in zip(self.weights, self.means, strict=True):
            digest.update(np.ascontiguousarray(weight).tobytes())
            digest.update(np.ascontiguousarray(mean).tobytes())
        settings = {
            "method": "gcca",
            "members": ",".join(ref.fingerprint for ref in self.members),
            "projections": digest.hexdigest()[:16],
        }
        return Space(self.name, "shared", self.dim, f"{SPEC}:{self.name}", settings)

    def project(self, member: str, vectors: RealArray) -> FloatArray:
        """Shared coordinates (n, dim) float64 of vectors (n, member_dim) of space `member`.

        Raises
        ------
        ParameterError
            `member` is not one of the members.
        """
        names = [ref.name for ref in self.members]
        if member not in names:
            raise ParameterError(
                f"{self.name!r} is shared by {', '.join(names)}; got {member!r}: fit it with that "
                "space too"
            )
        at = names.index(member)
        rows = as_matrix(vectors, name=f"vectors of {member}", dim=self.members[at].dim)
        projected: FloatArray = (rows - self.means[at]) @ self.weights[at].T.astype(np.float64)
        return projected

    def to_json(self) -> dict[str, Any]:
        """What was fitted, and how well each member finds the others."""
        return {
            "name": self.name,
            "method": "gcca",
            "members": [dict(vars(ref)) for ref in self.members],
            "dim": self.dim,
            "relative": self.relative,
            "eigenvalues": self.eigenvalues.tolist(),
            "fitted_on": self.fitted_on.to_json(),
            "scores": dict(self.scores),
        }

    def save(self, path: Path) -> None:
        """Write to `path`, whole or not at all; ArtefactError when that cannot be."""
        arrays: dict[str, NDArray[Any]] = {"eigenvalues": self.eigenvalues}
        for i in range(len(self.members)):
            arrays |= {f"weight.{i}": self.weights[i], f"mean.{i}": self.means[i]}
        artefact = Artefact(
            kind=KIND,
            arrays=arrays,
            spaces={str(i): ref for i, ref in enumerate(self.members)},
            fitted_on=self.fitted_on,
            parameters={"name": self.name, "relative": self.relative},
            scores=self.scores,
        )
        save_artefact(path, artefact)

    @classmethod
    def load(cls, path: Path) -> SharedSpace:
        """Read what `save` wrote.

        Raises
        ------
        ArtefactError
            Torn, foreign, of another kind or of a newer format.
        """
        stored = load_artefact(path, kind=KIND)
        if stored.scores is None:
            raise ArtefactError(f"{path} is a shared space without scores: fit it again")
        count = range(len(stored.spaces))
        return cls(
            members=[stored.spaces[str(i)] for i in count],
            weights=[stored.arrays[f"weight.{i}"] for i in count],
            means=[stored.arrays[f"mean.{i}"] for i in count],
            eigenvalues=stored.arrays["eigenvalues"],
            scores=stored.scores,
            fitted_on=stored.fitted_on,
            **stored.parameters,
        )
