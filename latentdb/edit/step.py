"""What an edit adds to noise: directions by strength, and what one picture has over another."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, final

import numpy as np

from indexers.errors import ParameterError
from indexers.types import FloatArray
from latentdb.artefacts import SpaceRef
from latentdb.catalog import Catalog
from latentdb.directions.direction import Direction
from latentdb.directions.orthogonal import Nuisances, orthogonal_part
from latentdb.directions.pair import PairMethod, pair_direction
from latentdb.directions.pair_svd import Shift, require_trajectory, svd_pair_shift
from latentdb.errors import QueryError, SpaceMismatchError
from latentdb.geometry import restore_norm
from latentdb.model import Vectors
from latentdb.paths.common import choose_space, norms_of, restored
from latentdb.space import Space

NormRule = Literal["own", "chi", "fitted", "none"]


@final
@dataclass(frozen=True)
class Pair:
    """What item `end` has and item `start` has not, as a part of an edit.

    Parameters
    ----------
    start, end : int
    method : "difference" or "svd"
        Of the noises; or in leading singular vectors midway between noise and picture, where it
        is also added. See `latentdb.directions.pair_svd`.
    strength : float
        1 adds all of it.
    """

    start: int
    end: int
    method: PairMethod = "svd"
    strength: float = 1.0


@final
@dataclass(frozen=True)
class StepFacts:
    """What was asked of a step: all but its vectors.

    Parameters
    ----------
    space, strengths, pair, remaining, norm
        Those of `Step`.
    keep : tuple of str
        Names of the directions that it has no part along.
    digest : str
        16 hex digits over the vectors, which tell two steps of the same names apart.
    """

    space: Space
    strengths: Mapping[str, float]
    pair: Pair | None
    keep: tuple[str, ...]
    remaining: float
    norm: NormRule
    digest: str

    def to_json(self) -> dict[str, Any]:
        """The step as an edit names it."""
        return {
            "space": self.space.name,
            "directions": dict(self.strengths),
            "pair": None if self.pair is None else dict(vars(self.pair)),
            "keep": list(self.keep),
            "remaining": self.remaining,
            "norm": self.norm,
            "digest": self.digest,
        }


@final
@dataclass(frozen=True, eq=False)
class Step:
    """One move in noise space.

    Parameters
    ----------
    space : Space
        A noise space.
    vector : (dim,) float64
        What is added to noise.
    shift : Shift or None
        What is added midway, from a pair by "svd".
    strengths : mapping of str to float
        Of each direction, in its standard deviations.
    pair : Pair or None
    kept : Nuisances
        Directions that it has no part along.
    remaining : float
        Cosine of what is added to noise with what would be, were nothing kept: near 0, what is
        to stay lies along what is to change, and the step leads elsewhere.
    norm : "own", "chi", "fitted" or "none"
        What norm a moved vector is given: its own from before, the likeliest of white noise, the
        mean of the space's stored vectors, or that which comes out.
    """

    space: Space
    vector: FloatArray
    shift: Shift | None
    strengths: Mapping[str, float]
    pair: Pair | None
    kept: Nuisances
    remaining: float
    norm: NormRule

    def apply(self, catalog: Catalog, vectors: Vectors, times: FloatArray) -> Vectors:
        """Noise (n, dim) moved by `times` (n,) the step, and given its norm.

        Raises
        ------
        ZeroVectorError
            A vector was moved to the origin, where no norm can be given.
        """
        exact = vectors.astype(np.float64)
        moved = exact + times[:, None] * self.vector
        if self.shift is not None:
            model = require_trajectory(catalog.models.get(self.space.name))
            shifted = self.shift.apply(model, vectors, times)
            moved += np.stack([_without(row, self.space, self.kept) for row in shifted - exact])
        if self.norm == "own":
            moved = restore_norm(moved, norms_of(vectors))
        else:
            moved = restored(catalog.indexes, self.space, self.norm, moved)
        return moved.astype(np.float32)

    @property
    def facts(self) -> StepFacts:
        """What was asked for."""
        return StepFacts(
            space=self.space,
            strengths=self.strengths,
            pair=self.pair,
            keep=self.kept.names,
            remaining=self.remaining,
            norm=self.norm,
            digest=self._digest(),
        )

    def _digest(self) -> str:
        added = [self.vector] if self.shift is None else [self.vector, self.shift.vector]
        kept = [one.vector for one in self.kept.directions]
        exact = np.concatenate([*added, *kept]).astype(np.float32)
        return hashlib.sha256(exact.tobytes()).hexdigest()[:16]


def make_step(
    catalog: Catalog,
    directions: Mapping[str, float],
    *,
    space: str | None = None,
    pair: Pair | None = None,
    keep: Sequence[str] = (),
    norm: NormRule = "own",
) -> Step:
    """The move that named directions and a pair make up.

    Parameters
    ----------
    catalog : Catalog
    directions : mapping of name to strength
        In standard deviations; negative takes the attribute away.
    space : str
        The noise space; the database's only one where not given.
    pair : Pair
    keep : sequence of str
        Directions that are to stay as they are: each part of the move is turned until it is at
        right angles to them all, its length kept.
    norm
        See `Step`.

    Raises
    ------
    QueryError
        Nothing is to change, or the space has no decoder.
    UnknownSpaceError, UnknownDirectionError, UnknownItemError
        It names something that is not in the database.
    SpaceMismatchError
        A direction lives in another space; the text says how to carry it over.
    ParameterError
        A strength is not finite.
    ZeroVectorError
        A direction lies in the span of those to keep, or the pair's vectors are the same.
    """
    home = choose_space(catalog, space)
    if home.kind != "noise":
        raise QueryError(
            f"space {home.name!r} has no decoder: its vectors describe pictures and make none; "
            "name a noise space with --space"
        )
    if not directions and pair is None:
        raise QueryError("nothing is to change: give a direction with its strength, or a pair")
    kept = Nuisances(tuple(_at_home(catalog, name, home) for name in keep), "vectors")
    vector, free = np.zeros((2, home.dim))
    for name, strength in directions.items():
        _require_finite(name, strength)
        one = _at_home(catalog, name, home)
        free += strength * one.std * one.vector
        vector += strength * _without(one.std * one.vector, home, kept)
    shift = None
    if pair is not None:
        _require_finite("the pair", pair.strength)
        whole = pair_direction(catalog, home, pair.start, pair.end)
        if pair.method == "svd":
            shift = _midway(catalog, home, pair)
        else:
            free += pair.strength * whole
            vector += pair.strength * _without(whole, home, kept)
    remaining = _cosine(vector, free) if kept.directions else 1.0
    return Step(home, vector, shift, dict(directions), pair, kept, remaining, norm)


def _midway(catalog: Catalog, home: Space, pair: Pair) -> Shift:
    """The pair's shift by singular vectors, as strong as asked for."""
    model = require_trajectory(catalog.models.get(home.name))
    whole = svd_pair_shift(model, *catalog.store.vectors(home.name, [pair.start, pair.end]))
    return Shift(whole.level, pair.strength * whole.vector)


def _at_home(catalog: Catalog, name: str, home: Space) -> Direction:
    """The direction of that name in the space where pictures are made."""
    elsewhere = [one.space for one in catalog.directions.all() if one.name == name]
    if elsewhere and home.name not in elsewhere:
        raise SpaceMismatchError(
            f"direction {name!r} lives in {', '.join(elsewhere)}, and pictures are made in "
            f"{home.name}: carry it there with latentdb direction DB {name} --space {home.name} "
            f"--carry-from {elsewhere[0]}, or fit it there with --label"
        )
    found = catalog.direction(name, home.name)
    found.require_space(home)
    return found


def _without(vector: FloatArray, home: Space, kept: Nuisances) -> FloatArray:
    """The vector turned until it has no part along what is kept, as long as before."""
    if not vector.any() or not kept.directions:
        return vector
    unit = orthogonal_part(
        vector, SpaceRef.of(home), kept, sample=np.empty((0, home.dim)), is_reading=False
    )
    turned: FloatArray = np.linalg.norm(vector) * unit
    return turned


def _cosine(one: FloatArray, other: FloatArray) -> float:
    """1 where either is zero: nothing was turned."""
    lengths = float(np.linalg.norm(one) * np.linalg.norm(other))
    return float(one @ other) / lengths if lengths > 0 else 1.0


def _require_finite(what: str, strength: float) -> None:
    if not np.isfinite(strength):
        raise ParameterError(f"the strength of {what} is a finite number, got {strength}")
