"""Arrays that took long to compute, kept in a folder: a run that was broken off goes on there."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, final

import numpy as np
from numpy.typing import NDArray

_Item = TypeVar("_Item", np.uint8, np.float32)


@final
class Memo:
    """Results of deterministic functions of one array, by function name and content.

    Parameters
    ----------
    folder : Path or None
        Where they are kept; None keeps nothing. Empty it when the models change.

    Attributes
    ----------
    reused : int
        Results taken from the folder so far.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self.reused = 0
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)

    def __call__(
        self, name: str, array: NDArray[Any], compute: Callable[[], NDArray[_Item]]
    ) -> NDArray[_Item]:
        """What `compute` gives for `array`, or gave before."""
        if self._folder is None:
            return compute()
        digest = hashlib.sha256(f"{name}{array.shape}".encode() + array.tobytes()).hexdigest()
        path = self._folder / f"{digest[:32]}.npy"
        if path.exists():
            self.reused += 1
            kept: NDArray[_Item] = np.load(path)
            return kept
        found = compute()
        np.save(path, found)
        return found
