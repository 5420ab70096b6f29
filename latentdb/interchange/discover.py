"""Which files of a folder are vectors, of which space, and which hold the attributes."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import final

from latentdb.errors import SourceError
from latentdb.interchange.attributes import SUFFIXES
from latentdb.interchange.card import CARD_FILE, Card, CardEntry, read_card_beside
from latentdb.interchange.items_file import ITEMS_FILE
from latentdb.interchange.parquet_file import has_vectors
from latentdb.interchange.request import SUFFIX_OF, Format, ImportRequest

NOISES = "noises_"
EMBEDDINGS = "embeddings_"
_LABEL_STEMS = ("attributes", "labels", "metadata", "list_attr_celeba", "attrs")


@final
@dataclass(frozen=True)
class FoundFile:
    """A file of vectors, the name of its space, and what a card says of it."""

    name: str
    path: Path
    entry: CardEntry


def find_files(request: ImportRequest, card: Card) -> list[FoundFile]:
    """Files of vectors of an import, by `--space NAME=FILE`, by the card, or by their names.

    Raises
    ------
    SourceError
        There is none, a file is not there, or two would be spaces of one name.
    """
    source = request.source
    if not source.exists():
        raise SourceError(f"there is no file or folder {source}")
    given = dict(one.split("=", 1) for one in request.spaces if "=" in one)
    chosen = {one for one in request.spaces if "=" not in one}
    found = [_named(name, _resolved(source, file), card) for name, file in given.items()]
    if chosen or not given:
        found += _found(source, request.format, card)
    found = [one for one in found if not chosen or one.name in chosen or one.name in given]
    if missing := sorted(chosen - {one.name for one in found}):
        raise SourceError(f"{source} holds no space {', '.join(missing)}")
    names = [one.name for one in found]
    for one in found:
        if names.count(one.name) > 1:
            raise SourceError(
                f"two files of {source} would be space {one.name!r}, {one.path.name} among them: "
                "name them with --space NAME=FILE"
            )
    return found


def find_labels(folder: Path) -> Path | None:
    """The attributes that lie in a folder by one of their usual names.

    Raises
    ------
    SourceError
        There are several.
    """
    there = [
        path
        for stem in _LABEL_STEMS
        for suffix in SUFFIXES
        if (path := folder / f"{stem}{suffix}").is_file() and not _is_names_of(path)
    ]
    if len(there) > 1:
        raise SourceError(
            f"{', '.join(path.name for path in there)} could all be the attributes: choose with "
            "--labels"
        )
    return there[0] if there else None


def space_name(stem: str) -> str:
    """A space's name from that of a file: `noises_SD-1.5` gives `sd-1-5`."""
    bare = stem.removeprefix(NOISES).removeprefix(EMBEDDINGS)
    return re.sub(r"[^a-z0-9_]+", "-", bare.lower()).strip("-_") or "imported"


def _found(source: Path, wanted: Format | None, card: Card) -> list[FoundFile]:
    if source.is_file():
        return [_named(None, source, card)]
    by_card = [
        FoundFile(name, source / entry.file, entry)
        for name, entry in card.spaces.items()
        if wanted is None or entry.file.endswith(SUFFIX_OF[wanted])
    ]
    if by_card:
        if missing := [one.path.name for one in by_card if not one.path.is_file()]:
            raise SourceError(f"{source / CARD_FILE} names {', '.join(missing)}: not there")
        return by_card
    for suffix in [SUFFIX_OF[wanted]] if wanted else list(dict.fromkeys(SUFFIX_OF.values())):
        paths = [path for path in sorted(source.glob(f"*{suffix}")) if _may_be_vectors(path)]
        if paths:
            return [_named(None, path, card) for path in paths]
    raise SourceError(
        f"{source} holds no vectors: expected files such as {NOISES}MODEL.npy, NAME.safetensors or "
        "NAME.parquet"
    )


def _named(name: str | None, path: Path, card: Card) -> FoundFile:
    """A file with what the folder's card says of it, else what a card beside it says."""
    if not path.is_file():
        raise SourceError(f"there is no file {path}")
    for listed, entry in card.spaces.items():
        if entry.file == path.name:
            return FoundFile(name or listed, path, entry)
    entry = read_card_beside(path)
    if entry.kind is None:
        entry = replace(entry, kind="noise" if path.stem.startswith(NOISES) else "embedding")
    return FoundFile(name or space_name(path.stem), path, entry)


def _resolved(source: Path, file: str) -> Path:
    """A file named on its own: in the folder that is imported, else where it says."""
    inside = (source if source.is_dir() else source.parent) / file
    return inside if inside.is_file() else Path(file)


def _may_be_vectors(path: Path) -> bool:
    if path.name == ITEMS_FILE or path.stem in _LABEL_STEMS:
        return False
    return path.suffix != SUFFIX_OF["parquet"] or has_vectors(path)


def _is_names_of(path: Path) -> bool:
    """Whether a text file only names the columns of the matrix beside it."""
    return path.suffix == ".txt" and path.with_suffix(".npy").is_file()
