"""The whole database against a model of a few dictionaries, under any sequence of operations.

Vectors of the model are float64 and distances are computed by their definitions, so nothing here
is compared with what the database itself computed.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from state_model import DIMS, Model, vectors_of
from trust_settings import ROUNDS

import latentdb
from indexers.kinds import INDEX_KINDS
from latentdb.space import Space
from latentdb.types import ItemRow, QuarantineRow, SourceRow, SpaceRows

IDS = st.lists(st.integers(0, 40), min_size=1, max_size=12, unique=True)
NAMES = st.sampled_from(sorted(DIMS))
METRICS = ("euclidean", "cosine", "nao chi", "nao none")
# Of approximate kinds, what a search may miss; of ten rows they miss none.
LEAST_RECALL = 0.9

counts: dict[str, int] = {}
found_of: list[tuple[int, int]] = []


def space_of(name: str) -> Space:
    dtype = "float16" if name == "half" else "float32"
    return Space(name, "embedding", DIMS[name], "none", {}, dtype=dtype)


class WholeDatabase(RuleBasedStateMachine):
    """Operations, each done to the database and to the model."""

    def __init__(self) -> None:
        super().__init__()
        self.root = Path(tempfile.mkdtemp(prefix="latentdb-state-"))
        self.model = Model()
        self.kept: dict[str, Model] = {}
        self.indexed: dict[tuple[str, str], str] = {}
        self.backed_up: Model | None = None
        self.restored = 0

    def teardown(self) -> None:
        shutil.rmtree(self.root)

    def did(self, what: str) -> None:
        counts[what] = counts.get(what, 0) + 1

    @initialize()
    def create(self) -> None:
        self.db = latentdb.create(self.root / "db.ldb")
        self.add_space("whole")
        self.add_space("half")
        self.add(list(range(3, 30)), 0, bare=False)

    @rule(name=NAMES)
    def add_space(self, name: str) -> None:
        self.did("add a space")
        self.db.store.add_space(space_of(name))
        self.model.spaces.setdefault(name, {})

    @precondition(lambda self: len(self.model.spaces) > 1)
    @rule(data=st.data())
    def drop_space(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(sorted(self.model.spaces)))
        self.did("drop a space")
        self.db.catalog.indexes.drop(name)
        self.db.store.drop_space(name)
        del self.model.spaces[name]
        self.indexed = {key: kind for key, kind in self.indexed.items() if key[0] != name}

    @rule(ids=IDS, seed=st.integers(0, 9), bare=st.booleans())
    def add(self, ids: list[int], seed: int, bare: bool) -> None:
        """New items with vectors in every space; what is there stays as it is."""
        self.did("add items")
        spaces = {} if bare else {name: vectors_of(ids, name, seed) for name in self.model.spaces}
        self.db.store.write_batch(
            items=[ItemRow(i, f"{i}.png", 1, 1, b"", {"n": i + seed}) for i in ids],
            sources=[SourceRow(f"{i}.png", f"hash{i}", i) for i in ids],
            vectors={
                name: SpaceRows(np.array(ids, np.int64), rows) for name, rows in spaces.items()
            },
            quarantine=[],
        )
        self.model.add(ids, spaces, seed)

    @rule(ids=IDS)
    def delete(self, ids: list[int]) -> None:
        self.did("delete items")
        assert self.db.delete(ids) == self.model.delete(ids)

    @precondition(lambda self: self.model.labels)
    @rule(data=st.data(), value=st.none() | st.integers(-5, 5))
    def set_labels(self, data: st.DataObject, value: int | None) -> None:
        self.did("set labels")
        ids = data.draw(st.lists(st.sampled_from(sorted(self.model.labels)), unique=True))
        self.db.store.set_labels(ids, {"m": [value] * len(ids)})
        self.model.set_label("m", ids, value)

    @rule(number=st.integers(0, 5))
    def quarantine(self, number: int) -> None:
        self.did("quarantine a file")
        row = QuarantineRow(f"bad{number}.png", f"hash{number}", "corrupt", f"bad {number}")
        self.db.store.write_batch(items=[], sources=[], vectors={}, quarantine=[row])
        self.model.quarantine[row.source] = row

    @precondition(lambda self: self.model.filled())
    @rule(data=st.data(), metric=st.sampled_from(METRICS), kind=st.sampled_from(INDEX_KINDS))
    def build_index(self, data: st.DataObject, metric: str, kind: str) -> None:
        name = data.draw(st.sampled_from(self.model.filled()))
        try:
            self.db.build_index(name, kind=kind, **metric_of(metric))
        except latentdb.LatentDBError:
            # Some structures need more rows than there are, or do not go with a metric.
            self.did("index refused")
        else:
            self.did(f"index: {kind}")
            self.indexed[name, metric] = kind

    @precondition(lambda self: self.indexed)
    @rule(data=st.data())
    def refresh_index(self, data: st.DataObject) -> None:
        name, metric = data.draw(st.sampled_from(sorted(self.indexed)))
        if self.model.shown(name):
            self.did("refresh an index")
            self.db.upkeep.refresh_index(name, **metric_of(metric))

    @precondition(lambda self: self.model.filled())
    @rule(data=st.data(), seed=st.integers(0, 99), k=st.integers(1, 12))
    def search(self, data: st.DataObject, seed: int, k: int) -> None:
        """The same question by every metric, with a filter or without, within a distance or not."""
        name = data.draw(st.sampled_from(self.model.filled()))
        floor = data.draw(st.none() | st.integers(0, 40))
        radius = data.draw(st.none() | st.floats(0.3, 1.5))
        query = vectors_of([1000 + seed], name, seed)[0]
        for metric in METRICS:
            wanted = self.model.nearest(name, query, metric, floor)
            asked: dict[str, Any] = {} if floor is None else {"where": f"n >= {floor}"}
            if radius is not None and wanted:
                asked["max_distance"] = radius * wanted[len(wanted) // 2][0]
            answer = self.db.search(vector=query, space=name, k=k, **metric_of(metric), **asked)
            self.did("search")
            truth = {one: distance for distance, one in wanted}
            self.compare(answer, wanted[:k], asked.get("max_distance"), truth)

    def compare(self, answer: Any, wanted: Any, limit: float | None, truth: Any) -> None:
        """Every hit is a row at its true distance, nearest first; an exact answer misses none."""
        hits = [(hit.id, hit.distance) for hit in answer.hits]
        for one, distance in hits:
            assert truth[one] == pytest.approx(distance, rel=2e-3, abs=2e-3)
        assert hits == sorted(hits, key=lambda hit: hit[1])
        if limit is not None:
            # Rows at the very limit may fall on either side of it.
            wanted = [pair for pair in wanted if pair[0] < limit * (1 - 2e-3) - 2e-3]
            assert all(distance <= limit * (1 + 2e-3) + 2e-3 for _, distance in hits)
        edge = wanted[-1][0] - 2e-3 if wanted else 0.0
        sure = {one for distance, one in wanted if distance < edge}
        missed = len(sure - {one for one, _ in hits})
        if answer.exact:
            assert not missed
        found_of.append((len(sure) - missed, len(sure)))

    @rule()
    def compact(self) -> None:
        self.did("compact")
        self.db.upkeep.compact()

    @rule(name=st.sampled_from(["one", "two"]))
    def snapshot(self, name: str) -> None:
        self.did("snapshot")
        if name in self.kept:
            self.db.upkeep.drop_snapshot(name)
        self.db.upkeep.snapshot(name)
        self.kept[name] = self.model.copy()

    @precondition(lambda self: self.kept)
    @rule(data=st.data())
    def read_snapshot(self, data: st.DataObject) -> None:
        self.did("read a snapshot")
        name = data.draw(st.sampled_from(sorted(self.kept)))
        require_equal(latentdb.open(self.root / "db.ldb", at=name), self.kept[name])

    @rule()
    def backup(self) -> None:
        self.did("backup")
        self.db.upkeep.backup(self.root / "backups")
        self.backed_up = self.model.copy()

    @precondition(lambda self: self.backed_up is not None)
    @rule()
    def restore(self) -> None:
        self.did("restore")
        self.restored += 1
        made = self.root / f"restored-{self.restored}.ldb"
        latentdb.restore(self.root / "backups", made)
        require_equal(latentdb.open(made), self.backed_up)
        assert faults(latentdb.open(made)) == []

    @rule()
    def reopen(self) -> None:
        self.did("open again")
        self.db = latentdb.open(self.root / "db.ldb")

    @rule(repair=st.booleans())
    def check(self, repair: bool) -> None:
        self.did("check")
        assert [one for one in self.db.check(repair=repair) if one.severity == "fault"] == []

    @invariant()
    def holds_what_the_model_holds(self) -> None:
        if hasattr(self, "db"):
            require_equal(self.db, self.model)


def metric_of(text: str) -> dict[str, Any]:
    """Options of "cosine", or of "nao chi"."""
    return dict(zip(("metric", "prior"), text.split(), strict=False))


def faults(db: Any) -> list[Any]:
    return [problem for problem in db.check() if problem.severity == "fault"]


def require_equal(db: Any, model: Model) -> None:
    ids = sorted(model.labels)
    assert db.store.item_ids().tolist() == ids
    assert {item.id: item.labels for item in db.items(ids)} == model.labels
    assert sorted(db.store.known_sources().values()) == ids
    assert {row.source: row for row in db.quarantine()} == model.quarantine
    assert set(db.spaces()) == set(model.spaces)
    for name in model.spaces:
        shown = model.shown(name)
        assert db.store.vector_ids(name).tolist() == sorted(shown)
        if shown:
            rows = db.store.vectors(name, sorted(shown))
            assert np.array_equal(rows, np.stack([shown[one] for one in sorted(shown)]))


def test_whole_database_is_what_a_model_of_it_is(record_property):
    counts.clear()
    found_of.clear()
    run_state_machine_as_test(
        WholeDatabase,
        settings=settings(
            max_examples=6 * ROUNDS,
            stateful_step_count=18,
            deadline=None,
            derandomize=ROUNDS == 1,
            suppress_health_check=list(HealthCheck),
            database=None,
        ),
    )
    for what, count in sorted(counts.items()):
        record_property(f"state|{what}", count)
    found, of = np.sum(found_of, axis=0)
    record_property("recall|found", int(found))
    record_property("recall|of", int(of))
    assert found >= LEAST_RECALL * of
