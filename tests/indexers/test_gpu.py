"""What would be searched on a GPU, decided over real structures; none is needed to decide."""

from __future__ import annotations

import numpy as np
import pytest

from indexers.faiss_library import faiss
from indexers.gpu import MOST_HITS, MOST_PROBES, gpu_count, suits_gpu
from indexers.hnsw import HnswConfig
from indexers.ids import Selection
from indexers.index import build_index
from indexers.kinds import make_config
from indexers.metric import CosineMetric
from tests.indexers.conftest import make_vectors

EVERYTHING = Selection(60, None, None)


def structure_of(kind):
    rows = make_vectors(60, seed=1)
    index = build_index(rows, np.arange(60), metric=CosineMetric(), config=make_config(kind))
    return index.stage.faiss_index


@pytest.mark.parametrize(("kind", "suits"), [("flat", True), ("ivf", True), ("hnsw", False)])
def test_a_gpu_has_flat_rows_and_cells_and_no_graph(kind, suits):
    assert suits_gpu(structure_of(kind), 10, EVERYTHING) == suits


def test_more_hits_than_its_kernels_select_stay_on_the_processor():
    flat = structure_of("flat")
    assert suits_gpu(flat, MOST_HITS, EVERYTHING)
    assert not suits_gpu(flat, MOST_HITS + 1, EVERYTHING)


def test_more_cells_than_its_kernels_select_stay_on_the_processor():
    cells = structure_of("ivf")
    assert suits_gpu(cells, 10, EVERYTHING, nprobe=MOST_PROBES)
    assert not suits_gpu(cells, 10, EVERYTHING, nprobe=MOST_PROBES + 1)


def test_a_filter_stays_on_the_processor():
    some = Selection.of_positions(np.arange(5), 60)
    assert not suits_gpu(structure_of("flat"), 10, some)


def test_without_a_gpu_an_answer_of_more_hits_is_whole():
    rows = make_vectors(60, seed=1)
    index = build_index(rows, np.arange(60), metric=CosineMetric(), config=HnswConfig())
    assert (index.search(rows[:1], MOST_HITS + 1).ids[0, :60] >= 0).all()


@pytest.mark.skipif(hasattr(faiss, "StandardGpuResources"), reason="FAISS was built for GPUs")
def test_faiss_without_gpus_counts_none():
    assert gpu_count() == 0
