"""Maps, directions and what else was fitted: torn files found, and set aside."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import cast, get_args

from latentdb.artefacts import require_whole
from latentdb.errors import ArtefactError, LatentDBError
from latentdb.store import Store
from latentdb.store.repair import aside
from latentdb.store.store import ArtefactKind

_SUFFIX = ".safetensors"


def torn_artefacts(store: Store) -> Iterator[tuple[Path, LatentDBError]]:
    """Files that are not what was written, each with what is wrong."""
    for kind in get_args(ArtefactKind):
        for path in sorted((store.path / kind).rglob(f"*{_SUFFIX}")):
            try:
                require_whole(path)
            except ArtefactError as error:
                yield path, error


def set_aside(store: Store, path: Path, error: LatentDBError) -> None:
    """Move a file out of the way, with its reason beside it."""
    with store.writer(), store.changing(kind_of(store, path)):
        kept = aside(store.path, path.name)
        path.replace(kept)
        reason = {"was": str(path.relative_to(store.path)), "why": str(error)}
        kept.with_name(f"{kept.name}.json").write_text(json.dumps(reason), encoding="utf-8")


def kind_of(store: Store, path: Path) -> ArtefactKind:
    """Of what kind an artefact is, by where it lies."""
    return cast(ArtefactKind, path.relative_to(store.path).parts[0])
