"""Libraries of indexes: they find ids, and keep nothing beside vectors."""

from __future__ import annotations

from typing import Any, final

import numpy as np

from benchmarks.peers_base import AbstractPeer, Mode, Settings, Structure, ladder
from benchmarks.peers_data import Folder, halves
from indexers.types import Float32Array

_M = 16
# As wide as building may take on two cores; data that is hard to build over is not hard to search.
_EF_CONSTRUCTION = {"encoder": 100, "noise": 64, "large": 64}
_EF = (10, 14, 20, 28, 40, 56, 80, 112, 160, 224, 320)


def graph(data: str, *, effort: str = "ef", **others: Any) -> Structure:
    """The graph that every peer which has graphs is tried with."""
    built = {**others, "m": _M, "ef_construction": _EF_CONSTRUCTION[data]}
    return Structure(built, ladder(effort, *_EF))


def unit(vectors: Float32Array) -> Float32Array:
    """Rows at length 1."""
    rows: Float32Array = vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)
    return rows


@final
class Faiss(AbstractPeer):
    """Bare FAISS: the structures that ours are made of."""

    name = "FAISS"
    package = "faiss-cpu"
    modes = ("ids", "filtered")

    @classmethod
    def grid(cls, data: str) -> list[Structure]:
        """A graph; cells, or of few wide rows all of them."""
        if data == "large":
            return [graph(data, kind="hnsw"), Structure({"kind": "flat"})]
        cells = Structure({"kind": "ivf", "nlist": 1024}, ladder("nprobe", 1, 2, 4, 8, 16, 32, 64))
        return [graph(data, kind="hnsw"), cells]

    def build(self, data: Folder) -> None:
        """Of unit rows by inner product."""
        import faiss

        index = self._empty(faiss)
        if not index.is_trained:
            sample = np.random.default_rng(0).permutation(len(data.vectors()))[:40_000]
            index.train(unit(data.vectors()[np.sort(sample)]))
        for _, block in data.blocks():
            index.add(unit(block))
        faiss.write_index(index, str(self.folder / "index.faiss"))

    def _empty(self, faiss: Any) -> Any:
        kind = self.settings["kind"]
        names = {"flat": "Flat"}
        if kind == "ivf":
            names[kind] = f"IVF{self.settings['nlist']},Flat"
        if kind == "hnsw":
            names[kind] = f"HNSW{self.settings['m']}"
        index = faiss.index_factory(self.dim, names[kind], faiss.METRIC_INNER_PRODUCT)
        if kind == "hnsw":
            index.hnsw.efConstruction = self.settings["ef_construction"]
        return index

    def open(self) -> None:
        """Into memory."""
        import faiss

        self._index = faiss.read_index(str(self.folder / "index.faiss"))
        self._selector = faiss.IDSelectorBitmap(
            np.packbits(halves(self._index.ntotal), bitorder="little")
        )

    def use_threads(self, threads: int) -> None:
        """Of OpenMP."""
        import faiss

        faiss.omp_set_num_threads(threads)

    def ask(self, query: Float32Array, k: int, mode: Mode) -> list[int]:
        """One search."""
        return self.ask_many(query[None], k, mode)[0]

    def ask_many(self, queries: Float32Array, k: int, mode: Mode) -> list[list[int]]:
        """One search of all."""
        found = self._index.search(unit(queries), k, params=self._parameters(mode))[1]
        ids: list[list[int]] = found.tolist()
        return ids

    def _parameters(self, mode: Mode) -> Any:
        import faiss

        chosen = {"sel": self._selector} if mode == "filtered" else {}
        if self.settings["kind"] == "hnsw":
            return faiss.SearchParametersHNSW(efSearch=self.effort["ef"], **chosen)
        if self.settings["kind"] == "ivf":
            return faiss.SearchParametersIVF(nprobe=self.effort["nprobe"], **chosen)
        return faiss.SearchParameters(**chosen)


@final
class Hnswlib(AbstractPeer):
    """hnswlib: graphs by their authors."""

    name = "hnswlib"
    package = "hnswlib"
    modes = ("ids", "filtered")

    @classmethod
    def grid(cls, data: str) -> list[Structure]:
        """A graph."""
        return [graph(data)]

    def build(self, data: Folder) -> None:
        """By cosine."""
        import hnswlib

        index = hnswlib.Index(space="cosine", dim=self.dim)
        index.init_index(
            max_elements=len(data.vectors()),
            M=self.settings["m"],
            ef_construction=self.settings["ef_construction"],
        )
        for ids, block in data.blocks():
            index.add_items(block, ids, num_threads=2)
        index.save_index(str(self.folder / "index.bin"))

    def open(self) -> None:
        """Into memory."""
        import hnswlib

        self._index = hnswlib.Index(space="cosine", dim=self.dim)
        self._index.load_index(str(self.folder / "index.bin"))
        self._passes = halves(self._index.get_current_count()).tolist().__getitem__

    def use(self, effort: Settings) -> None:
        """`ef`."""
        self._index.set_ef(effort["ef"])

    def ask(self, query: Float32Array, k: int, mode: Mode) -> list[int]:
        """One search."""
        return self.ask_many(query[None], k, mode)[0]

    def ask_many(self, queries: Float32Array, k: int, mode: Mode) -> list[list[int]]:
        """One search of all; its filter is a function, which threads wait for."""
        found = self._index.knn_query(
            queries,
            k,
            num_threads=1 if mode == "filtered" else self.threads,
            filter=self._passes if mode == "filtered" else None,
        )[0]
        ids: list[list[int]] = found.tolist()
        return ids


@final
class Usearch(AbstractPeer):
    """usearch: graphs over values of 32, 16 or 8 bits."""

    name = "usearch"
    package = "usearch"

    @classmethod
    def grid(cls, data: str) -> list[Structure]:
        """A graph of full values, and one of small ones."""
        return [graph(data, values=kind) for kind in ("f32", "i8")]

    def build(self, data: Folder) -> None:
        """By cosine."""
        index = self._empty()
        for ids, block in data.blocks():
            index.add(ids, block, threads=2)
        index.save(str(self.folder / "index.usearch"))

    def _empty(self) -> Any:
        from usearch.index import Index

        return Index(
            ndim=self.dim,
            metric="cos",
            dtype=self.settings["values"],
            connectivity=self.settings["m"],
            expansion_add=self.settings["ef_construction"],
        )

    def open(self) -> None:
        """Into memory."""
        self._index = self._empty()
        self._index.load(str(self.folder / "index.usearch"))

    def use(self, effort: Settings) -> None:
        """`expansion_search`."""
        self._index.expansion_search = effort["ef"]

    def ask(self, query: Float32Array, k: int, mode: Mode) -> list[int]:  # noqa: ARG002
        """One search."""
        ids: list[int] = self._index.search(query, k, threads=1).keys.tolist()
        return ids

    def ask_many(self, queries: Float32Array, k: int, mode: Mode) -> list[list[int]]:  # noqa: ARG002
        """One search of all."""
        ids: list[list[int]] = self._index.search(queries, k, threads=self.threads).keys.tolist()
        return ids


@final
class Autofaiss(AbstractPeer):
    """autofaiss, which chooses a FAISS index; clip-retrieval is a service around it."""

    name = "autofaiss"
    package = "autofaiss"

    @classmethod
    def grid(cls, data: str) -> list[Structure]:
        """What it chooses in 4 GB; its graphs and cells are then searched with more effort."""
        if data != "encoder":
            return []
        return [Structure({"max_index_memory_usage": "4G"}, ladder("effort", *_EF))]

    def build(self, data: Folder) -> None:
        """Of unit rows by inner product, as clip-retrieval does."""
        import faiss
        from autofaiss import build_index

        index, _ = build_index(
            unit(np.array(data.vectors())),
            # What it would write beside the index is not JSON under NumPy 2.
            save_on_disk=False,
            max_index_memory_usage=self.settings["max_index_memory_usage"],
            current_memory_available="8G",
            metric_type="ip",
            verbose=40,
        )
        faiss.write_index(index, str(self.folder / "index.faiss"))

    def open(self) -> None:
        """Into memory."""
        import faiss

        self._index = faiss.read_index(str(self.folder / "index.faiss"))
        self._space = faiss.ParameterSpace()
        self._effort = (
            "efSearch" if "HNSW" in type(faiss.downcast_index(self._index)).__name__ else "nprobe"
        )

    def use(self, effort: Settings) -> None:
        """Of the structure that it chose."""
        self._space.set_index_parameter(self._index, self._effort, effort["effort"])

    def use_threads(self, threads: int) -> None:
        """Of OpenMP."""
        import faiss

        faiss.omp_set_num_threads(threads)

    def ask(self, query: Float32Array, k: int, mode: Mode) -> list[int]:
        """One search."""
        return self.ask_many(query[None], k, mode)[0]

    def ask_many(self, queries: Float32Array, k: int, mode: Mode) -> list[list[int]]:  # noqa: ARG002
        """One search of all."""
        ids: list[list[int]] = self._index.search(unit(queries), k)[1].tolist()
        return ids
