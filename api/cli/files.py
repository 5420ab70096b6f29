"""Files that commands read and write besides the database: pictures out, vectors in and out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from api.cli.output import note

if TYPE_CHECKING:
    from PIL import Image

PICTURE_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp")
VECTOR_SUFFIXES = (".npy",)


def check_output(path: Path | None, option: str, suffixes: tuple[str, ...]) -> None:
    """Refuse a file that could not be written, before the work is done.

    Raises
    ------
    typer.BadParameter
        Of another kind than `suffixes`, or in a folder that is not there.
    """
    if path is None:
        return
    if path.suffix.lower() not in suffixes:
        raise typer.BadParameter(f"{option} writes {', '.join(suffixes)}; got {str(path)!r}")
    if not path.absolute().parent.is_dir():
        raise typer.BadParameter(f"{option} {path}: there is no folder {path.absolute().parent}")


def write_picture(picture: Image.Image, path: Path) -> None:
    """Save a picture, and say so."""
    picture.save(path)
    note(f"drew {path}")


def write_vectors(vectors: Any, path: Path | None) -> None:
    """Save an array where a file was named, and say so."""
    import numpy as np

    if path is None:
        return
    np.save(path, vectors, allow_pickle=False)
    note(f"wrote {path}: {' x '.join(str(size) for size in vectors.shape)}")


def read_vector(path: Path, row: int | None = None) -> Any:
    """The array in an .npy file, or one row of it; pickled objects are refused.

    Raises
    ------
    QueryError
        The file is not there, not such an array, or has no such row.
    """
    import numpy as np

    from latentdb.errors import QueryError

    try:
        with path.open("rb") as file:
            array = np.lib.format.read_array(file, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise QueryError(
            f"{path} cannot be read as an .npy array: {error}; write one with numpy.save"
        ) from error
    if row is None:
        return array
    if array.ndim != 2 or row >= len(array):
        raise QueryError(f"--row {row}: {path} holds an array of shape {array.shape}, without it")
    return array[row]
