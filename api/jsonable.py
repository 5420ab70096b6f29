"""Values as JSON can carry them, for commands and server alike."""

from __future__ import annotations

import math
from typing import Any


def jsonable(data: Any) -> Any:
    """A copy of `data` in which NaN and infinity, which JSON lacks, are None."""
    if isinstance(data, float) and not math.isfinite(data):
        return None
    if isinstance(data, dict):
        return {key: jsonable(value) for key, value in data.items()}
    if isinstance(data, list | tuple):
        return [jsonable(value) for value in data]
    return data
