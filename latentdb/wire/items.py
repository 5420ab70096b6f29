"""Items on the wire: each with the address of its picture."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any, Final

from latentdb.errors import WireError
from latentdb.listing import ItemPage
from latentdb.types import IngestSummary, Item, LabelValue, QuarantineRow
from latentdb.wire.fields import Fields
from latentdb.wire.form import Form, Include

LABEL_TYPES: Final[Mapping[str, type]] = {one.__name__: one for one in (bool, int, float, str)}


def image_address(item_id: int) -> str:
    """Where a server has a picture; its id is read from here by what lacks 63-bit integers."""
    return f"/v1/items/{item_id}/image"


def cursor_of(next_after: int | None) -> str | None:
    """What a client sends to get the page after this one."""
    return None if next_after is None else str(next_after)


def after_cursor(cursor: str | None) -> int | None:
    """The id that a page follows.

    Raises
    ------
    WireError
        No server gave out such a cursor.
    """
    if cursor is None:
        return None
    if not (cursor.isascii() and cursor.isdecimal() and int(cursor) < 2**63):
        raise WireError(f"{cursor!r} is no cursor: pass on `next` of the page before, unchanged")
    return int(cursor)


def labels_of(item: Fields) -> dict[str, LabelValue]:
    """Labels of an item or hit, refused where one is no scalar."""
    labels = item.mapping("labels")
    for name, value in labels.items():
        if not (value is None or isinstance(value, bool | int | float | str)):
            raise WireError(f"label {name!r} is true or false, a number or a string, got {value!r}")
    return dict(labels)


def label_columns_to_wire(columns: Mapping[str, type]) -> dict[str, str]:
    """Labels of a database, each with the name of its type."""
    return {name: kind.__name__ for name, kind in columns.items()}


def label_columns_from_wire(data: object) -> dict[str, type]:
    """What `label_columns_to_wire` wrote; WireError of an unknown type."""
    columns = Fields({"labels": data}, "answer").mapping("labels")
    inside = Fields(columns, "labels")
    return {name: LABEL_TYPES[inside.choice(name, tuple(LABEL_TYPES))] for name in columns}


def _item(item: Item, _include: Include) -> dict[str, Any]:
    return {**asdict(item), "image": image_address(item.id)}


def _item_of(data: Fields) -> Item:
    return Item(
        id=data.integer("id"),
        source=data.text("source"),
        width=data.integer("width"),
        height=data.integer("height"),
        labels=labels_of(data),
        added_at=data.text("added_at"),
    )


def _page(page: ItemPage, include: Include) -> dict[str, Any]:
    return {
        "count": page.count,
        "items": [_item(item, include) for item in page.items],
        "next": cursor_of(page.next_after),
    }


def _page_of(data: Fields) -> ItemPage:
    return ItemPage(
        items=[_item_of(one) for one in data.each("items")],
        count=data.integer("count"),
        next_after=after_cursor(data.text_or_none("next")),
    )


def _quarantined(row: QuarantineRow, _include: Include) -> dict[str, Any]:
    return asdict(row)


def _quarantined_of(data: Fields) -> QuarantineRow:
    return QuarantineRow(*(data.text(one.name) for one in fields(QuarantineRow)))


def _summary(summary: IngestSummary, _include: Include) -> dict[str, Any]:
    return asdict(summary)


def _summary_of(data: Fields) -> IngestSummary:
    reasons = data.inside("reasons")
    counts = {name: reasons.integer(name) for name in data.mapping("reasons")}
    others = {"reasons", "seconds", "spaces"}
    whole = {
        one.name: data.integer(one.name) for one in fields(IngestSummary) if one.name not in others
    }
    return IngestSummary(
        **whole,
        reasons=counts,
        seconds=data.number("seconds"),
        spaces=list(data.texts("spaces")),
    )


FORMS = (
    Form(Item, _item, _item_of),
    Form(ItemPage, _page, _page_of),
    Form(QuarantineRow, _quarantined, _quarantined_of),
    Form(IngestSummary, _summary, _summary_of),
)
