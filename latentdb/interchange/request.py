"""What an import can be told, and the formats there are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypedDict, final

from latentdb.ingest.progress import ProgressListener, SilentProgress

Format = Literal["noisezoo", "npy", "safetensors", "parquet"]
SUFFIX_OF: dict[Format, str] = {
    "noisezoo": ".npy",
    "npy": ".npy",
    "safetensors": ".safetensors",
    "parquet": ".parquet",
}


class ImportOptions(TypedDict, total=False):
    """Keyword form of what `import_vectors` takes besides the source; see `ImportRequest`."""

    format: Format | None
    spaces: Sequence[str]
    labels: str | Path | None
    label_rows: tuple[int, int] | None
    ids: str | None
    images: str | Path | None
    name: str | None
    progress: ProgressListener


@final
@dataclass(frozen=True)
class ImportRequest:
    """An import as it was asked for.

    Parameters
    ----------
    source : Path
        A file of vectors, or a folder of such files.
    format : "noisezoo", "npy", "safetensors", "parquet" or None
        None goes by the files.
    spaces : sequence of str
        `NAME=FILE` calls the vectors of a file NAME; `NAME` takes only that one of those found.
    labels : path, optional
        Attributes, a row for each row of vectors; looked for in the folder where not given.
    label_rows : tuple of int, optional
        Only these rows of the attributes, from the first to before the second.
    ids : str, optional
        Column of the attributes that names the rows: whole numbers are ids of items, texts are
        names. A column of file names is found by itself.
    images : path, optional
        Folder of the pictures that the vectors were made of, found by the names of the rows.
    name : str, optional
        Of the data set; the file or folder's name where not given.
    progress : ProgressListener
    """

    source: Path
    format: Format | None = None
    spaces: Sequence[str] = ()
    labels: str | Path | None = None
    label_rows: tuple[int, int] | None = None
    ids: str | None = None
    images: str | Path | None = None
    name: str | None = None
    progress: ProgressListener = SilentProgress()  # noqa: RUF009 - it has no state
