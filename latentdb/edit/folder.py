"""Many items edited alike into a folder, with a manifest; interrupted, it goes on where it was."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypedDict, Unpack, final

import numpy as np
from PIL import Image

from indexers.types import IdArray
from latentdb.artefacts import SpaceRef
from latentdb.catalog import Catalog
from latentdb.edit.edited import checked_times
from latentdb.edit.step import NormRule, Pair, Step, make_step
from latentdb.errors import QueryError
from latentdb.filters import filter_ids
from latentdb.model import Vectors
from latentdb.paths.common import DECODED_AT_ONCE, chi_z, decode_pictures, norms_of

MANIFEST = "manifest.json"
_ROWS_AT_ONCE = 64


class FolderOptions(TypedDict, total=False):
    """Keyword arguments of `LatentDB.edit_folder`; see `edit_folder`."""

    space: str | None
    strengths: Sequence[float]
    pair: Pair | None
    keep: Sequence[str]
    norm: NormRule


@final
@dataclass(frozen=True, eq=False)
class FolderEdit:
    """Pictures to be made of chosen items, and the folder they go to.

    Attributes
    ----------
    catalog : Catalog
    folder : Path
    where : str or None
        What chose the items.
    step : Step
    times : tuple of float
        How many times it is added, one picture of each item each.
    ids : (n,) int64
    """

    catalog: Catalog
    folder: Path
    where: str | None
    step: Step
    times: tuple[float, ...]
    ids: IdArray

    @property
    def total(self) -> int:
        """Number of pictures, those there already included."""
        return len(self.ids) * len(self.times)

    @property
    def missing(self) -> int:
        """Number of pictures still to be made."""
        return sum(not self._path(int(i), t).is_file() for i in self.ids for t in self.times)

    def run(self, on_made: Callable[[int], None] | None = None) -> dict[str, Any]:
        """Make the pictures that are not there, then write the manifest, and return it.

        Parameters
        ----------
        on_made : callable or None
            Told how many pictures were made since it was last called.

        Raises
        ------
        QueryError
            The folder holds another edit, or files that are no edit's.
        """
        head = self._head()
        self._claim(head)
        made: list[dict[str, Any]] = []
        for start in range(0, len(self.ids), _ROWS_AT_ONCE):
            made += self._run(self.ids[start : start + _ROWS_AT_ONCE], on_made)
        whole = {**head, "complete": True, "pictures": made}
        _write_json(self.folder / MANIFEST, whole)
        return whole

    def _run(self, ids: IdArray, on_made: Callable[[int], None] | None) -> list[dict[str, Any]]:
        """Make what is missing of some items; what the manifest says of all their pictures."""
        space = self.step.space
        noise = self.catalog.store.vectors(space.name, ids)
        rows = np.repeat(noise, len(self.times), axis=0)
        vectors = self.step.apply(self.catalog, rows, np.tile(self.times, len(ids)))
        norms = norms_of(vectors)
        norm_z = chi_z(space, norms)
        assert norm_z is not None
        names = [(int(item), times) for item in ids for times in self.times]
        paths = [self._path(*name) for name in names]
        missing = [at for at, path in enumerate(paths) if not path.is_file()]
        for at, picture in zip(missing, self._drawn(vectors[missing]), strict=True):
            _write_picture(paths[at], picture)
            if on_made is not None:
                on_made(1)
        return [
            {
                "file": path.name,
                "id": item,
                "times": times,
                "norm": float(norms[at]),
                "norm_z": float(norm_z[at]),
            }
            for at, ((item, times), path) in enumerate(zip(names, paths, strict=True))
        ]

    def _drawn(self, vectors: Vectors) -> Iterator[Image.Image]:
        """Pictures one after the other, so that each is kept as soon as it is made."""
        for start in range(0, len(vectors), DECODED_AT_ONCE):
            part = vectors[start : start + DECODED_AT_ONCE]
            yield from decode_pictures(self.catalog.models, self.step.space, part)

    def _path(self, item: int, times: float) -> Path:
        """Where one picture goes."""
        suffix = "" if len(self.times) == 1 else f"_{times:+g}"
        return self.folder / f"{item}{suffix}.png"

    def _head(self) -> dict[str, Any]:
        """What tells this edit from others."""
        return {
            "space": vars(SpaceRef.of(self.step.space)),
            "where": self.where,
            "edit": self.step.facts.to_json(),
            "strengths": list(self.times),
        }

    def _claim(self, head: Mapping[str, Any]) -> None:
        """Begin the folder, or find it begun by the same edit."""
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / MANIFEST
        if path.is_file():
            begun = _read_json(path)
            if any(begun.get(key) != value for key, value in head.items()):
                raise QueryError(
                    f"{self.folder} holds the pictures of another edit, as its {MANIFEST} says: "
                    "name another folder"
                )
        elif any(self.folder.iterdir()):
            raise QueryError(f"{self.folder} holds files that are no edit's: name another folder")
        else:
            _write_json(path, {**head, "complete": False, "pictures": []})


def edit_folder(
    catalog: Catalog,
    folder: Path | str,
    directions: Mapping[str, float] | None = None,
    *,
    where: str | None = None,
    **options: Unpack[FolderOptions],
) -> FolderEdit:
    """Plan to edit all items, or those that a condition chooses, into a folder.

    Nothing is made before `FolderEdit.run`. Pictures are named by item id, with the strength where
    there are several.

    Parameters
    ----------
    catalog : Catalog
    folder : path
        New, or begun by the same edit, whose pictures are then not made again.
    directions, space, strengths, pair, keep, norm
        As in `latentdb.edit.edit`.
    where : str
        SQL condition on labels and quality.

    Raises
    ------
    QueryError
        No item qualifies, two strengths are the same, or see `latentdb.edit.step.make_step`.
    """
    times = tuple(checked_times(options.get("strengths", (1.0,))).tolist())
    if len({f"{one:+g}" for one in times}) < len(times):
        raise QueryError(f"strengths that name the same file: {', '.join(map(str, times))}")
    step = make_step(
        catalog,
        directions or {},
        space=options.get("space"),
        pair=options.get("pair"),
        keep=options.get("keep", ()),
        norm=options.get("norm", "own"),
    )
    name = step.space.name
    store = catalog.store
    ids = store.vector_ids(name) if where is None else filter_ids(store, where, name)
    if not len(ids):
        raise QueryError(f"no item with a vector in space {name!r} qualifies: {where or 'none'}")
    return FolderEdit(catalog, Path(folder), where, step, times, ids)


def _write_picture(path: Path, picture: Image.Image) -> None:
    """Whole or not at all: a file that is there is not made again."""
    partial = path.with_suffix(".partial")
    picture.save(partial, format="PNG")
    partial.replace(path)


def _write_json(path: Path, data: Mapping[str, Any]) -> None:
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps(data, indent=2) + "\n", encoding="utf-8")
    partial.replace(path)


def _read_json(path: Path) -> dict[str, Any]:
    """QueryError where the file is no manifest."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise QueryError(f"{path} is no manifest of an edit: {error}") from error
    if not isinstance(found, dict):
        raise QueryError(f"{path} is no manifest of an edit: it holds {type(found).__name__}")
    return found
