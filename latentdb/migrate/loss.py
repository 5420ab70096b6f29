"""What answering questions to the new space through the old one costs."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from indexers.flat import FlatConfig
from indexers.index import build_index
from indexers.metric import make_metric, make_prior
from indexers.types import IdArray, MetricName, PriorName
from latentdb.arrays import FloatArray
from latentdb.held_out import mean_estimate, resample_counts, split_by_item
from latentdb.model import Vectors
from latentdb.stitch.linear_map import LinearMap
from latentdb.succession.record import RecallLoss

K = 10
_RESAMPLES = 500


def held_out_of(fitted: LinearMap, ids: IdArray) -> IdArray:
    """Those of `ids`, all the items that a map was fitted on, that did not shape it."""
    facts = fitted.fitted_on
    is_held_out = split_by_item(ids, seed=facts.seed, fraction=facts.n_held_out / len(ids))
    return ids[is_held_out]


def measure_loss(
    fitted: LinearMap,
    *,
    ids: IdArray,
    new: Vectors,
    old: Vectors,
    queries: IdArray,
    usual: tuple[MetricName, PriorName],
) -> RecallLoss:
    """Recall@10 of questions born in the new space, mapped and answered in the old one.

    The truth is the new space's own: the 10 items nearest to a held-out item among the others.
    Both searches are exact and over the same items.

    Parameters
    ----------
    fitted : LinearMap
        From the new space to the old one.
    ids : (n,) int64
        Items searched.
    new, old : (n, dim)
        Their vectors in each space. Not modified.
    queries : (m,) int64
        Those of `ids` that did not shape the map.
    usual : (metric, prior)
        What a question to the old space is answered by.
    """
    rows = np.flatnonzero(np.isin(ids, queries))
    mapped = fitted.transform(new[rows], restore_norm=True)
    truth = _nearest(new, ids, asked=new[rows], rows=rows, usual=usual)
    found = _nearest(old, ids, asked=mapped, rows=rows, usual=usual)
    own = _nearest(old, ids, asked=old[rows], rows=rows, usual=usual)
    rng = np.random.default_rng(fitted.fitted_on.seed)
    counts = resample_counts(len(rows), n_resamples=_RESAMPLES, rng=rng)
    return RecallLoss(
        recall_at_10=mean_estimate(_shared(found, truth), counts),
        own_recall_at_10=mean_estimate(_shared(own, truth), counts),
        n_queries=len(rows),
        gallery=len(ids),
        metric=usual[0],
    )


def _nearest(
    vectors: Vectors,
    ids: IdArray,
    *,
    asked: Vectors,
    rows: NDArray[np.intp],
    usual: tuple[MetricName, PriorName],
) -> list[set[int]]:
    """Ids of the 10 nearest of each question, without the item that asks."""
    name, prior = usual
    norms = np.linalg.norm(vectors.astype(np.float64), axis=1) if prior == "fitted" else None
    metric = (
        make_metric(name, make_prior(prior, dim=vectors.shape[1], norms=norms))
        if name == "nao"
        else make_metric(name)
    )
    index = build_index(vectors, ids, metric=metric, config=FlatConfig())
    found = index.search(asked, K + 1).ids
    answers = []
    for hits, item_id in zip(found.tolist(), ids[rows].tolist(), strict=True):
        others = [hit for hit in hits if hit not in (item_id, -1)]
        answers.append(set(others[:K]))
    return answers


def _shared(found: list[set[int]], truth: list[set[int]]) -> FloatArray:
    """Share of each truth that was found."""
    return np.array([len(f & t) / len(t) for f, t in zip(found, truth, strict=True)])
