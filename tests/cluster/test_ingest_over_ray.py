"""An ingest over several machines ends as one over a single machine does, whoever dies."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial, partialmethod
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from crashing_recipe import Segfault

import latentdb
from latentdb.cluster import engine as engine_module
from latentdb.cluster.crew import Crew, Member
from latentdb.cluster.engine import RayEngine
from latentdb.cluster.ray_library import Resources
from latentdb.database import LatentDB
from latentdb.errors import ClusterError, ModelError, QueryError
from latentdb.ingest import IngestOptions
from latentdb.ingest.chunk import Decoded, Refused
from latentdb.ingest.crew import Outcome
from latentdb.ingest.recipes import AbstractRecipe, FileBytes
from latentdb.ingest.sources.base import Candidate
from latentdb.types import IngestSummary

ray = pytest.importorskip("ray", reason="Ray is not installed")
state = pytest.importorskip("ray._private.state", reason="Ray is not installed")

TAKE = Crew.take

OPTIONS = IngestOptions(batch_size=4, workers=2, commit_rows=16)
# Where it does not matter who does it: each worker that starts loads all libraries of models.
ALONE = replace(OPTIONS, workers=1)


class Told:
    """Keeps what is told of a run."""

    def __init__(self) -> None:
        self.messages: list[str] = []

    def total(self, files: int | None) -> None:
        pass

    def advance(self, *, files: int = 1, quarantined: int = 0) -> None:
        pass

    def message(self, text: str) -> None:
        self.messages.append(text)


class InterruptedAfter(Told):
    """As if somebody pressed Ctrl-C when so many files are done."""

    def __init__(self, files: int) -> None:
        super().__init__()
        self._left = files

    def advance(self, *, files: int = 1, quarantined: int = 0) -> None:  # noqa: ARG002
        self._left -= files
        if self._left <= 0:
            raise KeyboardInterrupt


@pytest.fixture(scope="session")
def specs(tiny_model: Callable[[str], Path]) -> list[str]:
    return [f"clip=open_clip:{tiny_model('open_clip')}", f"ssl=timm:{tiny_model('timm')}"]


def made(path: Path, specs: list[str]) -> LatentDB:
    return latentdb.create(path, spaces=specs, device="cpu")


def over_ray(db: LatentDB, faces: Path, options: IngestOptions = OPTIONS) -> IngestSummary:
    return db.ingest(faces, options=options, engine="ray")


@pytest.fixture(scope="session")
def local(tmp_path_factory: pytest.TempPathFactory, faces: Path, specs: list[str]) -> LatentDB:
    db = made(tmp_path_factory.mktemp("local") / "local.ldb", specs)
    db.ingest(faces, options=IngestOptions(batch_size=4, labels=faces / "labels.csv"))
    return db


def require_equal(one: LatentDB, other: LatentDB) -> None:
    """Same items, sources, labels, quarantine and vectors."""
    np.testing.assert_array_equal(one.store.item_ids(), other.store.item_ids())
    assert one.store.known_sources() == other.store.known_sources()
    assert one.quarantine() == other.quarantine()
    ids = one.store.item_ids()
    left, right = one.items(ids), other.items(ids)
    assert [(i.id, i.source, i.labels) for i in left] == [(i.id, i.source, i.labels) for i in right]
    for space in one.spaces():
        np.testing.assert_array_equal(one.store.vector_ids(space), ids)
        np.testing.assert_allclose(
            one.store.vectors(space, ids), other.store.vectors(space, ids), atol=1e-5
        )
    assert one.check() == []


def test_the_result_is_that_of_the_local_engine(
    cluster: Any, local: LatentDB, faces: Path, specs: list[str], tmp_path: Path
) -> None:
    db = made(tmp_path / "db.ldb", specs)
    labelled = IngestOptions(batch_size=4, workers=2, labels=faces / "labels.csv")
    summary = over_ray(db, faces, labelled)
    require_equal(db, local)
    assert (summary.seen, summary.added, summary.duplicates) == (108, 96, 6)
    assert summary.reasons == {"truncated": 6} or sum(summary.reasons.values()) == 6


def test_a_space_that_came_later_is_all_that_is_filled(
    cluster: Any, local: LatentDB, faces: Path, specs: list[str], tmp_path: Path
) -> None:
    db = made(tmp_path / "db.ldb", specs[:1])
    db.ingest(faces, options=IngestOptions(batch_size=4, labels=faces / "labels.csv"))
    before = db.store.version("clip")
    db.add_space(specs[1])
    summary = over_ray(db, faces, ALONE)
    assert (summary.added, summary.completed, summary.duplicates) == (0, 96, 6)
    assert db.store.version("clip") == before
    require_equal(db, local)


class Takes:
    """Stands before `Crew.take`: a node dies just as one of its workers is given a chunk."""

    def __init__(self, node_id: str, strike: Callable[[], object]) -> None:
        self._node_id = node_id
        self._strike = strike
        self._lock = threading.Lock()
        self._taken = 0
        self.has_struck = False

    def __call__(self, crew: Crew) -> Member:
        with self._lock:
            if self._taken == 0:
                # The first would do all of it while the second still loads its models.
                wait_for_all(crew)
            self._taken += 1
            member = TAKE(crew)
            if not self.has_struck and self._taken > 6 and self._is_doomed(member):
                self.has_struck = True
                self._strike()
            return member

    def _is_doomed(self, member: Member) -> bool:
        actor = state.actors()[member.actor._actor_id.hex()]
        return bool(actor["Address"]["NodeID"] == self._node_id)


def wait_for_all(crew: Crew) -> None:
    starting = [member.ready for member in crew._members]
    ray.wait(starting, num_returns=len(starting), timeout=120)


def all_wanted(_: str) -> tuple[int, ...]:
    return (0,)


def engine_of(db: LatentDB, options: IngestOptions = OPTIONS) -> RayEngine:
    return RayEngine(
        {"clip": db.store.space("clip")}, options=options, device="cpu", address=None, tell=print
    )


def outcomes_of(engine: RayEngine, recipes: list[AbstractRecipe]) -> list[Outcome]:
    candidates = (Candidate(str(at), str(at), one) for at, one in enumerate(recipes))
    return list(engine.outcomes(candidates, all_wanted))


def test_files_that_workers_cannot_see_are_sent_and_a_crash_names_its_file(
    cluster: Any, local: LatentDB, faces: Path
) -> None:
    good = [FileBytes(str(faces / f"{at:03}.png")) for at in range(10)]
    with (faces / "011.png").open("rb") as held:
        # Of this name every process has a file of its own, or none.
        recipes = [*good, FileBytes(f"/proc/self/fd/{held.fileno()}"), Segfault(), FileBytes("no")]
        *fine, crashed, missing = outcomes_of(engine_of(local, ALONE), recipes)
    assert all(isinstance(one.result, Decoded) for one in fine)
    known = local.store.known_sources()
    assert fine[10].result.id == known[fine[10].content_hash]
    assert "signal 11" in crashed.result.message
    assert missing.result == Refused("unreadable", "No such file or directory: no")


def test_only_so_many_files_are_taken_ahead(cluster: Any, local: LatentDB, faces: Path) -> None:
    taken: list[int] = []

    def endless() -> Iterator[Candidate]:
        for at in itertools.count():
            taken.append(at)
            yield Candidate(str(at), str(at), FileBytes(str(faces / f"{at % 96:03}.png")))

    outcomes = engine_of(local).outcomes(endless(), all_wanted)
    next(outcomes)
    time.sleep(0.5)
    # Two workers with two chunks each under way, as many that wait, and the one that was taken.
    assert len(taken) <= (2 * 2 * 2 + 1) * OPTIONS.batch_size
    outcomes.close()


def test_a_model_that_workers_cannot_load_ends_the_run(
    cluster: Any, local: LatentDB, faces: Path
) -> None:
    gone = replace(local.store.space("clip"), spec="clip=open_clip:/nowhere/at/all")
    engine = RayEngine({"clip": gone}, options=ALONE, device="cpu", address=None, tell=print)
    with pytest.raises(ModelError, match="nowhere"):
        outcomes_of(engine, [FileBytes(str(faces / "000.png"))])


def test_no_room_for_a_worker_is_said(
    cluster: Any, local: LatentDB, faces: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_module, "_PATIENCE_SECONDS", 0.5)
    monkeypatch.setattr(engine_module, "Resources", lambda gpus: Resources(cpus=64, gpus=gpus))
    with pytest.raises(ClusterError, match=r"no worker could start within 0\.5 s"):
        outcomes_of(engine_of(local), [FileBytes(str(faces / "000.png"))])


def test_an_address_without_a_cluster_is_refused(local: LatentDB, faces: Path) -> None:
    with pytest.raises(QueryError, match="an address is of a cluster"):
        local.ingest(faces, address="auto")


def test_another_cluster_than_the_one_joined_is_refused(
    cluster: Any, local: LatentDB, faces: Path
) -> None:
    with pytest.raises(ClusterError, match=r"part of the cluster at .*, not 10\.0\.0\.1:1"):
        local.ingest(faces, engine="ray", address="10.0.0.1:1")


def test_the_local_engine_goes_on_where_an_interrupted_cluster_was(
    cluster: Any, local: LatentDB, faces: Path, specs: list[str], tmp_path: Path
) -> None:
    db = made(tmp_path / "db.ldb", specs)
    with pytest.raises(KeyboardInterrupt):
        db.ingest(faces, options=OPTIONS, engine="ray", progress=InterruptedAfter(20))
    before = len(db)
    rest = IngestOptions(batch_size=4, labels=faces / "labels.csv")
    assert 0 < before < 96
    assert db.ingest(faces, options=rest).added == 96 - before
    require_equal(db, local)


def test_a_node_that_dies_in_the_middle_loses_and_doubles_nothing(
    cluster: Any,
    local: LatentDB,
    faces: Path,
    specs: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    db = made(tmp_path / "db.ldb", specs)
    doomed = next(iter(cluster.worker_nodes))
    takes = Takes(doomed.node_id, partial(cluster.remove_node, doomed, allow_graceful=False))
    # A function becomes a method, and an object would not.
    monkeypatch.setattr(Crew, "take", partialmethod(takes))
    told = Told()
    options = IngestOptions(batch_size=4, workers=2, commit_rows=16, labels=faces / "labels.csv")
    summary = db.ingest(faces, options=options, engine="ray", progress=told)
    assert takes.has_struck
    assert any("a worker is gone" in message for message in told.messages)
    assert summary.added == 96
    require_equal(db, local)
