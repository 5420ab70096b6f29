"""Choosing a kind of index by what there is to index."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexers.errors import ParameterError
from indexers.kinds import make_config
from indexers.persistence import read_manifest
from indexers.types import INDEX_KINDS
from latentdb.database import LatentDB
from latentdb.index.choose import Choice, choose, require_room
from latentdb.index.costs import Size, index_bytes, query_seconds
from latentdb.index.request import IndexRequest

GB = 10**9


def chosen(count: int, dim: int, *, memory: int = 64 * GB, target: float = 0.95, noise=False):
    request = IndexRequest("auto", target, memory)
    return choose(Size(count, dim, "cosine"), request, is_noise=noise)


def test_few_vectors_are_compared_exactly() -> None:
    choice = chosen(5000, 256)
    assert choice.config.is_exact
    assert choice.otherwise is None
    assert "5,000 × 256" in choice.reason
    assert "answers are certain" in choice.reason


def test_many_vectors_are_searched_approximately_and_an_exact_kind_is_told() -> None:
    choice = chosen(2_000_000, 512)
    assert not choice.config.is_exact
    assert choice.otherwise is not None
    assert choice.otherwise.is_exact
    assert f"where {choice.otherwise.kind}, which is exact, takes" in choice.reason


def test_a_target_of_one_is_exact_however_many_there_are() -> None:
    assert chosen(2_000_000, 512, target=1.0).config.is_exact


def test_little_memory_takes_codes_alone() -> None:
    choice = chosen(2_000_000, 512, memory=GB)
    assert choice.config.compresses
    assert choice.otherwise is None
    assert "would be quicker and takes" in choice.reason or "1 GB" in choice.reason


def test_no_memory_says_what_the_least_takes() -> None:
    with pytest.raises(ParameterError, match=r"no index of 2,000,000 × 512 .* the smallest, \w+"):
        chosen(2_000_000, 512, memory=10_000_000)


@settings(max_examples=60)
@given(
    count=st.integers(1, 10**7),
    dim=st.integers(2, 20_000),
    memory=st.integers(10**6, 10**11),
    target=st.floats(0.5, 1.0),
    noise=st.booleans(),
)
def test_what_is_chosen_fits_and_nothing_exact_that_is_soon_is_passed_over(
    count: int, dim: int, memory: int, target: float, noise: bool
) -> None:
    size = Size(count, dim, "cosine")
    try:
        choice: Choice = chosen(count, dim, memory=memory, target=target, noise=noise)
    except ParameterError:
        assert all(index_bytes(make_config(kind), size) > memory for kind in INDEX_KINDS)
        return
    assert index_bytes(choice.config, size) <= memory
    if not choice.config.is_exact:
        flat = make_config("flat")
        took = query_seconds("flat", size, target=target, is_noise=noise)
        assert index_bytes(flat, size) > memory or took > 0.01


def test_a_kind_that_does_not_fit_is_refused_and_one_that_does_is_named() -> None:
    request = IndexRequest("flat", None, 100_000_000)
    with pytest.raises(ParameterError, match=r"a flat index .* more than the 100 MB .* --kind"):
        require_room(make_config("flat"), Size(1_000_000, 512, "cosine"), request)
    require_room(make_config("flat"), Size(10_000, 512, "cosine"), request)


@pytest.mark.parametrize("kind", INDEX_KINDS)
def test_predicted_memory_is_about_what_the_files_take(asked_db: LatentDB, kind: str) -> None:
    built = asked_db.build_index("far", kind=kind, target_recall=0.5)
    size = Size(built.count, asked_db.store.space("far").dim, "cosine")
    predicted = index_bytes(make_config(kind), size)
    assert 0.5 < built.index_bytes / predicted < 2.5


def test_an_index_that_was_chosen_says_why_and_is_chosen_again(asked_db: LatentDB) -> None:
    built = asked_db.build_index("clip", kind="auto", memory=50_000_000)
    assert built.reason is not None
    assert built.reason.startswith(f"{built.kind}: of 1,200 × 16 vectors")
    assert built.to_json()["reason"] == built.reason
    folder = asked_db.catalog.indexes._folder.path / "clip--cosine"
    asked = read_manifest(folder)["extra"]["asked"]
    assert (asked["kind"], asked["memory"]) == ("auto", 50_000_000)
    rows = next(folder.glob("*/rows.faiss"))
    rows.write_bytes(rows.read_bytes()[:-1])
    assert asked_db.check(repair=True) == []
    assert asked_db.indexes()[0].reason == built.reason


def test_a_chosen_kind_that_finds_too_little_gives_way_to_an_exact_one(
    asked_db: LatentDB, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("latentdb.index.choose._SOON_S", 0.0)
    monkeypatch.setattr("indexers.hnsw.doublings", lambda first, _last: (first,))
    monkeypatch.setattr("latentdb.index.choose.INDEX_KINDS", ("flat", "hnsw"))
    monkeypatch.setattr(
        "latentdb.index.choose.query_seconds",
        lambda kind, _size, **_options: 0.001 if kind == "hnsw" else 0.1,
    )
    built = asked_db.build_index("clip", kind="auto", target_recall=0.999)
    assert built.kind == "flat"
    assert built.target_met
    assert built.reason is not None
    assert "flat: exact, since hnsw, which would be quicker, found" in built.reason
    assert "text questions" in built.reason


def test_memory_that_was_asked_for_is_positive(asked_db: LatentDB) -> None:
    with pytest.raises(ParameterError, match="bytes above 0"):
        asked_db.build_index("clip", kind="auto", memory=0)


def test_bytes_of_an_index_of_no_norms_are_less() -> None:
    config = make_config("flat")
    euclidean, cosine = (
        index_bytes(config, Size(1000, 8, metric)) for metric in ("euclidean", "cosine")
    )
    assert cosine - euclidean == 8000
