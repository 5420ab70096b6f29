"""Corpora and every combination of kind and metric."""

from __future__ import annotations

import numpy as np
import pytest

from indexers.flat import FlatConfig
from indexers.hnsw import HnswConfig
from indexers.ivf import IvfConfig
from indexers.ivf_pq import IvfPqConfig
from indexers.metric import ChiPrior, CosineMetric, EuclideanMetric, FittedPrior, NaoMetric, NoPrior
from indexers.rabitq import RabitqConfig
from indexers.sq8 import Sq8Config

DIM = 128
CONFIGS = {
    "flat": FlatConfig(),
    "sq8": Sq8Config(),
    "ivf": IvfConfig(nprobe=9),
    "ivf_pq": IvfPqConfig(nlist=4, nprobe=4, refine=12),
    "rabitq": RabitqConfig(nlist=4, nprobe=4, refine=8),
    "hnsw": HnswConfig(m=16, ef_construction=64, ef_search=64),
}
METRICS = {
    "euclidean": EuclideanMetric(),
    "cosine": CosineMetric(),
    "nao-chi": NaoMetric(ChiPrior(DIM)),
    "nao-fitted": NaoMetric(FittedPrior(mean=11.0, std=0.9)),
    "nao-none": NaoMetric(NoPrior()),
}


def make_vectors(count, seed, dim=DIM):
    """Gaussian directions at norms around the shell, float32."""
    rng = np.random.default_rng(seed)
    vectors = rng.standard_normal((count, dim))
    norms = np.sqrt(dim - 1) + rng.standard_normal((count, 1))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True) * norms).astype(np.float32)


class Kept:
    """Vectors by id, as a store keeps them: what kinds that keep codes alone read from."""

    def __init__(self):
        self._vectors = {}

    def put(self, vectors, ids):
        self._vectors.update(zip(map(int, ids), vectors, strict=True))
        return vectors, ids

    def __call__(self, ids):
        return np.stack([self._vectors[int(one)] for one in ids])


@pytest.fixture
def kept(vectors, ids):
    kept = Kept()
    kept.put(vectors, ids)
    return kept


@pytest.fixture(params=sorted(METRICS))
def metric(request):
    return METRICS[request.param]


@pytest.fixture(params=sorted(CONFIGS))
def config(request):
    return CONFIGS[request.param]


@pytest.fixture(scope="session")
def vectors():
    return make_vectors(400, seed=1)


@pytest.fixture(scope="session")
def ids():
    """Shuffled ids up to 2⁶³ − 1."""
    rng = np.random.default_rng(2)
    return rng.permutation(np.linspace(0, 2**63 - 2**10, 400).astype(np.int64))


@pytest.fixture(scope="session")
def queries(vectors):
    """Fresh ones, near duplicates, and one that is stored."""
    near = vectors[:3] + 0.02 * make_vectors(3, seed=4)
    return np.concatenate([make_vectors(4, seed=3), near, vectors[7:8]])
