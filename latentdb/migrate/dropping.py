"""A space taken out of a database, with everything that was made from its vectors."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from latentdb.shared_space_fit import shared_shelf
from latentdb.store.store import ArtefactKind

if TYPE_CHECKING:
    from latentdb.database import LatentDB

_SUFFIX = ".safetensors"
_KINDS: tuple[ArtefactKind, ...] = ("maps", "directions", "priors")


def drop_space(db: LatentDB, name: str) -> None:
    """Delete a space: its indexes, its maps, directions and profile, its vectors, in this order.

    Shared spaces that it is a member of go first, because new pictures could not be put into
    them any more. Repeated after a kill, it ends what was begun. What is made of a space goes
    before the space, so that nothing is left that names one which is not there.
    """
    shelf = shared_shelf(db.store)
    for shared in shared_with(db, name):
        drop_space(db, shared)
        shelf.remove(shared)
    db.indexes_.drop(name)
    for kind in _KINDS:
        for path in db.store.artefact_dir(kind).rglob(f"*{_SUFFIX}"):
            if _is_of(path, name):
                path.unlink(missing_ok=True)
    db.store.drop_space(name)


def shared_with(db: LatentDB, name: str) -> list[str]:
    """Shared spaces that a space is a member of."""
    shelf = shared_shelf(db.store)
    return [
        shared
        for shared in shelf.names()
        if name in [member.name for member in shelf.get(shared).members]
    ]


def _is_of(path: Path, space: str) -> bool:
    """Whether an artefact's file is named after a space: `A--B`, `NAME@A` or `A`."""
    stem = path.name.removesuffix(_SUFFIX)
    return space in stem.split("--") or stem.endswith(f"@{space}")
