"""Settings of a search that are tried one after the other, each costlier than the last."""

from __future__ import annotations


def doublings(first: int, last: int) -> tuple[int, ...]:
    """`first`, doubled until `last`, which is the end; `last` alone where it is no greater.

    >>> doublings(1, 12)
    (1, 2, 4, 8, 12)
    """
    steps = []
    while first < last:
        steps.append(first)
        first *= 2
    return (*steps, last)
