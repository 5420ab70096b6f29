"""Rows without pictures: what their import costs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from latentdb.interchange import import_vectors
from latentdb.store import Store


def test_rows_without_pictures_are_committed_by_thousands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    np.save(tmp_path / "rows.npy", np.ones((20_000, 2), np.float16))
    store = Store.create(str(tmp_path / "rows.ldb"))
    batches: list[int] = []
    write = Store.write_batch

    def counted(self: Store, **batch: object) -> None:
        batches.append(len(batch["items"]))  # type: ignore[arg-type]
        write(self, **batch)  # type: ignore[arg-type]

    monkeypatch.setattr(Store, "write_batch", counted)
    summary = import_vectors(store, tmp_path / "rows.npy")
    assert summary.added == 20_000
    assert batches == [16_384, 3_616]
