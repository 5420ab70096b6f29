"""The state of everything in a database that an answer may hang on, in a look of microseconds."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from pathlib import Path
from typing import TypeAlias, final

from latentdb.folder_stamp import folder_stamp, is_settled

State: TypeAlias = tuple[int | None, ...]

# Of work that is to be done or is waited for; no answer reads them.
_PASSED_OVER = frozenset({"jobs", "uploads", "reports"})


class AbstractState(ABC):
    """Tells whether anything in a database changed: tables, indexes, maps, directions, migrations.

    Asked before each answer, so it waits for nothing.
    """

    @abstractmethod
    def now(self) -> State:
        """What an answer given from now on hangs on; equal only while nothing changed.

        Empty where that is not known: no answer is to be kept then.
        """


@final
class DatabaseState(AbstractState):
    """The state of a database in a local folder.

    Whatever is written there ends in a file that is made, renamed or deleted, which changes the
    time of its folder.

    Parameters
    ----------
    folder : Path
        The database.
    """

    def __init__(self, folder: Path) -> None:
        self._root = str(folder)
        self._folders: tuple[str, ...] = ()
        self._last: State = ()

    def now(self) -> State:
        """As the base class says.

        Of a change within the tick of a clock that can only be said once the state `is_settled`.
        """
        state = tuple(map(folder_stamp, self._folders))
        if not state or state != self._last:
            # Folders may have come.
            self._folders = tuple(self._found())
            self._last = state = tuple(map(folder_stamp, self._folders))
        return state

    def _found(self) -> list[str]:
        found = [self._root]
        for path in _below(self._root):
            if path.endswith(".lance"):
                found.append(f"{path}/_versions")
            elif os.path.basename(path) not in _PASSED_OVER:  # noqa: PTH119
                found += [path, *_below(path)]
        return sorted(found)


def all_settled(state: State) -> bool:
    """Whether every change from now on makes another state of it."""
    return all(map(is_settled, state))


def _below(folder: str) -> list[str]:
    with os.scandir(folder) as entries:
        return [entry.path for entry in entries if entry.is_dir()]
