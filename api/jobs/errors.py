"""What can be wrong with asking for a job."""

from __future__ import annotations

from typing import final


@final
class UnknownJobError(KeyError):
    """No job of that id, or one that is over for so long that it was forgotten."""

    def __init__(self, job_id: str) -> None:
        super().__init__(f"no job {job_id[:64]!r}; jobs that are over are forgotten after a while")

    def __str__(self) -> str:
        return str(self.args[0])


@final
class KeyReusedError(ValueError):
    """An idempotency key came again, with another request."""

    def __init__(self) -> None:
        super().__init__(
            "this Idempotency-Key was used for another request; send a new one with a new request"
        )


@final
class TooManyJobsError(RuntimeError):
    """As many jobs wait as may."""

    def __init__(self, waiting: int) -> None:
        super().__init__(f"{waiting} jobs are waiting, which is all that may; try again later")
