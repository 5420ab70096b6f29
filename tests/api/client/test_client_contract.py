"""Every question, asked of a database by its files and over a server: the answers are equal."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image

from latentdb.client import RemoteDB
from latentdb.database import LatentDB
from latentdb.edit import Pair
from latentdb.errors import LatentDBError
from latentdb.protocol import Database
from latentdb.query import Query
from latentdb.types import Answer

if TYPE_CHECKING:

    def _both(local: LatentDB, remote: RemoteDB) -> tuple[Database, Database]:
        """mypy checks here that each has what a database has."""
        return local, remote


Question = Callable[[Database], Any]


def first(db: Database, count: int) -> list[int]:
    return [item.id for item in db.list_items(limit=count).items]


def same(mine: Any, theirs: Any) -> None:
    """Arrays and figures to 1e-6, pictures to the pixel, everything else exactly."""
    if isinstance(mine, Image.Image):
        assert np.array_equal(np.asarray(mine), np.asarray(theirs))
    elif isinstance(mine, np.ndarray):
        np.testing.assert_allclose(theirs, mine, rtol=0, atol=1e-6)
    elif isinstance(mine, float):
        assert theirs == pytest.approx(mine, abs=1e-6, nan_ok=True)
    elif isinstance(mine, dict):
        assert list(mine) == list(theirs)
        for name in mine:
            same(mine[name], theirs[name])
    elif isinstance(mine, list | tuple):
        assert len(mine) == len(theirs)
        for one, other in zip(mine, theirs, strict=True):
            same(one, other)
    else:
        assert mine == theirs


def vector(db: Database, space: str) -> Any:
    assert isinstance(db, LatentDB)
    return db.store.vectors(space, first(db, 1))[0]


def told(answer: Answer) -> dict[str, Any]:
    return answer.to_json()


def searches(one: int, other: int) -> dict[str, dict[str, Any]]:
    """Questions about two items of the database."""
    return {
        "text": {"text": "a hat", "k": 4},
        "filtered": {"text": "a hat", "where": "hat and not smiling", "k": 3},
        "item": {"id": one, "space": "dino"},
        "across spaces": {"text": "a hat", "space": "dino"},
        "norm-aware": {"id": one, "space": "noise", "metric": "nao", "prior": "fitted"},
        "moved": {"text": "a hat", "directions": {"hat": 2.0}},
        "near alone": {"id": one, "space": "dino", "max_distance": 0.5},
        "several parts": {
            "text": "a hat",
            "like": {one: 2.0},
            "unlike": [other],
            "weights": {"text": 0.5},
            "diverse": 0.7,
            "explain": True,
        },
    }


@pytest.mark.parametrize("name", searches(0, 0))
def test_searches_are_answered_alike(local: LatentDB, remote: RemoteDB, name: str) -> None:
    asked = searches(*first(local, 2))[name]
    same(told(local.search(**asked)), told(remote.search(**asked)))


def test_a_vector_finds_the_same(local: LatentDB, remote: RemoteDB) -> None:
    point = vector(local, "dino")
    for given in (point, point[None]):
        same(
            told(local.search(vector=given, from_space="dino")),
            told(remote.search(vector=given, from_space="dino")),
        )


@pytest.mark.parametrize("is_opened", [True, False])
def test_a_picture_finds_the_same_and_keeps_its_name(
    local: LatentDB, remote: RemoteDB, faces: Path, *, is_opened: bool
) -> None:
    path = faces / "face_00007.png"
    image = Image.open(path) if is_opened else path
    for more in ({}, {"text": "a hat"}):
        asked: dict[str, Any] = {"image": image, "space": "clip", "k": 2, **more}
        same(told(local.search(**asked)), told(remote.search(**asked)))


def test_many_questions_are_answered_in_their_order(local: LatentDB, remote: RemoteDB) -> None:
    asked = [Query(text=text, k=2) for text in ("a hat", "a face", "a smile", "glasses")] * 5
    same(
        [told(one) for one in local.search_many(asked)],
        [told(one) for one in remote.search_many(asked)],
    )


READS: dict[str, Question] = {
    "number": len,
    "names of spaces": lambda db: list(db.spaces()),
    "spaces": lambda db: [replace(space, spec="") for space in db.spaces().values()],
    "vectors": lambda db: db.vector_counts(),
    "labels": lambda db: db.label_columns(),
    "items": lambda db: db.items(first(db, 5)[::-1]),
    "a page": lambda db: db.list_items(where="hat", limit=7),
    "the page after": lambda db: db.list_items(limit=7, after=first(db, 7)[-1]),
    "the last page": lambda db: db.list_items(limit=50, after=first(db, 50)[-1]),
    "everything": lambda db: db.list_items(limit=1000),
    "a thumbnail": lambda db: db.thumbnail(first(db, 1)[0]),
    "a picture": lambda db: db.picture(first(db, 1)[0]),
    "quarantine": lambda db: db.quarantine(),
    "indexes": lambda db: db.indexes(),
    "maps": lambda db: [one.to_json() for one in db.maps()],
    "a map": lambda db: db.map("clip", "dino").scores,
    "directions": lambda db: [one.to_json() for one in db.directions()],
    "a direction": lambda db: db.direction("hat", "noise").to_json(),
    "one that is there": lambda db: db.has_direction("hat", "clip"),
    "one that is not": lambda db: db.has_direction("hat", "dino"),
    "ranked": lambda db: told(db.rank("hat", space="clip", where="smiling", k=5)),
    "the least": lambda db: told(db.rank("smiling", descending=False)),
    "ranked by energy": lambda db: told(db.rank_by_energy("clip", k=5)),
    "a plane": lambda db: [db.project("dino").ids, db.project("dino").xy],
    "some of a plane": lambda db: db.project("dino", where="hat", limit=5).to_json(),
    "values": lambda db: db.point_values("clip", "direction:hat").values,
    "values of some": lambda db: db.point_values("clip", "norm", ids=first(db, 9)[::-1]).values,
}


@pytest.mark.parametrize("read", READS.values(), ids=list(READS))
def test_what_is_there_is_told_alike(local: LatentDB, remote: RemoteDB, read: Question) -> None:
    same(read(local), read(remote))


def both_ends(db: Database) -> tuple[int, int]:
    start, end = first(db, 2)
    return start, end


def test_curves_are_the_same(local: LatentDB, remote: RemoteDB) -> None:
    for options in ({}, {"space": "clip", "method": "slerp", "steps": 5}):
        mine, theirs = (
            db.interpolate(*both_ends(db), **options)  # type: ignore[arg-type]
            for db in (local, remote)
        )
        same(mine.to_json(), theirs.to_json())
        same(mine.points, theirs.points)
        assert mine.space.fingerprint == theirs.space.fingerprint


def test_middles_are_the_same(local: LatentDB, remote: RemoteDB) -> None:
    ids = first(local, 4)
    for asked, options in ((ids, {}), (None, {"where": "hat", "space": "clip", "k": 3})):
        mine, theirs = (db.centroid(asked, **options) for db in (local, remote))  # type: ignore[arg-type]
        same(mine.to_json(), theirs.to_json())
        same(mine.vector, theirs.vector)


def test_points_of_noise_are_drawn_alike(local: LatentDB, remote: RemoteDB) -> None:
    points = local.store.vectors("noise", first(local, 2))
    same(local.decode(points), remote.decode(points, space="noise"))


def test_edits_are_the_same(local: LatentDB, remote: RemoteDB) -> None:
    start, end = first(local, 2)
    asked: dict[str, Any] = {"strengths": (-1.0, 2.0), "pair": Pair(start, end)}
    made: list[int] = []
    mine = local.edit(start, {"hat": 1.0}, **asked)
    theirs = remote.edit(start, {"hat": 1.0}, on_decoded=made.append, **asked)
    assert sum(made) == 3
    same(mine.to_json(), theirs.to_json())
    same((mine.original, *mine.pictures), (theirs.original, *theirs.pictures))
    same(mine.vectors, theirs.vectors)


def test_a_picture_from_elsewhere_is_edited_alike(
    local: LatentDB, remote: RemoteDB, faces: Path
) -> None:
    path = faces / "face_00003.png"
    mine, theirs = (db.edit(image=path, directions={"hat": 2.0}) for db in (local, remote))
    same(mine.to_json(), theirs.to_json())
    same(mine.pictures, theirs.pictures)


def test_imagined_pictures_are_the_same(local: LatentDB, remote: RemoteDB) -> None:
    mine, theirs = (db.imagine(text="a hat", n=2, seed=3) for db in (local, remote))
    same(mine.to_json(), theirs.to_json())
    same(mine.pictures, theirs.pictures)
    same(mine.mean, theirs.mean)


ERRORS: dict[str, Question] = {
    "no such item": lambda db: db.items([7, 8]),
    "no picture of it": lambda db: db.picture(7),
    "no thumbnail of it": lambda db: db.thumbnail(7),
    "no such space": lambda db: db.search(text="a", space="nope"),
    "no such item asked with": lambda db: db.search(id=7),
    "nothing asked": lambda db: db.search(),
    "no hits": lambda db: db.search(text="a", k=0),
    "a filter of nothing": lambda db: db.search(text="a", where="nope"),
    "a filter that reads": lambda db: db.list_items(where="id = (select 1)"),
    "a page of nothing": lambda db: db.list_items(limit=0),
    "no such direction": lambda db: db.search(text="a", directions={"nope": 1.0}),
    "a direction of two spaces": lambda db: db.direction("hat"),
    "no direction of that name": lambda db: db.direction("nope"),
    "no such map": lambda db: db.map("dino", "clip"),
    "another dimension": lambda db: db.search(vector=np.ones(3), from_space="dino"),
    "a vector of no number": lambda db: db.search(
        vector=np.full(db.spaces()["dino"].dim, np.nan), from_space="dino"
    ),
    "a prior of no metric": lambda db: db.search(text="a", metric="cosine", prior="chi"),
    "no such file": lambda db: db.search(image="nowhere/at/all.png"),
    "a rank of nothing": lambda db: db.rank("nope"),
    "energies not asked for": lambda db: db.rank_by_energy("nope"),
    "no way from there": lambda db: db.search(id=first(db, 1)[0], from_space="dino", space="clip"),
    "two of one": lambda db: db.interpolate(7, 8),
    "a space without a decoder": lambda db: db.decode(np.ones((1, 8), np.float32), space="dino"),
    "a middle of both": lambda db: db.centroid([7], where="hat"),
    "neither item nor picture": lambda db: db.edit(directions={"hat": 1.0}),
    "an edit along nothing": lambda db: db.edit(first(db, 1)[0], {"nope": 1.0}),
    "an index of no space": lambda db: db.build_index("nope"),
    "a map of no space": lambda db: db.stitch("nope", "clip"),
    "a direction of nothing": lambda db: db.fit_direction("x", space="clip"),
    "a direction of no label": lambda db: db.fit_direction("x", space="clip", label="nope"),
    "no values of that": lambda db: db.point_values("clip", "label:nope"),
    "a plane of no space": lambda db: db.project("nope"),
}


@pytest.mark.parametrize("ask", ERRORS.values(), ids=list(ERRORS))
def test_errors_are_of_one_class_and_one_text(
    local: LatentDB, remote: RemoteDB, ask: Question
) -> None:
    with pytest.raises(LatentDBError) as mine:
        ask(local)
    with pytest.raises(LatentDBError) as theirs:
        ask(remote)
    assert (theirs.type, str(theirs.value)) == (mine.type, str(mine.value))
