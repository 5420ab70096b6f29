"""Ids are found at their positions however a table grew."""

from __future__ import annotations

import numpy as np

from indexers.ids import IdTable


def test_ids_that_came_in_blocks_are_at_their_positions() -> None:
    ids = np.random.default_rng(0).permutation(1000) * 3
    table = IdTable()
    for block in np.array_split(ids, 7):
        table.check_new(block)
        table.append(block)
    assert np.array_equal(table.positions_of(ids), np.arange(1000))
    assert (table.positions_of(ids + 1) == -1).all()


def test_a_removed_id_may_come_again_at_another_position() -> None:
    table = IdTable(np.array([5, 2, 9]))
    table.mark_removed(np.array([1]))
    table.check_new(np.array([2]))
    table.append(np.array([7, 2]))
    assert table.positions_of(np.array([9, 2, 5, 7])).tolist() == [2, 4, 0, 3]
    assert table.live_count == 4
