"""What checksums cost, for benchmarks.reliability."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import numpy as np

import latentdb
from latentdb.space import Space
from latentdb.store.seals import Seals
from latentdb.types import ItemRow, SpaceRows

_ROWS, _DIM, _BLOCKS = 4_000, 1_024, 8


def checksum_cost() -> dict[str, float]:
    """Seconds of processors that appending vectors takes, checksums and all, and those alone."""
    space = Space("noise", "noise", _DIM, "none", {})
    rows = np.random.default_rng(0).standard_normal((_ROWS, _DIM)).astype(np.float32)
    blocks = [np.arange(_ROWS) + at * _ROWS for at in range(_BLOCKS)]
    with tempfile.TemporaryDirectory() as folder:
        db = latentdb.create(Path(folder) / "db.ldb")
        db.store.add_space(space)
        for ids in blocks:
            items = [ItemRow(one, f"{one}.png", 1, 1, b"") for one in ids.tolist()]
            db.store.write_batch(items=items, sources=[], vectors={}, quarantine=[])
        started = time.process_time()
        with db.store.appending("noise") as appender:
            for ids in blocks:
                appender.append(SpaceRows(ids, rows))
        whole = time.process_time() - started
        seals = Seals(db.store.path)
        seals.discard("space_noise")
        started = time.process_time()
        seals.renew()
        alone = time.process_time() - started
    gigabytes = rows.nbytes * _BLOCKS / 1e9
    return {
        "gigabytes": round(gigabytes, 3),
        "appending_s": round(whole, 3),
        "checksums_s": round(alone, 3),
        "checksums_share": round(alone / whole, 3),
        "checksums_s_per_gigabyte": round(alone / gigabytes, 2),
    }
