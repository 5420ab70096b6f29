"""Where work is done, as callers say it."""

from __future__ import annotations

from latentdb.errors import QueryError
from latentdb.types import EngineName


def uses_ray(engine: EngineName, address: str | None) -> bool:
    """Whether work goes to a cluster.

    Raises
    ------
    QueryError
        An address is given without the engine that it is of, or there is no such engine.
    """
    if engine == "ray":
        return True
    if engine != "local":
        raise QueryError(f"there is no engine {engine!r}: local or ray")
    if address is not None:
        raise QueryError(f"an address is of a cluster: ask for engine 'ray' at {address}")
    return False
