"""`encode` and `decode`: every kind of result by its class."""

from __future__ import annotations

from typing import Any, Final, TypeVar

from latentdb.wire import answers, between, drawn, indexes, items, learned, projections, spaces
from latentdb.wire.fields import Fields
from latentdb.wire.form import Form, Include

T = TypeVar("T")

_ALL: tuple[Form[Any], ...] = (
    *answers.FORMS,
    *items.FORMS,
    *spaces.FORMS,
    *indexes.FORMS,
    *learned.FORMS,
    *between.FORMS,
    *drawn.FORMS,
    *projections.FORMS,
)
_FORMS: Final = {form.kind: form for form in _ALL}
# What crosses: a test encodes and decodes one of each.
KINDS: Final = tuple(_FORMS)


def encode(result: object, *, include: Include | None = None) -> dict[str, Any]:
    """A result as JSON values; NaN and infinity are left for the writer of the JSON to see to.

    Parameters
    ----------
    result : any of `KINDS`, or a map, a direction or energies, of which the facts are sent
    include : Include
        What comes with it; pictures and no vectors where not given.
    """
    if type(result) in learned.FACTS:
        result = learned.FACTS[type(result)](result)
    return _form(type(result)).encode(result, include or Include())


def decode(kind: type[T], data: object) -> T:
    """The result of class `kind` that `encode` wrote.

    Raises
    ------
    WireError
        The data are none; the text names the field.
    """
    return _form(kind).decode(Fields(data, kind.__name__))


def _form(kind: type[T]) -> Form[T]:
    form: Form[T] = _FORMS[kind]
    return form
