"""The middle of several stored items, named one by one or by what is known of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, TypedDict, final

import numpy as np

from indexers.types import FloatArray, IdArray, PriorName
from latentdb.catalog import Catalog
from latentdb.errors import QueryError
from latentdb.filters import filter_ids
from latentdb.geometry import centroid
from latentdb.geometry.centroid import CentroidMethod
from latentdb.model import Vectors
from latentdb.paths.common import chi_z, choose_prior, choose_space, nao_metric, norms_of
from latentdb.query import Query
from latentdb.search import run_search
from latentdb.space import Space
from latentdb.store import Store
from latentdb.types import Answer

# Vectors are worked on in float64: so many bytes of them at once, and so many for the methods
# that pass over them again and again.
MOST_BYTES = 4 << 30
MOST_BYTES_ITERATED = 512 << 20


class CentroidOptions(TypedDict, total=False):
    """Keyword arguments of `LatentDB.centroid`; see `centroid_of_items`."""

    where: str | None
    space: str | None
    method: CentroidMethod | None
    prior: PriorName | None
    weights: Sequence[float] | None
    correlated: bool | None
    k: int


@final
@dataclass(frozen=True, eq=False)
class Centroid:
    """The middle of several stored items, and the items nearest to it.

    Attributes
    ----------
    space : Space
    method : "nao", "lol", "karcher" or "mean"
    prior : "chi", "fitted" or "none"
    correlated : bool or None
        Whether `lol` took its members for correlated; None of other methods.
    where : str or None
        The condition that chose the members.
    member_ids : (n,) int64
    member_distances : (n,) float64
        NAO distance of each from the centroid, under the prior.
    vector : (dim,) float32
    norm : float
        Euclidean.
    norm_z : float or None
        How many standard deviations the norm lies off that of white noise; None in an encoder's
        space.
    nearest : Answer
        Stored items nearest to it. Members named by id are left out, as a search leaves out the
        item that it is asked by; those that `where` chose may be among them.
    """

    space: Space
    method: CentroidMethod
    prior: PriorName
    correlated: bool | None
    where: str | None
    member_ids: IdArray
    member_distances: FloatArray
    vector: Vectors
    norm: float
    norm_z: float | None
    nearest: Answer

    def to_json(self) -> dict[str, Any]:
        """The centroid without its vector, as the command prints it."""
        members = set(self.member_ids.tolist())
        return {
            "space": self.space.name,
            "method": self.method,
            "prior": self.prior,
            "correlated": self.correlated,
            "where": self.where,
            "norm": self.norm,
            "norm_z": self.norm_z,
            "mean_distance": float(self.member_distances.mean()),
            "members": self.member_ids.tolist(),
            "metric": self.nearest.metric,
            "exact": self.nearest.exact,
            "hits": [{**hit.to_json(), "member": hit.id in members} for hit in self.nearest.hits],
        }


def centroid_of_items(  # noqa: PLR0913 - those of LatentDB.centroid, and the database
    catalog: Catalog,
    ids: Sequence[int] | None = None,
    *,
    where: str | None = None,
    space: str | None = None,
    method: CentroidMethod | None = None,
    prior: PriorName | None = None,
    weights: Sequence[float] | None = None,
    correlated: bool | None = None,
    k: int = 10,
) -> Centroid:
    """The middle of the items `ids`, or of those that `where` chooses.

    Parameters
    ----------
    catalog : Catalog
    ids : sequence of int
        Different items with a vector in the space.
    where : str
        SQL condition on labels and quality, in place of `ids`.
    space : str
        The database's only noise space where not given.
    method : "nao", "lol", "karcher" or "mean"
        Where not given, `nao` in a noise space and `karcher` in an encoder's, whose norms follow
        no law of noise.
    prior : "chi", "fitted" or "none"
        Law of the norm, for the distances and the centroid of `nao`. Where not given, "chi" in a
        noise space and "none" in an encoder's, where distances are then angles.
    weights : sequence of float
        One for each of `ids`, not negative; alike where not given.
    correlated : bool
        Of `lol`: divide by the length that the members' own Gram matrix gives their sum, not by
        the one that it has of independent noise. Where not given, true in a noise space: inverted
        pictures share what pictures have in common, and what they share adds up: taken for
        independent, 275 drawn faces with hats had a norm 25 deviations off. Of independent noise
        the two differ by less than norms do; in an encoder's space neither is a law.
    k : int
        Number of nearest items to find.

    Raises
    ------
    UnknownItemError, UnknownSpaceError
        An item or space is not there, or an item has no vector in it.
    QueryError, FilterError
        Not exactly one of `ids` and `where`; no member, one named twice, or more than the method
        can take; weights without ids; `correlated` without `lol`.
    CutLocusError, ParameterError, MetricError, ZeroVectorError
        There is no such centroid; see `latentdb.geometry.centroid`.
    """
    home = choose_space(catalog, space)
    chosen: CentroidMethod = method or ("nao" if home.kind == "noise" else "karcher")
    members = _members(catalog.store, home, ids, where)
    if weights is not None and ids is None:
        raise QueryError("weights belong to items named by id, in their order; name the ids")
    _require_room(len(members), home, chosen)
    is_correlated = _correlation(home, chosen, correlated)
    vectors = catalog.store.vectors(home.name, members)
    law = choose_prior(home, prior)
    metric = nao_metric(catalog.indexes, home, law)
    middle: Vectors = centroid(
        vectors,
        weights=weights,
        method=chosen,
        prior=metric.prior if chosen == "nao" else None,
        is_correlated=bool(is_correlated),
    )
    norms = norms_of(middle[None])
    norm_z = chi_z(home, norms)
    return Centroid(
        space=home,
        method=chosen,
        prior=law,
        correlated=is_correlated,
        where=where,
        member_ids=members,
        member_distances=metric.rows(middle, vectors),
        vector=middle,
        norm=float(norms[0]),
        norm_z=None if norm_z is None else float(norm_z[0]),
        nearest=_nearest(catalog, home, middle, members if where is None else None, (law, k)),
    )


def _members(store: Store, space: Space, ids: Sequence[int] | None, where: str | None) -> IdArray:
    """Ids of the members: as they were named, or those that pass the filter."""
    if (ids is None) == (where is None):
        raise QueryError(
            "a centroid is of items named by id or of those that --where chooses: give one of the "
            f"two, got {'both' if where is not None else 'neither'}"
        )
    if where is not None:
        found: IdArray = filter_ids(store, where, space.name)
        if not len(found):
            raise QueryError(f"no item with a vector in space {space.name!r} passes {where!r}")
        return found
    named = list(ids or ())
    if not named:
        raise QueryError("a centroid is of at least one item, got none; name ids, or --where")
    if twice := [one for one, count in Counter(named).items() if count > 1]:
        raise QueryError(f"item {twice[0]} is named more than once; name it once")
    return np.array([item.id for item in store.items(named)], dtype=np.int64)


def _correlation(space: Space, method: CentroidMethod, asked: bool | None) -> bool | None:
    """Whether the members count as correlated; None of methods that do not ask."""
    if method == "lol":
        return space.kind == "noise" if asked is None else asked
    if asked is not None:
        raise QueryError(
            f"whether members are correlated is of method 'lol' alone, got it with {method!r}: "
            "leave it out"
        )
    return None


def _require_room(count: int, space: Space, method: CentroidMethod) -> None:
    """Refuse more members than a method can work on in memory and in a reasonable time."""
    most_bytes = MOST_BYTES_ITERATED if method in ("nao", "karcher") else MOST_BYTES
    most = most_bytes // (8 * space.dim)
    if count > most:
        raise QueryError(
            f"{count} members are more than method {method!r} takes in space {space.name!r}, "
            f"{most} of dimension {space.dim}: narrow the filter, or ask for --method mean"
        )


def _nearest(
    catalog: Catalog,
    space: Space,
    middle: Vectors,
    left_out: IdArray | None,
    asked: tuple[PriorName, int],
) -> Answer:
    """The nearest items to the centroid but those left out."""
    prior, k = asked
    extra = 0 if left_out is None else len(left_out)
    is_noise = space.kind == "noise"
    answer = run_search(
        catalog,
        Query(
            vector=middle,
            space=space.name,
            metric="nao" if is_noise else None,
            prior=prior if is_noise else None,
            k=k + extra,
        ),
    )
    hidden = set() if left_out is None else set(left_out.tolist())
    hits = [hit for hit in answer.hits if hit.id not in hidden][:k]
    return replace(answer, hits=hits)
