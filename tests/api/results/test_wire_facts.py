"""Results that cross the wire whole: what is encoded is what is decoded."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from latentdb.database import LatentDB
from latentdb.directions.direction import Direction
from latentdb.energy.kept import SpaceEnergy
from latentdb.energy.measure import measured_exactly, silent
from latentdb.errors import WireError
from latentdb.index import IndexInfo
from latentdb.listing import ItemPage
from latentdb.space import Space
from latentdb.stitch.linear_map import LinearMap
from latentdb.store.compaction import Compaction
from latentdb.types import Answer, IngestSummary, Item, QuarantineRow
from latentdb.wire import decode, encode
from latentdb.wire.items import label_columns_from_wire, label_columns_to_wire


def sent(result: object) -> Any:
    """What a client reads of it."""
    return json.loads(json.dumps(encode(result), allow_nan=False))


def first_id(db: LatentDB) -> int:
    return int(db.store.item_ids()[0])


RESULTS: dict[str, Callable[[LatentDB], object]] = {
    "answer": lambda db: db.search(text="a hat", k=3),
    "explained": lambda db: db.search(text="a hat", id=first_id(db), space="clip", explain=True),
    "mapped": lambda db: db.search(text="a hat", space="dino", k=2),
    "ranked": lambda db: db.rank("hat", k=4),
    "item": lambda db: db.items([first_id(db)])[0],
    "page": lambda db: db.list_items(limit=7),
    "last page": lambda db: db.list_items(limit=7, after=int(db.store.item_ids()[-2])),
    "quarantined": lambda db: db.quarantine()[0],
    "index": lambda db: db.indexes()[0],
    "audit": lambda db: db.upkeep.audit("clip", questions=5)[0],
    "compaction": lambda _: Compaction(188, 6, 203, 7),
    "summary": lambda _: IngestSummary(seen=3, added=2, reasons={"empty": 1}, spaces=["clip"]),
}


FACTS: dict[str, Callable[[LatentDB], LinearMap | Direction | SpaceEnergy]] = {
    "map": lambda db: db.maps()[0],
    "direction": lambda db: db.directions()[0],
    "energy": lambda db: measured_exactly(
        db.spaces()["clip"], db.store.all_vectors("clip"), schedule="flow", progress=silent
    ),
}


@pytest.mark.parametrize("name", RESULTS)
def test_a_result_crosses_the_wire_and_is_equal(db: LatentDB, name: str) -> None:
    result = RESULTS[name](db)
    assert decode(type(result), sent(result)) == result


@pytest.mark.parametrize("name", FACTS)
def test_of_what_was_fitted_the_facts_cross_under_the_same_names(db: LatentDB, name: str) -> None:
    whole = FACTS[name](db)
    facts = decode(type(whole.facts), sent(whole))
    assert facts == whole.facts
    assert facts.to_json() == whole.to_json()


@pytest.mark.parametrize("name", FACTS)
def test_facts_of_another_version_say_what_is_wrong(db: LatentDB, name: str) -> None:
    there = sent(FACTS[name](db))
    facts = type(FACTS[name](db).facts)
    for field in there.keys() - {"rank"}:
        with pytest.raises(WireError, match="different versions"):
            decode(facts, {key: value for key, value in there.items() if key != field})


def test_a_space_crosses_without_the_place_of_its_model(db: LatentDB) -> None:
    space = db.spaces()["clip"]
    there = sent(space)
    assert "spec" not in there
    assert decode(Space, there) == replace(space, spec="served:")


def test_a_space_of_vectors_alone_has_no_model_on_the_other_side() -> None:
    space = Space("all", "shared", 4, "shared:all", {"members": "a,b"})
    assert not decode(Space, sent(space)).has_model


def test_types_of_labels_cross_the_wire(db: LatentDB) -> None:
    columns = db.label_columns()
    assert label_columns_from_wire(label_columns_to_wire(columns)) == columns


def test_every_hit_and_item_says_where_its_picture_is(db: LatentDB) -> None:
    hits = sent(db.search(text="a hat", k=2))["hits"]
    items = sent(db.list_items(limit=2))["items"]
    assert all(one["image"] == f"/v1/items/{one['id']}/image" for one in hits + items)


BROKEN: dict[str, tuple[type, object, str]] = {
    "missing": (Answer, {"space": "clip"}, "came without 'metric': .* different versions"),
    "no object": (Item, [], r"Item is an object, got \[\]"),
    "text": (QuarantineRow, {"source": 3}, "QuarantineRow.source is a string, got 3"),
    "number": (IndexInfo, {"count": True}, "IndexInfo.count is a whole number, got True"),
    "list": (ItemPage, {"items": {}, "count": 1, "next": None}, "items is a list"),
    "inside": (ItemPage, {"items": [{"id": "7"}]}, r"ItemPage.items\[0\].id is a whole number"),
    "cursor": (ItemPage, {"items": [], "count": 1, "next": "x"}, "'x' is no cursor"),
    "choice": (Space, {"name": "a", "kind": "cloud"}, "Space.kind is one of noise, embedding"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_an_answer_of_another_version_says_which_field(name: str) -> None:
    kind, data, message = BROKEN[name]
    with pytest.raises(WireError, match=message):
        decode(kind, data)


def test_a_space_whose_settings_were_changed_on_the_way_is_refused(db: LatentDB) -> None:
    there = sent(db.spaces()["clip"])
    there["settings"]["size"] = 1
    with pytest.raises(WireError, match="its settings give"):
        decode(Space, there)


def test_fields_of_a_newer_server_are_passed_over(db: LatentDB) -> None:
    item = db.items([first_id(db)])[0]
    assert decode(Item, {**sent(item), "mood": "new"}) == item
