"""When a request is sent again: how often, after how long, and that not all ask together."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final, final

from latentdb.errors import QueryError

# What a server, or a proxy before it, says while it cannot take a request.
REFUSED_FOR_NOW: Final = frozenset({429, 502, 503, 504})
_LONGEST_S: Final = 60.0


@final
@dataclass(frozen=True)
class Retries:
    """Exponential backoff with full jitter, at least as long as the server asks for.

    Parameters
    ----------
    times : int
        How often a request is sent again; 0 for never.
    first_s, most_s : float
        Upper end of the first pause, which doubles each time, and of all of them.

    References
    ----------
    Brooker, "Exponential backoff and jitter", AWS Architecture Blog, 2015.
    """

    times: int = 4
    first_s: float = 0.2
    most_s: float = 8.0
    _random: random.Random = field(default_factory=random.Random, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.times < 0:
            raise QueryError(f"retries is how often a request is repeated, got {self.times}")

    def pause_s(self, attempt: int, asked_s: float | None) -> float | None:
        """Seconds to wait after attempt 0, 1, …; None where there is to be no other.

        `asked_s` is what the server asked for; more than a minute is told to the caller instead.
        """
        if attempt >= self.times or (asked_s is not None and asked_s > _LONGEST_S):
            return None
        jitter = self._random.uniform(0.0, min(self.most_s, self.first_s * 2.0**attempt))
        return jitter if asked_s is None else asked_s + jitter


def seconds_of(retry_after: str | None) -> float | None:
    """What a Retry-After header asks for; None where there is none that can be read."""
    if retry_after is None:
        return None
    text = retry_after.strip()
    if text.isascii() and text.isdecimal():
        return float(text)
    try:
        then = parsedate_to_datetime(text)
    except ValueError:
        return None
    at = then if then.tzinfo is not None else then.replace(tzinfo=UTC)
    return max(0.0, (at - datetime.now(UTC)).total_seconds())
