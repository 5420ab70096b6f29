"""Our own searches, through the facade: arrays of ids, and hits with their names and labels."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, final

import latentdb
from benchmarks.peers_base import AbstractPeer, Mode, Settings, Structure, ladder
from benchmarks.peers_data import Folder, group_of, halves, source_of
from benchmarks.peers_libraries import graph
from indexers.kinds import config_from_settings, make_config
from indexers.persistence import load_index, read_manifest, save_index
from indexers.types import Float32Array
from latentdb.query import Query
from latentdb.space import Space
from latentdb.types import Answer, ItemRow, SpaceRows

_SPACE = "vectors"


@final
class Ours(AbstractPeer):
    """`LatentDB.nearest` for ids, `search` and `search_many` for what describes them."""

    name = "latentdb"
    package = "latentdb"
    modes = ("ids", "payload", "filtered")

    @classmethod
    def grid(cls, data: str) -> list[Structure]:
        """A graph, and cells or all rows; and NAO, which is ours alone, over noise."""
        built = graph(data, kind="hnsw")
        own = Structure(built.build, [{"ef_search": effort["ef"]} for effort in built.efforts])
        if data == "large":
            wide = [Structure({"kind": kind}) for kind in ("flat", "sq8")]
            return [own, *wide, Structure({"kind": "flat", "metric": "nao"})]
        cells = Structure({"kind": "ivf", "nlist": 1024}, ladder("nprobe", 1, 2, 4, 8, 16, 32, 64))
        if data == "encoder":
            return [own, cells]
        return [own, cells, Structure({**own.build, "metric": "nao"}, own.efforts)]

    @property
    def metric(self) -> Any:
        """Cosine, or NAO."""
        return self.settings.get("metric", "cosine")

    def build(self, data: Folder) -> None:
        """A database of one space; its index."""
        db = latentdb.create(self.folder / "ours.ldb")
        db.store.add_space(Space(_SPACE, "embedding", self.dim, spec="none", settings={}))
        is_half = halves(len(data.vectors()))
        for ids, block in data.blocks():
            items = [
                ItemRow(
                    one, source_of(one), 1, 1, b"", {"half": is_half[one], "group": group_of(one)}
                )
                for one in ids.tolist()
            ]
            rows = {_SPACE: SpaceRows(ids, block)}
            db.store.write_batch(items=items, sources=[], vectors=rows, quarantine=[])
        settings = {name: value for name, value in self.settings.items() if name != "metric"}
        db.build_index(_SPACE, metric=self.metric, kind=make_config(**settings))

    def open(self) -> None:
        """The index is mapped from its files."""
        self._db = latentdb.open(self.folder / "ours.ldb")

    def use(self, effort: Settings) -> None:
        """Save the same index with another effort, as tuning would have."""
        if not effort:
            return
        folder = next(Path(self._db.uri).glob(f"indexes/{_SPACE}--{self.metric}*"))
        manifest = read_manifest(folder)
        config = config_from_settings({**manifest["config"], **effort})
        index = load_index(folder).at_effort(config)
        save_index(index, folder, manifest_extra=manifest["extra"])

    def use_threads(self, threads: int) -> None:
        """Of OpenMP."""
        import faiss

        faiss.omp_set_num_threads(threads)

    def _query(self, query: Float32Array, k: int, mode: Mode) -> Query:
        where = "half" if mode == "filtered" else None
        return Query(vector=query, space=_SPACE, metric=self.metric, k=k, where=where)

    def _nearest(self, queries: Float32Array, k: int) -> list[list[int]]:
        found = self._db.nearest(queries, space=_SPACE, metric=self.metric, k=k)
        ids: list[list[int]] = found.ids.tolist()
        return ids

    def ask(self, query: Float32Array, k: int, mode: Mode) -> list[int]:
        """One search."""
        if mode == "ids":
            return self._nearest(query[None], k)[0]
        return _ids(self._db.search(self._query(query, k, mode)))

    def ask_many(self, queries: Float32Array, k: int, mode: Mode) -> Sequence[Sequence[int]]:
        """One search of all."""
        if mode == "ids":
            return self._nearest(queries, k)
        asked = [self._query(query, k, mode) for query in queries]
        return [_ids(answer) for answer in self._db.search_many(asked)]

    def truth(self, queries: Float32Array, k: int) -> list[list[int]]:
        """What NAO holds nearest: by cosine there is another truth."""
        from latentdb.index.truth import exact_neighbours

        live = self._db.catalog.indexes.live(self._db.store.space(_SPACE), self.metric, None)
        found = exact_neighbours(self._db.store, _SPACE, live.metric, queries, k)
        return [ids.tolist() for ids in found.ids]


def _ids(answer: Answer) -> list[int]:
    return [hit.id for hit in answer.hits]
