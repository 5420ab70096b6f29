"""Strict reading of what came over the wire: what is not as it must be says which field it is."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NoReturn, TypeVar, final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from latentdb.errors import WireError
from latentdb.wire.arrays import array_from_wire
from latentdb.wire.pictures import picture_from_wire

T = TypeVar("T")


@final
class Fields:
    """A JSON object, read field by field.

    Fields that nobody asks for are passed over, so that a newer server may say more.

    Parameters
    ----------
    data : JSON value
        Refused where it is no object.
    what : str
        What it is, for errors.

    Raises
    ------
    WireError
        By every method: the field is not there, or of another type.
    """

    def __init__(self, data: Any, what: str) -> None:
        self._what = what
        if not isinstance(data, Mapping):
            self._refuse("", "an object", data)
        self._data: Mapping[str, Any] = data

    def has(self, name: str) -> bool:
        """Whether the field is there, and not null."""
        return self._data.get(name) is not None

    def text(self, name: str) -> str:
        """A string."""
        return self._typed(name, str, "a string")

    def text_or_none(self, name: str) -> str | None:
        """A string, or null."""
        return self.text(name) if self._value(name) is not None else None

    def flag(self, name: str) -> bool:
        """True or false."""
        return self._typed(name, bool, "true or false")

    def integer(self, name: str) -> int:
        """A whole number."""
        value = _integer(self._value(name))
        if value is None:
            self._refuse(name, "a whole number", self._value(name))
        return value

    def number(self, name: str) -> float:
        """A finite number."""
        value = _number(self._value(name))
        if value is None:
            self._refuse(name, "a number", self._value(name))
        return value

    def number_or_none(self, name: str) -> float | None:
        """A finite number, or null."""
        return None if self._value(name) is None else self.number(name)

    def mapping(self, name: str) -> dict[str, Any]:
        """A JSON object as it came."""
        return self._typed(name, dict, "an object")

    def inside(self, name: str) -> Fields:
        """The fields of a field."""
        return Fields(self._value(name), f"{self._what}.{name}")

    def each(self, name: str) -> list[Fields]:
        """The objects of a list."""
        return [
            Fields(one, f"{self._what}.{name}[{at}]")
            for at, one in enumerate(self._typed(name, list, "a list"))
        ]

    def texts(self, name: str) -> tuple[str, ...]:
        """The strings of a list."""
        values = self._typed(name, list, "a list")
        if not all(isinstance(one, str) for one in values):
            self._refuse(name, "a list of strings", values)
        return tuple(values)

    def ids(self, name: str) -> NDArray[np.int64]:
        """The ids (n,) of a list."""
        values = self._typed(name, list, "a list")
        if any(_integer(one) is None or not 0 <= one < 2**63 for one in values):
            self._refuse(name, "a list of ids", values)
        return np.array(values, dtype=np.int64)

    def array(self, name: str, dtype: str, shape: tuple[int | None, ...]) -> NDArray[Any]:
        """An array of that dtype and shape, exact; None in the shape for any length."""
        return array_from_wire(self._value(name), f"{self._what}.{name}", dtype, shape)

    def picture(self, name: str) -> Image.Image:
        """A picture as RGB."""
        return picture_from_wire(self._value(name), f"{self._what}.{name}")

    def choice(self, name: str, allowed: tuple[str, ...]) -> Any:
        """One of several strings."""
        value = self._value(name)
        if value not in allowed:
            self._refuse(name, f"one of {', '.join(allowed)}", value)
        return value

    def whole(self) -> Mapping[str, Any]:
        """All fields, as they came."""
        return self._data

    def _value(self, name: str) -> Any:
        if name not in self._data:
            raise WireError(
                f"{self._what} came without {name!r}: the server and this client are of different "
                "versions of latentdb; bring both to the same one"
            )
        return self._data[name]

    def _typed(self, name: str, kind: type[T], expected: str) -> T:
        value = self._value(name)
        if not isinstance(value, kind):
            self._refuse(name, expected, value)
        return value

    def _refuse(self, name: str, expected: str, value: Any) -> NoReturn:
        shown = repr(value)
        raise WireError(
            f"{self._what}{'.' if name else ''}{name} is {expected}, got "
            f"{shown if len(shown) <= 60 else shown[:57] + '...'}: the server and this client are "
            "of different versions of latentdb, or this is no latentdb server"
        )


def _integer(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _number(value: object) -> float | None:
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    number = float(value) if not isinstance(value, int) or abs(value) < 2**1000 else math.inf
    return number if math.isfinite(number) else None
