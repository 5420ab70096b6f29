"""Databases of vectors that run inside a process, with the same payload and the same filter."""

from __future__ import annotations

from typing import Any, final

import numpy as np
import pyarrow as pa

from benchmarks.peers_base import AbstractPeer, Mode, Structure, ladder
from benchmarks.peers_data import Folder, group_of, halves, source_of
from benchmarks.peers_libraries import graph
from indexers.types import Float32Array

_INSERTED = 1000


@final
class LanceDB(AbstractPeer):
    """LanceDB with its own indexes; also what our vectors are stored in."""

    name = "LanceDB"
    package = "lancedb"
    modes = ("ids", "payload", "filtered")

    @classmethod
    def grid(cls, data: str) -> list[Structure]:
        """Cells of product codes, of RaBitQ codes, and one graph of 8 bits; refined."""
        probes = (1, 2, 4, 8, 16, 32, 64) if data == "encoder" else (4, 8, 16, 32, 64, 128)
        cells = [
            Structure({"kind": kind, **more}, ladder("nprobes", *probes, refine_factor=refined))
            for kind, more, refined in (
                ("IvfPq", {"num_partitions": 256, "num_sub_vectors": "dim/8"}, 10),
                ("IvfRq", {"num_partitions": 256, "num_bits": 1}, 10),
            )
        ]
        if data == "large":
            return cells[1:]
        if data == "noise":
            del cells[0]
        # Lance wants `ef` to be k · refine_factor at least.
        efforts = ladder("ef", 20, 32, 64, 128, 256, refine_factor=2, nprobes=1)
        codes = {"kind": "HnswSq", "num_partitions": 1, **graph(data).build}
        return [*cells, Structure(codes, efforts)]

    def build(self, data: Folder) -> None:
        """A table, then the index."""
        import lancedb
        import lancedb.index

        is_half, dim = halves(len(data.vectors())), self.dim
        kind = pa.list_(pa.float32(), dim)
        columns = {"id": pa.int64(), "vector": kind, **_PAYLOAD}

        def batches() -> Any:
            for ids, block in data.blocks():
                vectors = pa.FixedSizeListArray.from_arrays(pa.array(block.ravel()), dim)
                arrays = [pa.array(ids), vectors, *_payload(ids.tolist(), is_half)]
                yield pa.RecordBatch.from_arrays(arrays, names=list(columns))

        database = lancedb.connect(str(self.folder / "db"))
        table = database.create_table("vectors", batches(), schema=pa.schema(list(columns.items())))
        settings = {**self.settings}
        if settings.get("num_sub_vectors") == "dim/8":
            settings["num_sub_vectors"] = dim // 8
        make = getattr(lancedb.index, settings.pop("kind"))
        table.create_index("vector", config=make(distance_type="cosine", **settings))

    def open(self) -> None:
        """From its files."""
        import lancedb

        self._table = lancedb.connect(str(self.folder / "db")).open_table("vectors")

    def ask(self, query: Float32Array, k: int, mode: Mode) -> list[int]:
        """One search."""
        asked = self._table.search(query).distance_type("cosine").limit(k)
        for name, value in self.effort.items():
            asked = getattr(asked, name)(value)
        if mode == "filtered":
            asked = asked.where("half", prefilter=True)
        rows = asked.select(["id", "_distance", *(() if mode == "ids" else _PAYLOAD)])
        return [row["id"] for row in rows.to_list()]


_PAYLOAD = {"source": pa.string(), "half": pa.bool_(), "group": pa.int64()}


def _payload(ids: list[int], is_half: Any) -> list[pa.Array]:
    return [
        pa.array([source_of(one) for one in ids]),
        pa.array(is_half[ids]),
        pa.array([group_of(one) for one in ids], pa.int64()),
    ]


def _facts(ids: Any, is_half: Any) -> list[dict[str, Any]]:
    """What is kept of each."""
    return [
        {"source": source_of(one), "half": bool(is_half[one]), "group": group_of(one)}
        for one in ids.tolist()
    ]


@final
class Chroma(AbstractPeer):
    """Chroma, persistent and in this process."""

    name = "Chroma"
    package = "chromadb"
    modes = ("ids", "payload", "filtered")

    @classmethod
    def grid(cls, data: str) -> list[Structure]:
        """Its graph."""
        return [] if data == "large" else [graph(data, effort="ef_search")]

    def _client(self) -> Any:
        import chromadb

        settings = chromadb.Settings(anonymized_telemetry=False)
        return chromadb.PersistentClient(str(self.folder / "db"), settings)

    def build(self, data: Folder) -> None:
        """One collection."""
        graph = {
            "space": "cosine",
            "max_neighbors": self.settings["m"],
            "ef_construction": self.settings["ef_construction"],
            "num_threads": 2,
        }
        made = self._client().create_collection("vectors", configuration={"hnsw": graph})
        is_half = halves(len(data.vectors()))
        for ids, block in data.blocks():
            made.add(
                ids=[str(one) for one in ids], embeddings=block, metadatas=_facts(ids, is_half)
            )

    def open(self) -> None:
        """From its files."""
        self._collection = self._client().get_collection("vectors")

    def use(self, effort: Any) -> None:
        """`ef_search`, which counts once the collection is opened anew."""
        from chromadb.api.shared_system_client import SharedSystemClient

        self._collection.modify(configuration={"hnsw": dict(effort)})
        SharedSystemClient.clear_system_cache()
        self.open()

    def ask(self, query: Float32Array, k: int, mode: Mode) -> list[int]:
        """One search."""
        return self.ask_many(query[None], k, mode)[0]

    def ask_many(self, queries: Float32Array, k: int, mode: Mode) -> list[list[int]]:
        """One search of all."""
        found = self._collection.query(
            query_embeddings=queries,
            n_results=k,
            include=["distances"] if mode == "ids" else ["distances", "metadatas"],
            where={"half": True} if mode == "filtered" else None,
        )
        return [[int(one) for one in ids] for ids in found["ids"]]


@final
class MilvusLite(AbstractPeer):
    """Milvus Lite in this process."""

    name = "Milvus Lite"
    package = "milvus-lite"
    modes = ("ids", "payload", "filtered")

    @classmethod
    def grid(cls, data: str) -> list[Structure]:
        """Its graph."""
        return [graph(data)] if data == "encoder" else []

    def _client(self) -> Any:
        from pymilvus import MilvusClient

        return MilvusClient(str(self.folder / "milvus.db"))

    def build(self, data: Folder) -> None:
        """One collection."""
        from pymilvus import DataType, MilvusClient

        client = self._client()
        schema = MilvusClient.create_schema(auto_id=False)
        schema.add_field("id", DataType.INT64, is_primary=True)
        schema.add_field("vector", DataType.FLOAT_VECTOR, dim=self.dim)
        schema.add_field("source", DataType.VARCHAR, max_length=64)
        schema.add_field("half", DataType.BOOL)
        schema.add_field("group", DataType.INT64)
        client.create_collection("vectors", schema=schema)
        is_half = halves(len(data.vectors()))
        for ids, block in data.blocks():
            rows = [
                {"id": one, "vector": vector, **facts}
                for one, vector, facts in zip(
                    ids.tolist(), block, _facts(ids, is_half), strict=True
                )
            ]
            for start in range(0, len(rows), _INSERTED):
                client.insert("vectors", rows[start : start + _INSERTED])
        client.flush("vectors")
        index = client.prepare_index_params()
        structure = {"M": self.settings["m"], "efConstruction": self.settings["ef_construction"]}
        index.add_index("vector", index_type="HNSW", metric_type="COSINE", params=structure)
        client.create_index("vectors", index)
        client.load_collection("vectors")
        client.close()

    def open(self) -> None:
        """From its files."""
        self._open = self._client()
        self._open.load_collection("vectors")

    def ask(self, query: Float32Array, k: int, mode: Mode) -> list[int]:
        """One search."""
        return self.ask_many(query[None], k, mode)[0]

    def ask_many(self, queries: Float32Array, k: int, mode: Mode) -> list[list[int]]:
        """One search of all."""
        found = self._open.search(
            "vectors",
            list(queries),
            limit=k,
            search_params={"metric_type": "COSINE", "params": dict(self.effort)},
            output_fields=[] if mode == "ids" else list(_PAYLOAD),
            filter="half == true" if mode == "filtered" else "",
        )
        return [[hit["id"] for hit in hits] for hits in found]


@final
class Qdrant(AbstractPeer):
    """Qdrant's local mode, which is made for tests: it compares with every row in NumPy."""

    name = "Qdrant local"
    package = "qdrant-client"
    modes = ("ids", "payload", "filtered")

    @classmethod
    def grid(cls, data: str) -> list[Structure]:
        """It has no settings."""
        return [Structure({"kind": "all rows"})] if data == "encoder" else []

    def _client(self) -> Any:
        from qdrant_client import QdrantClient

        return QdrantClient(path=str(self.folder / "db"))

    def build(self, data: Folder) -> None:
        """One collection."""
        from qdrant_client import models

        client = self._client()
        shape = models.VectorParams(size=self.dim, distance=models.Distance.COSINE)
        client.create_collection("vectors", vectors_config=shape)
        is_half = halves(len(data.vectors()))
        for ids, block in data.blocks():
            points = models.Batch(
                ids=ids.tolist(), vectors=block.tolist(), payloads=_facts(ids, is_half)
            )
            client.upsert("vectors", points)
        client.close()

    def open(self) -> None:
        """From its files."""
        from qdrant_client import models

        self._open = self._client()
        is_half = models.FieldCondition(key="half", match=models.MatchValue(value=True))
        self._filter = models.Filter(must=[is_half])

    def ask(self, query: Float32Array, k: int, mode: Mode) -> list[int]:
        """One search."""
        found = self._open.query_points(
            "vectors",
            query=np.asarray(query).tolist(),
            limit=k,
            with_payload=mode != "ids",
            query_filter=self._filter if mode == "filtered" else None,
        )
        return [int(point.id) for point in found.points]
