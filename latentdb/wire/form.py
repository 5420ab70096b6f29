"""How one kind of result crosses the wire: both ways, said in one place."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, final

from latentdb.wire.fields import Fields

T = TypeVar("T")


@final
@dataclass(frozen=True)
class Include:
    """What a result brings beside its facts, which costs bytes.

    Parameters
    ----------
    pictures : bool
        Pictures that were made, as PNG.
    vectors : bool
        Arrays, to the bit. A result that holds some comes back whole only with them.
    """

    pictures: bool = True
    vectors: bool = False


@final
@dataclass(frozen=True)
class Form(Generic[T]):
    """One kind of result.

    Parameters
    ----------
    kind : type
        Class of the result.
    encode : callable
        JSON of one, with what `Include` says.
    decode : callable
        One of its fields.
    """

    kind: type[T]
    encode: Callable[[T, Include], dict[str, Any]]
    decode: Callable[[Fields], T]
