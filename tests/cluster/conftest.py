"""A real Ray cluster of several nodes on this machine, and small pictures for it."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

ray = pytest.importorskip("ray", reason="Ray is not installed: pip install 'latentdb[ray]'")

NODE = {"num_cpus": 1, "object_store_memory": 80 * 2**20}


@pytest.fixture(scope="session")
def head() -> Iterator[Any]:
    """Two nodes of one core each, of which the second may die; this process is part of them."""
    # Workers are told nothing of the path of this process, and where its tests are.
    paths = (Path(__file__).parent, Path(__file__).parents[2])
    given = {
        "RAY_USAGE_STATS_ENABLED": "0",
        "PYTHONPATH": os.pathsep.join(map(str, paths)),
    }
    from ray.cluster_utils import Cluster

    with pytest.MonkeyPatch.context() as patch:
        for name, value in given.items():
            patch.setenv(name, value)
        cluster = Cluster(
            initialize_head=True,
            head_node_args={**NODE, "include_dashboard": False},
        )
        cluster.add_node(**NODE)
        ray.init(address=cluster.address, log_to_driver=False, logging_level=logging.ERROR)
        yield cluster
        ray.shutdown()
        cluster.shutdown()


@pytest.fixture
def cluster(head: Any) -> Any:
    """The cluster with both nodes, also after a test that took one away."""
    if not head.worker_nodes:
        head.add_node(**NODE)
    head.wait_for_nodes()
    return head


@pytest.fixture(scope="session")
def faces(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """96 small pictures, some of them twice, beside files that are none."""
    folder = tmp_path_factory.mktemp("faces")
    rng = np.random.default_rng(3)
    for at in range(96):
        corners = rng.integers(0, 256, (2, 2, 3), dtype=np.uint8)
        picture = Image.fromarray(corners).resize((48, 40), Image.Resampling.BICUBIC)
        picture.save(folder / f"{at:03}.png")
        if at % 16 == 0:
            picture.save(folder / f"{at:03}-twin.bmp")
            (folder / f"{at:03}-broken.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(40))
    rows = [f"{at:03}.png,{at % 7},{str(at % 2 == 0).lower()}" for at in range(96)]
    (folder / "labels.csv").write_text("\n".join(["path,count,smile", *rows]) + "\n")
    return folder
