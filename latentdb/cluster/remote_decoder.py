"""One chunk at a time on whichever worker has room, and again on another where that one is lost."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, final

from latentdb.cluster.crew import Crew, Member
from latentdb.cluster.picture_worker import Worked
from latentdb.cluster.ray_library import LostError, answer
from latentdb.errors import ClusterError, PictureError
from latentdb.ingest.chunk import Decoded, Refused, Wanted
from latentdb.ingest.recipes import AbstractRecipe, InlineBytes

# Workers that one chunk may cost.
_TRIES = 4


@final
class RemoteDecoder:
    """A `Helper` in the cluster, for one thread.

    Parameters
    ----------
    crew : Crew
        Of `PictureWorker`s.
    max_bytes : int
        Of one file.
    tell : callable of str
        Told what workers have to say; called from the thread that uses this object.
    """

    def __init__(self, crew: Crew, *, max_bytes: int, tell: Callable[[str], None]) -> None:
        self._crew = crew
        self._max_bytes = max_bytes
        self._tell = tell
        self._recipes: Sequence[AbstractRecipe] = []
        self._hashes: list[str | Refused] = []
        self._member: Member | None = None
        self._ticket = ""
        self._losses = 0

    def read(self, recipes: Sequence[AbstractRecipe]) -> list[str | Refused]:
        """Content hash of each, or why it cannot be read."""
        self._recipes, self._losses = recipes, 0
        self._hashes = self._read_somewhere()
        return self._hashes

    def decode(self, wanted: Sequence[Wanted | None]) -> list[Decoded | Refused | None]:
        """The chunk last read, decoded and embedded; None stays None."""
        changed: set[int] = set()
        while True:
            done: Worked | None = self._asked("decode", self._ticket, wanted, is_last=True)
            if done is not None:
                break
            again = self._read_somewhere()
            changed |= {at for at, hashed in enumerate(again) if hashed != self._hashes[at]}
        for message in done.messages:
            self._tell(message)
        refused = Refused("unreadable", "the file changed while it was read")
        return [
            refused if at in changed and wanted[at] is not None else result
            for at, result in enumerate(done.results)
        ]

    def kill(self) -> None:
        """Let go of a chunk; workers are the crew's to end."""
        if self._member is not None:
            self._member.actor.forget.remote(self._ticket)
            self._crew.give_back(self._member, has_done=False)
            self._member = None

    def _read_somewhere(self) -> list[str | Refused]:
        """Read on a worker; what it cannot read and this machine can is sent to it."""
        while True:
            self._member, self._ticket = self._crew.take(), uuid.uuid4().hex
            hashes = self._asked("read", self._ticket, self._recipes)
            if hashes is None:
                continue
            missing = [at for at, one in enumerate(hashes) if _is_unreadable(one)]
            if not missing:
                return list(hashes)
            carried = _carried(self._recipes, missing, self._max_bytes)
            hashes = self._asked("read", self._ticket, carried)
            if hashes is not None:
                return list(hashes)

    def _asked(self, verb: str, *arguments: Any, is_last: bool = False) -> Any:
        """What the worker says; None where it is lost, which must not happen too often."""
        member = self._member
        assert member is not None
        try:
            said = answer(getattr(member.actor, verb).remote(*arguments))
        except LostError as error:
            self._member = None
            self._crew.lost(member, str(error))
            self._losses += 1
            self._tell(f"a worker is gone, and what it had is done by another: {error}")
            if self._losses >= _TRIES:
                raise ClusterError(
                    f"{_TRIES} workers died over the same {len(self._recipes)} pictures, the "
                    f"last: {error}. A smaller batch needs less memory: --batch-size"
                ) from error
            return None
        except BaseException:
            # It is there, and has thrown the chunk away.
            self._member = None
            self._crew.give_back(member, has_done=False)
            raise
        if is_last:
            self._member = None
            self._crew.give_back(member, has_done=True)
        return said


def _is_unreadable(answered: str | Refused) -> bool:
    return isinstance(answered, Refused) and answered.reason == "unreadable"


def _carried(
    recipes: Sequence[AbstractRecipe], missing: Sequence[int], max_bytes: int
) -> list[AbstractRecipe]:
    """The same, with the bytes of those missing that can be read here."""
    carried = list(recipes)
    for at in missing:
        # Where it cannot be read here either, what the worker says of it is said again.
        with suppress(PictureError):
            carried[at] = InlineBytes(recipes[at].read(max_bytes))
    return carried
