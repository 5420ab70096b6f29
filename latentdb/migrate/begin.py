"""How a migration begins: two spaces that go together, and a sample of the new one."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypedDict

from indexers.errors import ParameterError
from latentdb.errors import MigrationError
from latentdb.ingest.progress import ProgressListener
from latentdb.migrate.backfill import BackfillOptions
from latentdb.migrate.record import Migration, PictureCounts
from latentdb.migrate.upgrade import SpaceMigration, next_step
from latentdb.model import AbstractSpaceModel

if TYPE_CHECKING:
    from latentdb.database import LatentDB

_DEFAULTS = BackfillOptions()


class BeginOptions(TypedDict, total=False):
    """Keyword arguments of `begin`."""

    sample: int
    seed: int
    options: BackfillOptions
    progress: ProgressListener | None


def begin(
    db: LatentDB,
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
    db : LatentDB
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
    model = _model_of(db, new)
    migration = Migration(
        old, model.space.name, "starting", sample, seed, before=_after(db, old, model.space.name)
    )
    _require_pair(db, migration, model)
    there = [one for one in db.migrations_.all() if one.old == old and one.new == migration.new]
    if not there or there[0].state != "starting":
        if there and there[0].state != "rolled_back":
            raise MigrationError(
                f"the migration {old} → {migration.new} is {there[0].state!r} already"
                f"{next_step(there[0])}"
            )
        db.adopt(model)
        counts = there[0].pictures if there else PictureCounts()
        db.migrations_.put(replace(migration, pictures=counts))
    handle = SpaceMigration(db, migration)
    handle.prepare(options=options, progress=progress)
    return handle


def _model_of(db: LatentDB, new: str) -> AbstractSpaceModel:
    from latentdb.spaces import load_model

    return db.model(new) if new in db.store.spaces() else load_model(new, device=db.device)


def _after(db: LatentDB, old: str, new: str) -> tuple[str, ...]:
    """Spaces that come after `old`."""
    db.store.space(old)
    names = list(db.spaces())
    return tuple(name for name in names[names.index(old) + 1 :] if name != new)


def _require_pair(db: LatentDB, migration: Migration, model: AbstractSpaceModel) -> None:
    """Raise MigrationError unless the new space can take the old one's place."""
    old, new = db.store.space(migration.old), model.space
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
    for one in db.migrations_.all():
        involved = {one.old, one.new} & {old.name, new.name}
        same = (one.old, one.new) == (old.name, new.name)
        if involved and not same and (one.is_open or one.state == "finishing"):
            raise MigrationError(
                f"{pair}: the migration {one.old} → {one.new} is {one.state!r}; end it first, by "
                "--finish or --roll-back"
            )
