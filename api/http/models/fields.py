"""Types that requests are made of: every one is bounded."""

from __future__ import annotations

import re
from typing import Annotated, Any, Final, TypeAlias

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

MAX_K: Final = 500
MAX_DIM: Final = 65_536
MAX_ITEMS: Final = 64
MAX_MEMBERS: Final = 1000
MAX_DIRECTIONS: Final = 32
# Pictures that one request has computed; a UNet takes from milliseconds to minutes for each.
MAX_PICTURES: Final = 64
MAX_STEPS: Final = 1000
# Standard deviations, and weights. Far more than means anything, far less than overflows float32.
MAX_STRENGTH: Final = 1000.0
MAX_WEIGHT: Final = 1e6
_MAX_ID: Final = 2**63 - 1
_DIGITS = r"^(0|[1-9][0-9]{0,18})$"


class Request(BaseModel):
    """A JSON object of known fields, each of its own type: a number is never read of a string."""

    model_config = ConfigDict(extra="forbid", strict=True, populate_by_name=True)


class DrawnRequest(Request):
    """A request whose answer may bring pictures and vectors."""

    pictures: bool = Field(
        default=True, description="Bring what the space draws, as base64 PNG in fields `png`."
    )
    vectors: bool = Field(
        default=False, description="Bring vectors to the bit: dtype, shape and base64."
    )


def _id_of(value: Any) -> Any:
    """Digits as a number: JavaScript's numbers end at 53 bits."""
    return int(value) if isinstance(value, str) and re.fullmatch(_DIGITS, value) else value


def _by_id(value: Any) -> Any:
    """A list of ids as weights of 1."""
    if not isinstance(value, list):
        return value
    if len({str(item) for item in value}) != len(value):
        raise ValueError("an item is named more than once")
    return {str(item): 1.0 for item in value if isinstance(item, int | str)}


_ID_SCHEMA: dict[str, Any] = {
    "anyOf": [
        {"type": "integer", "minimum": 0, "maximum": _MAX_ID},
        {"type": "string", "pattern": _DIGITS},
    ]
}
_WEIGHTS_SCHEMA: dict[str, Any] = {
    "anyOf": [
        {
            "type": "object",
            "propertyNames": {"pattern": _DIGITS},
            "additionalProperties": {
                "type": "number",
                "exclusiveMinimum": 0,
                "maximum": MAX_WEIGHT,
            },
            "maxProperties": MAX_ITEMS,
        },
        {"type": "array", "items": _ID_SCHEMA, "maxItems": MAX_ITEMS},
    ]
}

Name: TypeAlias = Annotated[str, Field(min_length=1, max_length=200)]
Text: TypeAlias = Annotated[str, Field(max_length=2000)]
Where: TypeAlias = Annotated[str, Field(max_length=4000)]
# What float32 holds.
Coordinate: TypeAlias = Annotated[float, Field(ge=-3.4e38, le=3.4e38)]
Finite: TypeAlias = Annotated[float, Field(allow_inf_nan=False)]
Strength: TypeAlias = Annotated[float, Field(ge=-MAX_STRENGTH, le=MAX_STRENGTH)]
Weight: TypeAlias = Annotated[float, Field(ge=-MAX_WEIGHT, le=MAX_WEIGHT)]
Share: TypeAlias = Annotated[float, Field(ge=0.0, le=MAX_WEIGHT)]
Size: TypeAlias = Annotated[int, Field(ge=1, le=MAX_DIM)]
Count: TypeAlias = Annotated[int, Field(ge=1, le=MAX_K)]
ItemId: TypeAlias = Annotated[
    int, Field(ge=0, le=_MAX_ID), BeforeValidator(_id_of), WithJsonSchema(_ID_SCHEMA)
]
ItemWeights: TypeAlias = Annotated[
    dict[ItemId, Annotated[float, Field(gt=0.0, le=MAX_WEIGHT)]],
    Field(max_length=MAX_ITEMS),
    BeforeValidator(_by_id),
    WithJsonSchema(_WEIGHTS_SCHEMA),
]
Vector: TypeAlias = Annotated[list[Coordinate], Field(min_length=1, max_length=MAX_DIM)]
Directions: TypeAlias = Annotated[dict[Name, Strength], Field(max_length=MAX_DIRECTIONS)]
