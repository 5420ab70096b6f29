"""Questions through maps: chains, text, fingerprints, and questions that do not belong."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import latentdb
from latentdb.database import LatentDB
from latentdb.errors import SpaceMismatchError, UnknownMapError, WorthlessMapError
from latentdb.space import Space
from latentdb.stitch.chain import find_chain
from latentdb.types import ItemRow, SpaceRows

COUNT = 300
DIMS = {"a": 6, "b": 9, "c": 7, "d": 8}


@pytest.fixture
def db(tmp_path: Path) -> LatentDB:
    """Four linear views of one latent; a → b → c is clean, d lets little through."""
    made = latentdb.create(tmp_path / "made.ldb")
    rng = np.random.default_rng(0)
    latent = rng.standard_normal((COUNT, 6))
    ids = np.arange(1, COUNT + 1, dtype=np.int64)
    vectors = {}
    for name, dim in DIMS.items():
        made.store.add_space(Space(name, "embedding", dim, spec="none"))
        noise = 2.0 if name == "d" else 0.02
        rows = latent @ rng.standard_normal((6, dim)) + noise * rng.standard_normal((COUNT, dim))
        vectors[name] = SpaceRows(ids, rows.astype(np.float32))
    items = [ItemRow(int(i), f"{i}.png", 8, 8, b"", {}) for i in ids]
    made.store.write_batch(items=items, sources=[], vectors=vectors, quarantine=[])
    return made


def _stitch(db: LatentDB, *pairs: str) -> None:
    for source, target in pairs:
        db.stitch(source, target)


def test_a_map_of_its_own_is_taken_and_its_recall_shown(db: LatentDB) -> None:
    _stitch(db, "ab", "bc", "ac")
    asked = db.search(id=5, from_space="a", space="c").query["map"]
    assert asked["chain"] == ["a", "c"]
    assert asked["expected_recall_at_10"] == db.map("a", "c").scores.recall_at_10.value
    assert (asked["is_estimate"], asked["gallery"]) == (False, 60)


def test_a_chain_finds_the_item_where_no_map_leads(db: LatentDB) -> None:
    _stitch(db, "ab", "bc")
    vector = db.store.vectors("a", [5])[0]
    answer = db.search(vector=vector, from_space="a", space="c", k=3)
    assert 5 in [hit.id for hit in answer.hits]
    asked = answer.query["map"]
    assert (asked["chain"], asked["is_estimate"]) == (["a", "b", "c"], True)
    recalls = [db.map(*pair).scores.recall_at_10.value for pair in ("ab", "bc")]
    assert asked["expected_recall_at_10"] == pytest.approx(np.prod(recalls))


def test_the_chain_of_highest_recall_wins(db: LatentDB) -> None:
    _stitch(db, "ad", "dc", "ab", "bc")
    chain = find_chain(
        db.maps(), db.store.space("a"), db.store.space("c"), spaces=db.store.spaces()
    )
    assert chain.names == ["a", "b", "c"]
    worse = db.map("a", "d").scores.recall_at_10.value * db.map("d", "c").scores.recall_at_10.value
    assert chain.expected_recall_at_10 > worse


def test_no_way_there_says_how_to_make_one(db: LatentDB) -> None:
    _stitch(db, "ba")
    with pytest.raises(UnknownMapError, match=r"nor any chain .* latentdb stitch DB --from a --to"):
        db.search(id=5, from_space="a", space="c")


def test_other_fingerprints_are_refused_all_along_a_chain(db: LatentDB) -> None:
    _stitch(db, "ab", "bc")
    spaces = db.store.spaces()
    for name in ("a", "b", "c"):
        changed = {**spaces, name: replace(spaces[name], settings={"steps": 50})}
        with pytest.raises(SpaceMismatchError, match="other settings: fit it again"):
            find_chain(db.maps(), changed["a"], changed["c"], spaces=changed)


def test_a_stale_map_is_gone_round(db: LatentDB) -> None:
    _stitch(db, "ac", "ab", "bc")
    stale = replace(db.map("a", "c"), source_ref=replace(db.map("a", "c").source_ref, dim=99))
    stale = replace(stale, source_ref=replace(stale.source_ref, fingerprint="0" * 16))
    maps = [stale, db.map("a", "b"), db.map("b", "c")]
    spaces = db.store.spaces()
    assert find_chain(maps, spaces["a"], spaces["c"], spaces=spaces).names == ["a", "b", "c"]
    with pytest.raises(SpaceMismatchError, match="a → c was fitted on"):
        find_chain([stale], spaces["a"], spaces["c"], spaces=spaces)


def test_a_question_off_what_the_map_was_fitted_on_is_flagged(db: LatentDB) -> None:
    _stitch(db, "ab")
    inside = db.search(id=5, from_space="a", space="b").query["domain"]
    vector = 20.0 * db.store.vectors("a", [5])[0]
    outside = db.search(vector=vector, from_space="a", space="b").query["domain"]
    assert (inside["is_outside"], outside["is_outside"]) == (False, True)
    assert inside["distance"] < inside["threshold"] < outside["distance"]
    assert inside["measure"] == "mahalanobis"


def test_a_profile_is_read_again_and_fitted_where_there_is_none(db: LatentDB) -> None:
    _stitch(db, "ab")
    fitted = db.profile("a")
    again = latentdb.open(db.uri).profile("a")
    assert fitted is not None
    assert again is not None
    assert again.threshold == fitted.threshold
    lazily = db.profile("b")
    assert lazily is not None
    assert db.profile("b") is lazily


def test_a_question_that_stays_in_its_space_has_no_map(db: LatentDB) -> None:
    asked = db.search(id=5, space="a").query
    assert "map" not in asked
    assert "domain" not in asked


def test_a_map_that_does_not_beat_its_null_is_kept_only_when_forced(db: LatentDB) -> None:
    ids = db.store.item_ids()
    unrelated = np.random.default_rng(5).standard_normal((COUNT, 5)).astype(np.float32)
    db.store.add_space(Space("e", "embedding", 5, spec="none"))
    rows = {"e": SpaceRows(ids, unrelated)}
    db.store.write_batch(items=[], sources=[], vectors=rows, quarantine=[])
    with pytest.raises(WorthlessMapError, match="no better than maps fitted on permuted pairs"):
        db.stitch("a", "e")
    assert db.maps() == []
    forced = db.stitch("a", "e", force=True)
    assert not forced.scores.beats_null
    assert len(db.maps()) == 1
