"""How a migration begins: two spaces that go together, and a sample of the new one."""

from __future__ import annotations

from dataclasses import replace
from typing import TypedDict

from indexers.errors import ParameterError
from latentdb.catalog import Catalog
from latentdb.errors import MigrationError
from latentdb.ingest.progress import ProgressListener
from latentdb.migrate.backfill import BackfillOptions
from latentdb.migrate.upgrade import SpaceMigration, next_step
from latentdb.model import AbstractSpaceModel
from latentdb.succession.record import Migration, PictureCounts

_DEFAULTS = BackfillOptions()


class BeginOptions(TypedDict, total=False):
    """Keyword arguments of `begin`."""

    sample: int
    seed: int
    options: BackfillOptions
    progress: ProgressListener | None


def begin(
    catalog: Catalog,
    old: str,
    new: str,
    *,
    sample: int = 2000,
    seed: int = 0,
    options: BackfillOptions = _DEFAULTS,
    progress: ProgressListener | None = None,
) -> SpaceMigration:
    """Begin to replace space `old` by `new`, or go on with what an interruption left.

    Parameters
    ----------
    catalog : Catalog
    old : str
        A space of the database.
    new : str
        The spec of another model of the same kind, or the name of a space that is there.
    sample : int
        Items that the maps and their loss are fitted and measured on.
    seed : int
        Draws the sample and the held-out part of it.
    options : BackfillOptions
    progress : ProgressListener

    Raises
    ------
    UnknownSpaceError, SpaceSpecError, ModelError, SpaceExistsError
        One of the two is not there, or the new one cannot be added.
    MigrationError
        The two do not go together, or another migration is under way.
    ParameterError
        A sample of fewer than 1.
    """
    if sample < 1:
        raise ParameterError(f"a sample is of at least 1 item, got {sample}")
    catalog.store.location.require_writable()
    model = _model_of(catalog, new)
    name = model.space.name
    before = _after(catalog, old, name)
    migration = Migration(old, name, "starting", sample, seed, before=before)
    _require_pair(catalog, migration, model)
    book = catalog.migrations
    there = [one for one in book.all() if (one.old, one.new) == (old, name)]
    if not there or there[0].state != "starting":
        if there and there[0].state != "rolled_back":
            raise MigrationError(
                f"the migration {old} → {name} is {there[0].state!r} already{next_step(there[0])}"
            )
        catalog.models.adopt(model)
        counts = there[0].pictures if there else PictureCounts()
        book.put(replace(migration, pictures=counts))
    handle = SpaceMigration(catalog, migration)
    handle.prepare(options=options, progress=progress)
    return handle


def _model_of(catalog: Catalog, new: str) -> AbstractSpaceModel:
    models = catalog.models
    return models.get(new) if new in catalog.store.spaces() else models.load(new)


def _after(catalog: Catalog, old: str, new: str) -> tuple[str, ...]:
    """Spaces that come after `old`."""
    catalog.store.space(old)
    names = list(catalog.spaces())
    return tuple(name for name in names[names.index(old) + 1 :] if name != new)


def _require_pair(catalog: Catalog, migration: Migration, model: AbstractSpaceModel) -> None:
    """Raise MigrationError unless the new space can take the old one's place."""
    old, new = catalog.store.space(migration.old), model.space
    pair = f"space {new.name!r} cannot take the place of {old.name!r}"
    if new.name == old.name or new.fingerprint == old.fingerprint:
        raise MigrationError(f"{pair}: they are the same; give a spec of another model or setting")
    if new.kind != old.kind:
        raise MigrationError(f"{pair}: one is of {new.kind}, the other of {old.kind}")
    if old.has_text and not new.has_text:
        raise MigrationError(
            f"{pair}: {old.name!r} embeds text and it does not, so text questions would find no "
            "model; migrate to one with a text tower"
        )
    for one in catalog.migrations.all():
        involved = {one.old, one.new} & {old.name, new.name}
        same = (one.old, one.new) == (old.name, new.name)
        if involved and not same and (one.is_open or one.state == "finishing"):
            raise MigrationError(
                f"{pair}: the migration {one.old} → {one.new} is {one.state!r}; end it first, by "
                "--finish or --roll-back"
            )
