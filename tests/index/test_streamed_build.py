"""An index that is filled block by block: the same answers, in the memory of a block."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import numpy as np
import pytest

import latentdb.index.build as build_module
from indexers.flat import FlatConfig
from indexers.index import build_index
from indexers.kinds import make_config
from indexers.metric import make_metric, make_prior
from indexers.types import INDEX_KINDS, METRIC_NAMES, FloatArray
from latentdb.errors import NotEnoughDataError
from latentdb.index.build import build_from_store
from latentdb.index.name import IndexName, metric_for
from latentdb.space import Space
from latentdb.store import Store
from latentdb.types import ItemRow, SpaceRows

DIM, ROWS = 24, 900
SPACE = Space("rows", "embedding", DIM, spec="none", settings={}, dtype="float16")
# Every cell is visited and every row compared, so that all kinds answer exactly.
ALL = {
    "hnsw": {"ef_search": 2 * ROWS},
    "ivf": {"nlist": 4, "nprobe": 4},
    "ivf_pq": {"nlist": 4, "nprobe": 4, "refine": ROWS},
    "rabitq": {"nlist": 4, "nprobe": 4, "refine": ROWS},
}


def filled(path: Path, space: Space, vectors: np.ndarray) -> Store:
    """Every id is of an item but for the last, whose batch was cut short."""
    store = Store.create(str(path))
    store.add_space(space)
    ids = np.random.default_rng(1).permutation(len(vectors)) * 7
    items = [ItemRow(int(one), f"{one}.png", 1, 1, b"") for one in ids[:-1]]
    rows = SpaceRows(ids, vectors)
    store.write_batch(items=items, sources=[], vectors={space.name: rows}, quarantine=[])
    return store


def drawn(rows: int, dim: int, seed: int = 0) -> np.ndarray:
    vectors = np.random.default_rng(seed).standard_normal((rows, dim), dtype=np.float32)
    return vectors.astype(np.float16).astype(np.float32)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return filled(tmp_path_factory.mktemp("streamed") / "rows.ldb", SPACE, drawn(ROWS + 1, DIM))


@pytest.fixture
def in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Samples of 300 rows, blocks of 128."""
    monkeypatch.setattr(build_module, "SAMPLE_VALUES", 300 * DIM)
    monkeypatch.setattr(build_module, "_BLOCK_VALUES", 128 * DIM)


@pytest.mark.usefixtures("in_blocks")
@pytest.mark.parametrize("metric", METRIC_NAMES)
@pytest.mark.parametrize("kind", INDEX_KINDS)
def test_answers_are_those_of_an_index_built_at_once(store: Store, kind: str, metric: str) -> None:
    name = IndexName.of(SPACE.name, metric, None)
    index = build_from_store(store, SPACE, name, make_config(kind, **ALL.get(kind, {})))
    ids = store.vector_ids(SPACE.name)
    assert np.array_equal(np.sort(index.ids), ids)
    at_once = build_index(
        store.vectors(SPACE.name, ids), ids, metric=index.metric, config=FlatConfig()
    )
    queries = drawn(20, DIM, seed=9)
    found, true = index.search(queries, 10), at_once.search(queries, 10)
    np.testing.assert_allclose(found.distances, true.distances, rtol=1e-5, atol=1e-5)
    if kind != "hnsw":
        assert np.array_equal(found.ids, true.ids)


@pytest.mark.usefixtures("in_blocks")
def test_rows_left_out_are_not_found(store: Store) -> None:
    out = store.vector_ids(SPACE.name)[10:40]
    name = IndexName.of(SPACE.name, "cosine", None)
    index = build_from_store(store, SPACE, name, FlatConfig(), leave_out=out)
    assert not np.isin(index.ids, out).any()
    assert len(index) == ROWS - 30


@pytest.mark.usefixtures("in_blocks")
def test_progress_counts_rows(store: Store) -> None:
    told: list[tuple[int, int]] = []
    name = IndexName.of(SPACE.name, "cosine", None)
    build_from_store(
        store, SPACE, name, FlatConfig(), progress=lambda done, total, _: told.append((done, total))
    )
    assert told[0] == (128, ROWS)
    assert told[-1] == (ROWS, ROWS)
    assert len(told) == -(-ROWS // 128)


def test_a_fitted_prior_is_that_of_the_stored_vectors(store: Store) -> None:
    index = build_from_store(store, SPACE, IndexName(SPACE.name, "nao", "fitted"), FlatConfig())
    vectors = store.vectors(SPACE.name, store.vector_ids(SPACE.name)).astype(np.float64)
    norms = np.linalg.norm(vectors, axis=1)
    queries = drawn(5, DIM, seed=3)
    prior = make_prior("fitted", dim=DIM, norms=norms)
    same = build_index(
        vectors.astype(np.float32),
        store.vector_ids(SPACE.name),
        metric=make_metric("nao", prior),
        config=FlatConfig(),
    )
    np.testing.assert_allclose(
        index.search(queries, 5).distances, same.search(queries, 5).distances, rtol=1e-5
    )


def test_norms_are_read_for_a_fitted_prior_alone() -> None:
    def unread() -> FloatArray:
        raise AssertionError("norms were read")

    assert metric_for(IndexName("rows", "cosine", None), DIM, unread).name == "cosine"
    assert metric_for(IndexName("rows", "nao", "chi"), DIM, unread).name == "nao"


def test_an_empty_space_cannot_be_indexed(tmp_path: Path) -> None:
    empty = Store.create(str(tmp_path / "empty.ldb"))
    empty.add_space(SPACE)
    name = IndexName.of(SPACE.name, "cosine", None)
    with pytest.raises(NotEnoughDataError, match="space 'rows' holds no vectors yet"):
        build_from_store(empty, SPACE, name, FlatConfig())


def test_arrays_in_memory_are_a_block_and_a_sample(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows, dim = 12_000, 256
    wide = Space("wide", "embedding", dim, spec="none", settings={}, dtype="float16")
    store = filled(tmp_path / "wide.ldb", wide, drawn(rows, dim))
    monkeypatch.setattr(build_module, "SAMPLE_VALUES", 1000 * dim)
    monkeypatch.setattr(build_module, "_BLOCK_VALUES", 1000 * dim)
    tracemalloc.start()
    try:
        name = IndexName.of(wide.name, "cosine", None)
        index = build_from_store(store, wide, name, make_config("rabitq", nlist=4))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert len(index) == rows - 1
    # The vectors are 12 MB; a block is 1 MB, and is turned and made of unit length meanwhile.
    assert peak < 8e6
