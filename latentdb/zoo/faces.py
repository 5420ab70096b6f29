"""A seeded generator of drawn faces with twelve attributes and a caption.

Face number `index` of seed `seed` is a pure function of the two numbers: any face can be drawn
without the others. The bundled models were trained on `TRAINING_SEED`; everything that measures
or shows them uses another seed, so it shows faces they never saw.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final, final

import numpy as np
import typer
from PIL import Image
from rich.console import Console
from rich.progress import Progress

from latentdb.zoo.faces_captions import caption, partial_caption
from latentdb.zoo.faces_draw import SIZE, draw, draw_style

__all__ = [
    "ATTRIBUTES",
    "CORRELATIONS",
    "DEMO_SEED",
    "EVALUATION_SEED",
    "RARE",
    "SIZE",
    "TRAINING_SEED",
    "Face",
    "caption",
    "draw_face",
    "faces",
    "partial_caption",
    "write_folder",
]

TRAINING_SEED: Final = 0
DEMO_SEED: Final = 1
EVALUATION_SEED: Final = 2

ATTRIBUTES: Final[tuple[str, ...]] = (
    "smiling",
    "glasses",
    "hat",
    "beard",
    "long_hair",
    "dark_hair",
    "round_face",
    "pale_skin",
    "earrings",
    "scarf",
    "closed_eyes",
    "outdoors",
)

CORRELATIONS: Final[dict[tuple[str, str], int]] = {
    ("beard", "long_hair"): -1,
    ("beard", "round_face"): -1,
    ("beard", "earrings"): -1,
    ("earrings", "long_hair"): +1,
    ("hat", "outdoors"): +1,
    ("hat", "scarf"): +1,
    ("scarf", "outdoors"): +1,
    ("closed_eyes", "smiling"): +1,
    ("closed_eyes", "glasses"): -1,
    ("pale_skin", "dark_hair"): -1,
}
"""Sign of the correlation of the pairs that are dependent on purpose."""

RARE: Final[tuple[tuple[str, ...], ...]] = (
    ("beard", "earrings"),
    ("beard", "long_hair"),
    ("closed_eyes", "glasses"),
)
"""Combinations held by fewer than one face in sixteen, for questions about the seldom seen."""


@final
@dataclass(frozen=True, slots=True)
class Face:
    """One drawn face.

    Parameters
    ----------
    index, seed : int
        What it was drawn from.
    attributes : dict of str to bool
        One entry per name of `ATTRIBUTES`, in that order.
    caption : str
        Names every attribute the face has and some that it lacks.
    image : PIL.Image.Image
        RGB, 64 by 64 pixels.
    """

    index: int
    seed: int
    attributes: dict[str, bool]
    caption: str
    image: Image.Image


def draw_attributes(rng: np.random.Generator) -> dict[str, bool]:
    """Attributes of one face, as often and as often together as faces have them."""

    def coin(probability: float) -> bool:
        return bool(rng.random() < probability)

    long_hair = coin(0.50)
    beard = coin(0.10 if long_hair else 0.55)
    outdoors = coin(0.50)
    hat = coin(0.60 if outdoors else 0.22)
    smiling = coin(0.55)
    glasses = coin(0.40)
    dark_hair = coin(0.50)
    drawn = {
        "smiling": smiling,
        "glasses": glasses,
        "hat": hat,
        "beard": beard,
        "long_hair": long_hair,
        "dark_hair": dark_hair,
        "round_face": coin(0.28 if beard else 0.60),
        "pale_skin": coin(0.42 if dark_hair else 0.68),
        "earrings": coin((0.12 if beard else 0.62) if long_hair else (0.10 if beard else 0.25)),
        "scarf": coin(0.62 if hat else 0.20),
        "closed_eyes": coin((0.42 if smiling else 0.20) * (0.45 if glasses else 1.2)),
        "outdoors": outdoors,
    }
    return {name: drawn[name] for name in ATTRIBUTES}


def draw_face(seed: int, index: int) -> Face:
    """Draw face `index` of seed `seed`.

    Parameters
    ----------
    seed, index : int
        Both at least 0. No other face need be drawn first.

    Returns
    -------
    Face

    Raises
    ------
    ValueError
        A negative seed or index.
    """
    if seed < 0 or index < 0:
        raise ValueError(f"seed and index of a face start at 0, got seed={seed}, index={index}")
    rng = np.random.default_rng([seed, index])
    attributes = draw_attributes(rng)
    image = draw(attributes, draw_style(rng))
    return Face(index, seed, attributes, caption(attributes), image)


def faces(n: int, *, seed: int = TRAINING_SEED, start: int = 0) -> Iterator[Face]:
    """Draw `n` faces of one seed, from index `start` on.

    Parameters
    ----------
    n : int
        How many, at least 0.
    seed : int
        `TRAINING_SEED`, `DEMO_SEED`, `EVALUATION_SEED` or any other.
    start : int
        First index.

    Yields
    ------
    Face
    """
    for index in range(start, start + n):
        yield draw_face(seed, index)


def write_folder(folder: str | Path, n: int, *, seed: int = DEMO_SEED, start: int = 0) -> Path:
    """Write faces as PNG files and their labels as a CSV file.

    The table has the columns `path` (relative to the folder), the attributes as `true` or `false`,
    and `caption`.

    Parameters
    ----------
    folder : str or Path
        Made where it is missing; files of the same names are overwritten.
    n : int
        How many faces.
    seed, start : int
        As in `faces`.

    Returns
    -------
    Path
        The labels file, `folder/labels.csv`.
    """
    for _ in _write_each(Path(folder), faces(n, seed=seed, start=start)):
        pass
    return Path(folder) / "labels.csv"


def _write_each(folder: Path, drawn: Iterator[Face]) -> Iterator[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "labels.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["path", *ATTRIBUTES, "caption"])
        for face in drawn:
            path = folder / f"face_{face.index:05d}.png"
            face.image.save(path)
            table.writerow(
                [path.name, *(str(face.attributes[a]).lower() for a in ATTRIBUTES), face.caption]
            )
            yield path


def _main(
    folder: Annotated[
        Path, typer.Argument(metavar="OUT", help="Folder for the PNG files and labels.csv.")
    ],
    n: Annotated[int, typer.Option(min=1, help="How many faces.")] = 600,
    seed: Annotated[
        int, typer.Option(min=0, help="0 is what the bundled models were trained on.")
    ] = DEMO_SEED,
    start: Annotated[int, typer.Option(min=0, help="Index of the first face.")] = 0,
) -> None:
    """Draw labelled faces into a folder."""
    console = Console(stderr=True)
    with Progress(console=console) as progress:
        task = progress.add_task("drawing faces", total=n)
        for _ in _write_each(folder, faces(n, seed=seed, start=start)):
            progress.advance(task)
    console.print(f"{n} faces of seed {seed} in {folder}, labels in {folder / 'labels.csv'}")


if __name__ == "__main__":
    typer.run(_main)
