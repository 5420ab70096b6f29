"""JSON of what is JSON already, but for a NaN here and there."""

from __future__ import annotations

import json
from typing import Any

from api.jsonable import jsonable


def dumped(content: Any) -> bytes:
    """The JSON of `content`, in which NaN and infinity are null.

    There hardly ever are any, so values are looked at one by one only where the encoder met one.
    """
    try:
        return _encoded(content)
    except ValueError:
        return _encoded(jsonable(content))


def _encoded(content: Any) -> bytes:
    text = json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.encode("utf-8")
