"""A space taken out of a database, with everything that was made from its vectors."""

from __future__ import annotations

from pathlib import Path

from latentdb.catalog import Catalog
from latentdb.shared_space_fit import shared_shelf
from latentdb.store import Store
from latentdb.store.store import ArtefactKind

_SUFFIX = ".safetensors"
_KINDS: tuple[ArtefactKind, ...] = ("maps", "directions", "priors")


def drop_space(catalog: Catalog, name: str) -> None:
    """Delete a space: its indexes, its maps, directions and profile, its vectors, in this order.

    Shared spaces that it is a member of go first, because new pictures could not be put into
    them any more. Repeated after a kill, it ends what was begun. What is made of a space goes
    before the space, so that nothing is left that names one which is not there.
    """
    store = catalog.store
    shelf = shared_shelf(store)
    for shared in shared_with(store, name):
        drop_space(catalog, shared)
        shelf.remove(shared)
    catalog.indexes.drop(name)
    for kind in _KINDS:
        with store.changing(kind):
            for path in store.artefact_dir(kind).rglob(f"*{_SUFFIX}"):
                if _is_of(path, name):
                    path.unlink(missing_ok=True)
    store.drop_space(name)


def shared_with(store: Store, name: str) -> list[str]:
    """Shared spaces that a space is a member of."""
    shelf = shared_shelf(store)
    return [
        shared
        for shared in shelf.names()
        if name in [member.name for member in shelf.get(shared).members]
    ]


def _is_of(path: Path, space: str) -> bool:
    """Whether an artefact's file is named after a space: `A--B`, `NAME@A` or `A`."""
    stem = path.name.removesuffix(_SUFFIX)
    return space in stem.split("--") or stem.endswith(f"@{space}")
