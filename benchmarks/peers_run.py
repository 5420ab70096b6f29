"""One peer with one structure over one data set, in a process of its own: built, or measured."""

from __future__ import annotations

import argparse
import os
import resource
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks._watched import bytes_below, keep_phase, limit_own_memory, memory_mb
from benchmarks.peers_base import AbstractPeer, Mode, Structure
from benchmarks.peers_data import Folder, K
from benchmarks.peers_databases import Chroma, LanceDB, MilvusLite, Qdrant
from benchmarks.peers_libraries import Autofaiss, Faiss, Hnswlib, Usearch
from benchmarks.peers_ours import Ours
from indexers.types import IdArray

PEERS: Mapping[str, type[AbstractPeer]] = {
    "ours": Ours,
    "faiss": Faiss,
    "hnswlib": Hnswlib,
    "usearch": Usearch,
    "autofaiss": Autofaiss,
    "lancedb": LanceDB,
    "chroma": Chroma,
    "milvus": MilvusLite,
    "qdrant": Qdrant,
}
TARGET = 0.95
_ENOUGH = 0.99
_SINGLE_S, _MANY_S = 0.6, 0.6
_LEAST, _WARM = 20, 5


def main() -> None:
    """Do the phase, and keep what it found in PHASE.json."""
    parser = argparse.ArgumentParser()
    parser.add_argument("phase", choices=("build", "search"))
    for name in ("peer", "data_name"):
        parser.add_argument(name)
    parser.add_argument("at", type=int)
    parser.add_argument("data", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--memory-gib", type=float, default=12.0)
    asked = parser.parse_args()
    limit_own_memory(asked.memory_gib)
    structure = PEERS[asked.peer].grid(asked.data_name)[asked.at]
    data = Folder(asked.data)
    peer = PEERS[asked.peer](asked.folder / "built", data.vectors().shape[1], structure.build)
    if asked.phase == "build":
        found = _built(peer, data)
    else:
        found = _measured(peer, data, structure, list(_kinds(asked.data)))
    keep_phase(asked.folder, asked.phase, found)


def _kinds(path: Path) -> Iterator[str]:
    for file in sorted(path.glob("*_half_truth.npy")):
        yield file.name.removesuffix("_half_truth.npy")


def _built(peer: AbstractPeer, data: Folder) -> dict[str, Any]:
    peer.folder.mkdir(parents=True)
    started = time.perf_counter()
    peer.build(data)
    return {
        "build_s": time.perf_counter() - started,
        "build_peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "disk_mb": bytes_below(peer.folder) / 2**20,
    }


def _measured(
    peer: AbstractPeer, data: Folder, structure: Structure, kinds: list[str]
) -> dict[str, Any]:
    questions = {kind: data.questions(kind) for kind in kinds}
    before = sum(memory_mb().values())
    peer.open()
    is_nao = structure.build.get("metric") == "nao"
    truth = {kind: data.truth(kind) for kind in kinds}
    if is_nao:
        assert isinstance(peer, Ours)
        truth = {kind: np.array(peer.truth(one, K)) for kind, one in questions.items()}
    mode = peer.modes[0]
    points, chosen = [], None
    for effort in structure.efforts:
        peer.use(effort)
        found = {kind: _point(peer, questions[kind], truth[kind], mode) for kind in kinds}
        points += [{"effort": effort, "kind": kind, **one} for kind, one in found.items()]
        if chosen is None and found[kinds[0]]["recall"] >= TARGET:
            chosen = effort
        if min(one["recall"] for one in found.values()) >= _ENOUGH:
            break
    memory = sum(memory_mb().values()) - before
    modes = {} if is_nao or chosen is None else _modes(peer, data, structure, chosen, kinds[0])
    return {"memory_mb": memory, "points": points, "modes": modes}


def _modes(
    peer: AbstractPeer, data: Folder, structure: Structure, chosen: Any, kind: str
) -> dict[str, Any]:
    """At the least effort that finds enough: with payload, and with the filter."""
    found: dict[str, Any] = {}
    rest = structure.efforts[list(structure.efforts).index(chosen) :]
    for mode in peer.modes:
        for effort in rest if mode == "filtered" else rest[:1]:
            peer.use(effort)
            truth = data.truth(kind, filtered=mode == "filtered")
            found[mode] = {"effort": effort, **_point(peer, data.questions(kind), truth, mode)}
            if found[mode]["recall"] >= TARGET:
                break
    return found


def _point(peer: AbstractPeer, questions: Any, truth: IdArray, mode: Mode) -> dict[str, float]:
    """Recall, and questions a second: one at a time on one core, and together on two."""
    _warm(peer, questions, mode)
    peer.use_threads(1)
    with _one_core():
        for question in questions[:_WARM]:
            peer.ask(question, K, mode)
        started, asked = time.perf_counter(), 0
        for question in questions:
            peer.ask(question, K, mode)
            asked += 1
            if asked >= _LEAST and time.perf_counter() - started > _SINGLE_S:
                break
        single = asked / (time.perf_counter() - started)
    peer.use_threads(2)
    some = min(len(questions), max(_LEAST, int(2 * single * _MANY_S)))
    peer.ask_many(questions[:_LEAST], K, mode)
    started = time.perf_counter()
    ids = peer.ask_many(questions[:some], K, mode)
    many = some / (time.perf_counter() - started)
    return {"recall": _recall(ids, truth[:some]), "qps": single, "qps_together": many}


def _warm(peer: AbstractPeer, questions: Any, mode: Mode) -> None:
    """Ask as much as is asked later: what is mapped from a file is there once it was touched."""
    peer.use_threads(2)
    started = time.perf_counter()
    for first in range(0, len(questions), _LEAST):
        peer.ask_many(questions[first : first + _LEAST], K, mode)
        if time.perf_counter() - started > _SINGLE_S:
            return


def _recall(found: Sequence[Sequence[int]], truth: IdArray) -> float:
    hits = [len(set(ids) & set(true)) for ids, true in zip(found, truth.tolist(), strict=True)]
    return sum(hits) / truth.size


class _one_core:  # noqa: N801 - a context manager
    """Keep every thread of this process on one core meanwhile."""

    def __enter__(self) -> None:
        self._before = os.sched_getaffinity(0)
        self._set({min(self._before)})

    def __exit__(self, *_: object) -> None:
        self._set(self._before)

    @staticmethod
    def _set(cores: set[int]) -> None:
        for thread in Path("/proc/self/task").iterdir():
            try:
                os.sched_setaffinity(int(thread.name), cores)
            except ProcessLookupError:
                continue


if __name__ == "__main__":
    main()
