"""Export: vectors, items and attributes of a database as files that others read."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Iterator, Sequence
from functools import reduce
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, TypedDict, Unpack, final

import numpy as np
from numpy.typing import NDArray

from latentdb import __version__
from latentdb.arrays import IdArray
from latentdb.errors import QueryError, SourceError
from latentdb.filters import filter_ids
from latentdb.ingest.progress import ProgressListener, SilentProgress
from latentdb.interchange.attributes_csv import write_attributes
from latentdb.interchange.card import CARD_FILE
from latentdb.interchange.discover import EMBEDDINGS, NOISES
from latentdb.interchange.items_file import ITEMS_FILE, item_labels, write_items
from latentdb.interchange.npy_file import write_npy, write_quality_npy
from latentdb.interchange.parquet_file import write_parquet
from latentdb.interchange.request import SUFFIX_OF, Format
from latentdb.interchange.safetensors_file import write_safetensors
from latentdb.interchange.summary import ExportSummary
from latentdb.interchange.vector_file import rows_per_block
from latentdb.space import Space
from latentdb.store import Store
from latentdb.types import SpaceRows

ATTRIBUTES_FILE = "attributes.csv"


class ExportOptions(TypedDict, total=False):
    """Keyword form of what `export_vectors` takes besides the folder."""

    spaces: Sequence[str] | None
    format: Format
    where: str | None
    progress: ProgressListener


def export_vectors(
    store: Store, out: str | Path, **options: Unpack[ExportOptions]
) -> ExportSummary:
    """Write vectors with their items and attributes to a new folder.

    The folder appears complete or not at all. `import_vectors` reads it back to the same ids,
    vectors, labels and small pictures.

    Parameters
    ----------
    store : Store
        Only read.
    out : str or Path
        Must not exist, or be empty.
    spaces : sequence of str
        All but shared ones, which are made anew of their members, where not given.
    format : "noisezoo", "npy", "safetensors" or "parquet"
        The first two, of `.npy` whose rows are in one order, hold the items with a vector in every
        space; the others hold all.
    where : str
        SQL condition on labels.
    progress : ProgressListener

    Raises
    ------
    QueryError
        No item qualifies, or the database has no such vectors.
    SourceError
        There is something at `out`.
    UnknownSpaceError, FilterError
        A space is not there; the condition cannot be understood.
    """
    started = time.monotonic()
    folder = Path(out).absolute()
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise SourceError(f"{folder} is there already and not empty: name a new folder")
    folder.parent.mkdir(parents=True, exist_ok=True)
    chosen = _Choice(store, options.get("spaces"), options.get("format", "noisezoo"))
    chosen.narrow(options.get("where"))
    building = Path(mkdtemp(prefix=f".{folder.name}.", suffix=".new", dir=folder.parent))
    try:
        _Writer(store, chosen, building, options.get("progress") or SilentProgress()).write()
        for path in building.iterdir():
            with path.open("rb") as file:
                os.fsync(file.fileno())
        building.chmod(folder.parent.stat().st_mode & 0o777)
        files = sorted(path.name for path in building.iterdir())
        building.replace(folder)
    except BaseException:
        shutil.rmtree(building, ignore_errors=True)
        raise
    return ExportSummary(
        folder=str(folder),
        format=chosen.format,
        items=len(chosen.items),
        left_out=chosen.left_out,
        spaces={space.name: len(ids) for space, ids in chosen.rows},
        files=files,
        seconds=time.monotonic() - started,
    )


@final
class _Choice:
    """Which rows of which spaces are written, in which order.

    Rows come in the order of the first space's storage, which is that of its ingest: so a data set
    that was imported leaves in the order in which it came.
    """

    def __init__(self, store: Store, names: Sequence[str] | None, kind: Format) -> None:
        self._store = store
        self.format = kind
        every = list(store.spaces().values()) if names is None else [store.space(n) for n in names]
        spaces = [space for space in every if names is not None or space.kind != "shared"]
        if not spaces:
            raise QueryError("the database has no space to export")
        if len({space.name for space in spaces}) < len(spaces):
            raise QueryError("a space is given twice")
        self.rows = [(space, store.vector_ids(space.name, as_stored=True)) for space in spaces]
        self.left_out = 0
        self.is_aligned = SUFFIX_OF[kind] == SUFFIX_OF["npy"]
        self.items: IdArray = np.empty(0, np.int64)

    def narrow(self, where: str | None) -> None:
        """Keep the items that `where` is true of, and order the rest."""
        if where is not None:
            wanted = filter_ids(self._store, where, None)
            self.rows = [(space, ids[np.isin(ids, wanted)]) for space, ids in self.rows]
        together = np.concatenate([ids for _, ids in self.rows])
        self.items = together[np.sort(np.unique(together, return_index=True)[1])]
        if self.is_aligned:
            common = reduce(np.intersect1d, [ids for _, ids in self.rows])
            self.left_out = len(self.items) - len(common)
            self.items = self.items[np.isin(self.items, common)]
            self.rows = [(space, self.items) for space, _ in self.rows]
        if not len(self.items):
            raise QueryError(
                "no item qualifies"
                + (": none has a vector in every space; name one with --space" * self.is_aligned)
            )


@final
class _Writer:
    """Writes the files of one export into a folder of its own."""

    def __init__(
        self, store: Store, chosen: _Choice, folder: Path, progress: ProgressListener
    ) -> None:
        self._store = store
        self._chosen = chosen
        self._folder = folder
        self._progress = progress

    def write(self) -> None:
        """Write everything; the card last."""
        chosen = self._chosen
        self._progress.total(sum(len(ids) for _, ids in chosen.rows))
        write_items(self._folder / ITEMS_FILE, self._store, chosen.items)
        if chosen.format == "noisezoo":
            labels = item_labels(self._store, chosen.items, ["id", "source"])
            write_attributes(self._folder / ATTRIBUTES_FILE, labels)
        cards = {space.name: self._write_space(space, ids) for space, ids in chosen.rows}
        labels_there = self._store.label_columns().items()
        card = {
            "written_by": f"latentdb {__version__}",
            "format": chosen.format,
            "dataset": Path(self._store.path).stem,
            "items": {"file": ITEMS_FILE, "rows": len(chosen.items)},
            "labels": {name: kind.__name__ for name, kind in labels_there},
            "spaces": cards,
        }
        text = json.dumps(card, indent=2, ensure_ascii=False)
        (self._folder / CARD_FILE).write_text(text + "\n", encoding="utf-8")

    def _write_space(self, space: Space, ids: IdArray) -> dict[str, Any]:
        """Write the vectors of a space; what the card says of them."""
        kind = self._chosen.format
        path = self._folder / f"{_stem(space, kind)}{SUFFIX_OF[kind]}"
        entry: dict[str, Any] = {"file": path.name, "rows": len(ids), "space": space.to_json()}
        if kind == "safetensors":
            write_safetensors(path, space, ids, self._blocks(space, ids))
        elif kind == "parquet":
            labels = item_labels(self._store, ids, ["id"])
            write_parquet(path, space, self._blocks(space, ids), labels)
        else:
            write_npy(path, space, len(ids), self._blocks(space, ids))
            if space.quality:
                entry["quality_file"] = f"quality_{space.name}.npy"
                quality = self._quality(space, ids)
                write_quality_npy(self._folder / entry["quality_file"], space, quality)
        return entry

    def _blocks(self, space: Space, ids: IdArray) -> Iterator[SpaceRows]:
        """The rows of `ids`, in their order, a block at a time."""
        columns = self._quality(space, ids)
        step = rows_per_block(space.dim, space.dtype)
        for start in range(0, len(ids), step):
            some = ids[start : start + step]
            vectors = self._store.vectors(space.name, some)
            own = {name: column[start : start + step] for name, column in columns.items()}
            yield SpaceRows(some, vectors, own)
            self._progress.advance(files=len(some))

    def _quality(self, space: Space, ids: IdArray) -> dict[str, NDArray[np.float32]]:
        """Quality columns (n,) of the rows `ids`."""
        stored = self._store.metadata(space.name)
        at = np.searchsorted(stored["id"].to_numpy(), ids)
        return {name: stored[name].to_numpy()[at] for name in space.quality}


def _stem(space: Space, kind: Format) -> str:
    if kind != "noisezoo":
        return space.name
    return f"{NOISES if space.kind == 'noise' else EMBEDDINGS}{space.name}"
