"""What was learned in the old space, learned again in the new one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

from latentdb.catalog import Catalog
from latentdb.directions.direction import Direction
from latentdb.directions.recipe import recipe_of
from latentdb.errors import LatentDBError
from latentdb.learn import learn_map, learn_recipe
from latentdb.migrate.dropping import shared_with
from latentdb.shared_space_fit import shared_shelf
from latentdb.stitch.fit import MapMethod
from latentdb.succession.record import Migration, ToRefit

Refitted = tuple[tuple[str, ...], tuple[ToRefit, ...]]


def refit_all(catalog: Catalog, migration: Migration) -> Refitted:
    """Fit the directions and maps of the old space anew on the new one.

    Those of the old space stay as they are. What the new space has already is left alone, so that
    a cut-over that was interrupted goes on.

    Returns
    -------
    refitted : tuple of str
        What the new space has now.
    to_refit : tuple of ToRefit
        What could not be fitted again, why, and the command that would.
    """
    done: list[str] = []
    left: list[ToRefit] = []
    # Maps first: directions of texts and of other spaces come through them.
    for outcome in (*_maps(catalog, migration), *_directions(catalog, migration)):
        if isinstance(outcome, str):
            done.append(outcome)
        else:
            left.append(outcome)
    return tuple(done), tuple(left)


def _directions(catalog: Catalog, migration: Migration) -> Iterator[str | ToRefit]:
    for direction in _nuisances_first(catalog, migration.old):
        what = f"direction {direction.name}"
        if not catalog.directions.has(direction.name, migration.new):
            command = f"latentdb direction DB {direction.name} --space {migration.new}"
            recipe = recipe_of(direction)
            if recipe is None:
                why = (
                    f"what it was made from is not known, only that it was by {direction.method!r}"
                )
                yield ToRefit(what, why, command)
                continue
            try:
                learn_recipe(catalog, direction.name, space=migration.new, recipe=recipe)
            except LatentDBError as error:
                yield ToRefit(what, str(error), f"{command} {recipe.to_options()}")
                continue
        yield what


def _nuisances_first(catalog: Catalog, space: str) -> list[Direction]:
    """Directions of a space, each after those that it is orthogonal to."""
    waiting = [direction for direction in catalog.directions.all() if direction.space == space]
    names = {direction.name for direction in waiting}
    ordered: list[Direction] = []
    while waiting:
        placed = {direction.name for direction in ordered}
        # One whose nuisance was refitted meanwhile may point back: then the first goes first.
        following = next(
            (d for d in waiting if not (names & set(d.orthogonal_to)) - placed), waiting[0]
        )
        ordered.append(following)
        waiting.remove(following)
    return ordered


def _maps(catalog: Catalog, migration: Migration) -> Iterator[str | ToRefit]:
    old, new = migration.old, migration.new
    store = catalog.store
    shared = shared_with(store, old)
    for name in shared:
        members = [
            new if ref.name == old else ref.name for ref in shared_shelf(store).get(name).members
        ]
        spaces = " ".join(f"--space {member}" for member in members)
        yield ToRefit(
            f"shared space {name}",
            f"it is made of {old}, and goes with it at --finish",
            f"latentdb stitch DB --method gcca {spaces} --name {name}-{new}",
        )
    existing = {(one.source, one.target) for one in catalog.maps.all()}
    there = set(store.spaces()) - set(shared)
    for one in catalog.maps.all():
        source = new if one.source == old else one.source
        target = new if one.target == old else one.target
        concerns = old in (one.source, one.target)
        if not concerns or source == target or {source, target} - there:
            continue
        what = f"map {source} → {target}"
        if (source, target) not in existing:
            method = cast(MapMethod, one.method)
            try:
                learn_map(catalog, source, target, method=method, seed=one.fitted_on.seed)
            except LatentDBError as error:
                command = f"latentdb stitch DB --from {source} --to {target} --method {one.method}"
                yield ToRefit(what, str(error), command)
                continue
        yield what
