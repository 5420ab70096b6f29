"""One part of a question: what it shows or says, and how much that counts."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias, final, get_args

import numpy as np
from numpy.typing import NDArray
from PIL import Image

PartKind: TypeAlias = Literal["image", "id", "text", "vector"]
PART_KINDS: tuple[PartKind, ...] = get_args(PartKind)
PartValue: TypeAlias = Image.Image | Path | str | int | NDArray[np.floating[Any]]


@final
@dataclass(frozen=True, eq=False)
class Part:
    """One of the things that a question is made of.

    Parameters
    ----------
    kind : "image", "id", "text" or "vector"
    value
        A picture or the path of one, the id of a stored item, a text, or a vector (dim,).
    weight : float
        How much it counts beside the others, not 0; below 0, hits are to be unlike it.
    """

    kind: PartKind
    value: PartValue
    weight: float = 1.0

    def __str__(self) -> str:
        if self.kind == "text":
            return f"“{self.value}”"
        if self.kind == "id":
            return f"id {self.value}"
        shown = self.shown
        return str(shown).rpartition("/")[2] if isinstance(self.value, str | Path) else str(shown)

    @property
    def shown(self) -> str | int:
        """A JSON value that stands for `value`; pictures and vectors are named by their shape."""
        if isinstance(self.value, Image.Image):
            return f"picture of {self.value.width} × {self.value.height}"
        if isinstance(self.value, np.ndarray):
            return f"vector of {self.value.shape[-1]}"
        return str(self.value) if isinstance(self.value, Path) else self.value

    def to_json(self) -> dict[str, Any]:
        """The part as an answer names it."""
        return {"kind": self.kind, "value": self.shown, "weight": self.weight}


def describe_parts(parts: tuple[Part, ...]) -> str:
    """Parts as one line, those to be like first, such as `id 5 + 0.5·“a hat” − id 9`."""
    words = ""
    for part in sorted(parts, key=lambda part: part.weight < 0):
        size = "" if abs(part.weight) == 1.0 else f"{abs(part.weight):g}·"
        sign = "+" if part.weight > 0 else "−"
        words += f" {sign} {size}{part}" if words or part.weight < 0 else f"{size}{part}"
    return words.strip()
