"""Several flat indexes as one: rows are taken over as they lie, so that no distance changes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from indexers.checks import check_ids, row_blocks
from indexers.errors import IndexKindError
from indexers.flat import FlatConfig, FlatStage
from indexers.index import HeldRows, VectorIndex
from indexers.types import PAD_ID


def join_flat(indexes: Sequence[VectorIndex]) -> VectorIndex:
    """A flat index of all vectors of flat indexes under one metric, without the removed ones.

    The indexes stay as they are.

    Raises
    ------
    IndexKindError
        One of them is of another kind.
    DuplicateIdError
        An id is in two of them.
    """
    first = indexes[0]
    joined = VectorIndex(first.dim, first.metric, FlatConfig())
    stage, ids, norms = joined.stage, [], []
    for index in indexes:
        if not isinstance(index.stage, FlatStage):
            raise IndexKindError(f"expected flat indexes to join, got one of {index.config.kind}")
        live = np.flatnonzero(index.position_ids != PAD_ID)
        for block in row_blocks(len(live), first.dim):
            stage.add(index.stage.gather(live[block]))
        ids.append(index.position_ids[live])
        norms.append(index.norms[live] if len(index.norms) else index.norms)
    return VectorIndex(
        first.dim,
        first.metric,
        FlatConfig(),
        held=HeldRows(stage, check_ids(np.concatenate(ids), None), np.concatenate(norms)),
    )
