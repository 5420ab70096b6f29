"""Answers on the wire: the contract's JSON, and the address of each hit's picture."""

from __future__ import annotations

from typing import Any

from latentdb.explanation import Explanation, Term
from latentdb.types import Answer, Hit
from latentdb.wire.fields import Fields
from latentdb.wire.form import Form, Include
from latentdb.wire.items import image_address, labels_of


def encode_answer(answer: Answer, _include: Include | None = None) -> dict[str, Any]:
    """An answer as JSON; the values of its labels are not looked at."""
    body = answer.to_json()
    for hit in body["hits"]:
        hit["image"] = image_address(hit["id"])
    return body


def decode_answer(data: Fields) -> Answer:
    """The answer that `encode_answer` wrote."""
    return Answer(
        space=data.text("space"),
        metric=data.text("metric"),
        exact=data.flag("exact"),
        query=data.mapping("query"),
        hits=[decode_hit(one) for one in data.each("hits")],
        recall_at_10=data.number("recall_at_10"),
    )


def decode_hit(data: Fields) -> Hit:
    """One hit."""
    return Hit(
        id=data.integer("id"),
        distance=data.number("distance"),
        angular=data.number_or_none("angular"),
        radial=data.number_or_none("radial"),
        source=data.text("source"),
        labels=labels_of(data),
        explanation=_explanation(data.inside("explain")) if data.has("explain") else None,
    )


def _explanation(data: Fields) -> Explanation:
    return Explanation(
        similarity=data.number("similarity"),
        base=data.number("base"),
        terms=tuple(
            Term(
                kind=one.text("kind"),
                what=one.text("what"),
                similarity=one.number_or_none("similarity"),
                position=one.number_or_none("position"),
                contribution=one.number("contribution"),
                change=one.number_or_none("change"),
            )
            for one in data.each("terms")
        ),
    )


FORMS = (Form(Answer, encode_answer, decode_answer),)
