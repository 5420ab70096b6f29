"""Recipes that do to a decoding process what a hostile file can do to a decoder."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import dataclass
from typing import final

from latentdb.ingest.recipes import AbstractRecipe


@final
@dataclass(frozen=True)
class Segfault(AbstractRecipe):
    def read(self, max_bytes: int) -> bytes:  # noqa: ARG002
        os.kill(os.getpid(), signal.SIGSEGV)
        return b""


@final
@dataclass(frozen=True)
class Hang(AbstractRecipe):
    def read(self, max_bytes: int) -> bytes:  # noqa: ARG002
        time.sleep(600)
        return b""


@final
@dataclass(frozen=True)
class Chatter(AbstractRecipe):
    """Writes to the file descriptors of stdout and stderr, as C libraries do."""

    data: bytes

    def read(self, max_bytes: int) -> bytes:  # noqa: ARG002
        os.write(1, b"a warning of a C library\n")
        os.write(2, b"a warning of a C library\n")
        return self.data
