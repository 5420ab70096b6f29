"""A file that takes its decoder down; a module of its own, for workers import it by name."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass

from latentdb.ingest.recipes import AbstractRecipe


@dataclass(frozen=True)
class Segfault(AbstractRecipe):
    """Reads address zero."""

    def read(self, max_bytes: int) -> bytes:  # noqa: ARG002
        ctypes.string_at(0)
        return b""
