"""Server-sent events, read line by line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import final


@final
@dataclass(frozen=True)
class Event:
    """What a server told: a kind, and its data as text."""

    kind: str
    data: str


def read_events(lines: Iterable[str]) -> Iterator[Event]:
    """The events in lines without their ends; comments, which keep a connection open, are none.

    References
    ----------
    WHATWG, "HTML Living Standard", 9.2 Server-sent events.
    """
    kind, data = "message", list[str]()
    for line in lines:
        if not line:
            if data:
                yield Event(kind, "\n".join(data))
            kind, data = "message", []
            continue
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "event":
            kind = value
        elif name == "data":
            data.append(value)
