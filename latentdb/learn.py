"""What is fitted on a database's vectors and kept in it: maps, shared spaces, directions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Unpack

from latentdb.catalog import Catalog
from latentdb.cluster.choice import uses_ray
from latentdb.cluster.sums import adder
from latentdb.directions.direction import Direction
from latentdb.directions.make import make_direction
from latentdb.directions.recipe import Recipe, RecipeParts
from latentdb.errors import QueryError
from latentdb.shared_space import SharedSpace
from latentdb.shared_space_fit import ShareOptions, share_spaces
from latentdb.stitch.from_store import add_stored_pairs, stitch_spaces
from latentdb.stitch.linear_map import LinearMap
from latentdb.stitch.options import StitchOptions


def learn_map(
    catalog: Catalog,
    source: str,
    target: str,
    **options: Unpack[StitchOptions],
) -> LinearMap:
    """Fit the map from space `source` to space `target`, and keep it with its source's profile.

    An update that brought few new items keeps the profile that is there.

    Parameters
    ----------
    catalog : Catalog
    source, target, method, seed, update
        See `latentdb.stitch.from_store.stitch_spaces`.
    force : bool
        Keep the map though it does not beat its null.
    engine, address
        "ray" has the workers of a cluster sum over the items; see `latentdb.intake.take_in`.

    Raises
    ------
    WorthlessMapError
        It does not beat its null, and `force` is false: nothing is kept.
    UnknownSpaceError, QueryError, NotEnoughDataError
        See `stitch_spaces`.
    ClusterError
        There is no cluster, or its workers do not find the database.
    """
    seed, update = options.get("seed", 0), options.get("update", False)
    address = options.get("address")
    is_over_ray = uses_ray(options.get("engine", "local"), address)
    catalog.store.location.require_writable()
    space, before = catalog.store.space(source), catalog.maps.find(source, target)
    fitted = stitch_spaces(
        catalog.store,
        source,
        target,
        method=options.get("method", "ridge"),
        seed=seed,
        update=update,
        add_pairs=adder(address) if is_over_ray else add_stored_pairs,
    )
    if not options.get("force", False):
        fitted.scores.require_beats_null(f"{source} → {target}")
    catalog.maps.put(source, target, fitted)
    is_recent = before is not None and _step(before) == _step(fitted)
    if not (update and is_recent and catalog.profiles.has(space, seed=seed)):
        catalog.profiles.fit(space, seed=seed)
    return fitted


def _step(fitted: LinearMap) -> int:
    """How often 1 grows by a tenth up to the pairs of a map.

    A profile is fitted anew at every such step: after many small updates as after a large one, it
    is of at least nine tenths of the items.
    """
    facts = fitted.fitted_on
    return int(math.log(facts.n_train + facts.n_held_out, 1.1))


def learn_shared(
    catalog: Catalog, members: Sequence[str], **options: Unpack[ShareOptions]
) -> SharedSpace:
    """Add the space that `members` share, and keep the maps into it with their profiles.

    Options and errors are those of `latentdb.shared_space_fit.share_spaces`.
    """
    catalog.store.location.require_writable()
    shared, maps = share_spaces(catalog.store, members, **options)
    for one in maps:
        catalog.maps.put(one.source, shared.name, one)
        catalog.profiles.fit(catalog.store.space(one.source), seed=shared.fitted_on.seed)
    return shared


def learn_direction(
    catalog: Catalog, name: str, *, space: str, **parts: Unpack[RecipeParts]
) -> Direction:
    """Make the direction `name` of `space` and keep it, with what it is worth.

    Parameters
    ----------
    catalog : Catalog
    name, space : str
        What it is called, and where it lives.
    **parts
        What it is made from; see `latentdb.directions.recipe.Recipe`.

    Raises
    ------
    LatentDBError
        See `Recipe` and `latentdb.directions.make.make_direction`.
    """
    return learn_recipe(catalog, name, space=space, recipe=Recipe(**parts))


def learn_recipe(catalog: Catalog, name: str, *, space: str, recipe: Recipe) -> Direction:
    """Make the direction of a recipe and keep it; see `learn_direction`."""
    _require_name(name)
    catalog.store.location.require_writable()
    made = make_direction(catalog, name, catalog.store.space(space), recipe)
    catalog.directions.put(name, space, made)
    return made


def _require_name(name: str) -> None:
    """Refuse what cannot be part of a file's name, or would lead to another folder."""
    fits = 0 < len(name.strip()) <= 63 and name.isprintable() and not name.startswith(".")
    if not fits or set(name) & set("/\\@"):
        raise QueryError(
            f"a direction cannot be called {name!r}: it takes 1 to 63 letters, digits or marks, "
            "but no / \\ @, and does not begin with a dot"
        )
