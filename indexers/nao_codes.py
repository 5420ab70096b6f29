"""NAO over codes: the penalty comes in before the rows that are read are chosen."""

from __future__ import annotations

import numpy as np

from indexers.code_stage import AbstractCodeStage
from indexers.forms import Request
from indexers.nao_query import NaoCorpus, foremost_count
from indexers.types import Float32Array, IdArray

_LONGER = 4


def list_by_code(
    stage: AbstractCodeStage, units: Float32Array, corpus: NaoCorpus, request: Request
) -> list[IdArray]:
    """The selected rows of the largest c − g for each unit query, c by their codes.

    Codes list by c alone. Where the list's last c, less the least penalty of all, would still be
    among the best, rows that were not listed may be, and the list is made longer.
    """
    selection = request.selection
    count = max(stage.refine * request.k, foremost_count(request.k))
    if count >= selection.count:
        return [selection.positions(stage.count)] * len(units)
    least = float(corpus.penalties.min())
    lists = [np.empty(0, np.int64)] * len(units)
    open_queries, width = np.arange(len(units)), count
    while open_queries.size:
        found = stage.listed(units[open_queries], width, selection)
        scores = found.scores - corpus.penalties[found.positions]
        best = np.argpartition(-scores, count - 1, axis=1)[:, :count]
        worst = np.take_along_axis(scores, best, axis=1).min(axis=1)
        for row, positions, columns in zip(open_queries, found.positions, best, strict=True):
            lists[row] = positions[columns]
        may_lack = (found.scores[:, -1] - least > worst) & (width < selection.count)
        open_queries, width = open_queries[may_lack], min(_LONGER * width, selection.count)
    return lists
