"""Workers that come and go: whoever has room gets the next chunk, and the lost are replaced."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, final

from latentdb.cluster.ray_library import LostError, answer, end_actor, is_there
from latentdb.errors import ClusterError

_LOOK_SECONDS = 0.05
# Deaths in a row, per worker, without a chunk done in between: no machine's fault any more.
_DEATHS = 3


@final
@dataclass(eq=False)
class Member:
    """One worker: its actor, whether it has answered yet, and the chunks that it has."""

    actor: Any
    ready: Any
    is_ready: bool = False
    busy: int = 0


@final
class Crew:
    """Workers for several threads; safe for all of them.

    Parameters
    ----------
    start : callable
        Starts an actor with a method `ready`, which loads what it needs.
    size : int
        Workers wanted. Those that the cluster has no room for wait, and join when it has.
    at_once : int
        Chunks that one worker has at a time.
    patience_s : float
        How long none may be there before the run gives up, in seconds.
    """

    def __init__(
        self, start: Callable[[], Any], *, size: int, at_once: int, patience_s: float
    ) -> None:
        self._start = start
        self._size = size
        self._at_once = at_once
        self._patience_s = patience_s
        self._changed = threading.Condition()
        self._deaths = 0
        self._is_closed = False
        self._members = [self._new() for _ in range(size)]

    def _new(self) -> Member:
        actor = self._start()
        return Member(actor, actor.ready.remote())

    def take(self) -> Member:
        """The worker with most room; waits for one.

        Raises
        ------
        ClusterError
            There is none for too long, too many died, or the crew was closed.
        Exception
            What `ready` raised, such as a model that cannot be loaded.
        """
        give_up = time.monotonic() + self._patience_s
        with self._changed:
            while True:
                self._require_open()
                self._look()
                ready = [member for member in self._members if member.is_ready]
                free = [member for member in ready if member.busy < self._at_once]
                if free:
                    chosen = min(free, key=lambda member: member.busy)
                    chosen.busy += 1
                    return chosen
                if not ready and time.monotonic() > give_up:
                    raise ClusterError(
                        f"no worker could start within {self._patience_s:g} s: the cluster has no "
                        "room for one; see ray status"
                    )
                self._changed.wait(_LOOK_SECONDS)

    def give_back(self, member: Member, *, has_done: bool) -> None:
        """The worker is done with a chunk, which it finished or not."""
        with self._changed:
            member.busy -= 1
            if has_done:
                self._deaths = 0
            self._changed.notify_all()

    def lost(self, member: Member, why: str) -> None:
        """Replace a worker that does not answer any more; called by each thread that finds out."""
        with self._changed:
            member.busy -= 1
            if member in self._members and not self._is_closed:
                self._replace(member, why)
            self._changed.notify_all()

    def close(self) -> None:
        """End all workers; threads that wait for one are told."""
        with self._changed:
            if self._is_closed:
                return
            self._is_closed = True
            for member in self._members:
                end_actor(member.actor)
            self._changed.notify_all()

    def _require_open(self) -> None:
        if self._is_closed:
            raise ClusterError("the run is over")

    def _look(self) -> None:
        """Find out which of those that were starting have started."""
        for member in [m for m in self._members if not m.is_ready and is_there(m.ready)]:
            try:
                answer(member.ready)
            except LostError as error:
                self._replace(member, str(error))
            else:
                member.is_ready = True

    def _replace(self, member: Member, why: str) -> None:
        self._deaths += 1
        self._members.remove(member)
        end_actor(member.actor)
        if self._deaths > _DEATHS * self._size:
            raise ClusterError(f"{self._deaths} workers died one after the other, the last: {why}")
        self._members.append(self._new())
