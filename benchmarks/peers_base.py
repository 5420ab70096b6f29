"""What is compared: a way to search that is built, opened, set to an effort, and asked."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Literal, final

from benchmarks.peers_data import Folder
from indexers.types import Float32Array

# Ids alone; with name and labels of every hit; those of rows that a filter passes.
Mode = Literal["ids", "payload", "filtered"]
Settings = Mapping[str, Any]


@final
@dataclass(frozen=True)
class Structure:
    """One point of a grid: what is built, and with how much effort it is searched, ascending."""

    build: Settings
    efforts: Sequence[Settings] = field(default_factory=lambda: [{}])

    @property
    def label(self) -> str:
        """For tables and plots."""
        return ", ".join(
            value if isinstance(value, str) else f"{name} {value}"
            for name, value in self.build.items()
        )


def ladder(name: str, *values: int, **others: object) -> list[dict[str, Any]]:
    """Efforts that differ in one setting."""
    return [{name: value, **others} for value in values]


class AbstractPeer(ABC):
    """A library or a database over one data set in one folder of its own.

    Built in one process and opened in another. Distances are by cosine.
    """

    name: ClassVar[str]
    package: ClassVar[str]
    modes: ClassVar[tuple[Mode, ...]] = ("ids",)

    def __init__(self, folder: Path, dim: int, build: Settings) -> None:
        self.folder = folder
        self.dim = dim
        self.settings = build
        self.threads = 1
        self.effort: Settings = {}

    @classmethod
    @abstractmethod
    def grid(cls, data: str) -> list[Structure]:
        """What is tried on a data set; empty where that takes too long."""

    @abstractmethod
    def build(self, data: Folder) -> None:
        """Fill and index the folder, on all cores."""

    @abstractmethod
    def open(self) -> None:
        """Make ready what was built."""

    def use(self, effort: Settings) -> None:
        """Search with this effort from now on."""
        self.effort = effort

    def use_threads(self, threads: int) -> None:
        """Search with so many threads."""
        self.threads = threads

    @abstractmethod
    def ask(self, query: Float32Array, k: int, mode: Mode) -> Sequence[int]:
        """Ids of the nearest rows of one question (dim,)."""

    def ask_many(self, queries: Float32Array, k: int, mode: Mode) -> Sequence[Sequence[int]]:
        """Those of several questions at once; by threads where a peer takes one at a time."""
        with ThreadPoolExecutor(self.threads) as pool:
            return list(pool.map(lambda query: self.ask(query, k, mode), queries))
