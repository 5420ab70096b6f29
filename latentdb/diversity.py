"""Hits that are near the question and unlike one another: maximal marginal relevance.

================  =======================================================
code              symbol of Carbonell and Goldstein
================  =======================================================
``trade_off``     λ
``to_question``   −Sim₁(D, Q): the distance of a candidate to the question
``to_chosen``     −max Sim₂(D, S): its distance to the nearest one chosen
================  =======================================================
"""

from __future__ import annotations

import numpy as np

from indexers.metric import AbstractMetric
from indexers.types import FloatArray, IdArray
from latentdb.model import Vectors

_PER_HIT, _LEAST = 10, 50


def candidates_for(k: int) -> int:
    """How many of the nearest items `k` diverse ones are chosen from."""
    return max(_PER_HIT * k, _LEAST)


def choose_diverse(
    metric: AbstractMetric,
    to_question: FloatArray,
    vectors: Vectors,
    *,
    k: int,
    trade_off: float,
) -> IdArray:
    """Numbers of at most `k` candidates, in the order in which they are chosen.

    The nearest comes first; then always the one of greatest

        −λ·d(candidate, question) + (1 − λ)·min d(candidate, chosen)

    with the metric's distance d in both terms, so that both are on one scale.

    Parameters
    ----------
    metric : AbstractMetric
    to_question : (n,)
        Distances of the candidates to the question, ascending.
    vectors : (n, dim)
        The candidates. Not modified.
    k : int
    trade_off : float
        λ in [0, 1]: 1 keeps the order of distance; 0 takes what is farthest from all chosen.

    References
    ----------
    Carbonell and Goldstein, "The use of MMR, diversity-based reranking for reordering documents
    and producing summaries", SIGIR 1998.
    """
    n = len(to_question)
    chosen = np.empty(0, dtype=np.int64)
    to_chosen = np.zeros(n)
    is_left = np.ones(n, dtype=np.bool_)
    while len(chosen) < min(k, n):
        if len(chosen):
            newest = metric.rows(vectors[chosen[-1]], vectors)
            to_chosen = newest if len(chosen) == 1 else np.minimum(to_chosen, newest)
            worth = (1.0 - trade_off) * to_chosen - trade_off * to_question
        else:
            worth = -to_question
        best = int(np.where(is_left, worth, -np.inf).argmax())
        chosen = np.append(chosen, best)
        is_left[best] = False
    return chosen
