"""What answering questions to the new space through the old one costs."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import final

import numpy as np

from indexers.flat import FlatConfig
from indexers.index import build_index
from indexers.metric import make_metric, make_prior
from indexers.types import IdArray, MetricName, PriorName
from latentdb.arrays import FloatArray
from latentdb.catalog import Catalog
from latentdb.errors import ModelError
from latentdb.held_out import Estimate, mean_estimate, resample_counts, split_by_item
from latentdb.model import AbstractTextEncoder, Vectors
from latentdb.profiles import texts_about
from latentdb.stitch.linear_map import LinearMap
from latentdb.stitch.modality import MIN_TEXTS, neutral_texts, to_pictures
from latentdb.succession.record import RecallLoss, TextLoss

K = 10
MAX_TEXTS = 200
_RESAMPLES = 500
_LOG = logging.getLogger(__name__)


@final
@dataclass(frozen=True, eq=False)
class Gallery:
    """Items searched in both spaces, exactly and by what a question to the old one is answered by.

    Parameters
    ----------
    ids : (n,) int64
    new, old : (n, dim)
        Their vectors in each space. Not modified.
    usual : (metric, prior)
    """

    ids: IdArray
    new: Vectors
    old: Vectors
    usual: tuple[MetricName, PriorName]

    def nearest_new(self, asked: Vectors, own: IdArray | None = None) -> list[set[int]]:
        """Ids of the 10 nearest in the new space to each of `asked` (m, dim), save `own` (m,)."""
        return self._nearest(self.new, asked, own)

    def nearest_old(self, asked: Vectors, own: IdArray | None = None) -> list[set[int]]:
        """The same in the old space."""
        return self._nearest(self.old, asked, own)

    def _nearest(self, vectors: Vectors, asked: Vectors, own: IdArray | None) -> list[set[int]]:
        name, prior = self.usual
        norms = np.linalg.norm(vectors.astype(np.float64), axis=1) if prior == "fitted" else None
        metric = (
            make_metric(name, make_prior(prior, dim=vectors.shape[1], norms=norms))
            if name == "nao"
            else make_metric(name)
        )
        index = build_index(vectors, self.ids, metric=metric, config=FlatConfig())
        found = index.search(asked, K + 1).ids
        left_out = np.full(len(asked), -1) if own is None else own
        answers = []
        for hits, item_id in zip(found.tolist(), left_out.tolist(), strict=True):
            others = [hit for hit in hits if hit not in (item_id, -1)]
            answers.append(set(others[:K]))
        return answers


@final
@dataclass(frozen=True, eq=False)
class TextQuestions:
    """Vectors (m, dim) of texts: by the new tower, the same as pictures for the map, by the old
    tower; None without one that can be loaded.
    """

    asked: Vectors
    as_pictures: Vectors
    by_old: Vectors | None


def held_out_of(fitted: LinearMap, ids: IdArray) -> IdArray:
    """Those of `ids`, all the items that a map was fitted on, that did not shape it."""
    facts = fitted.fitted_on
    is_held_out = split_by_item(ids, seed=facts.seed, fraction=facts.n_held_out / len(ids))
    return ids[is_held_out]


def text_questions(catalog: Catalog, *, new: str, old: str, seed: int) -> TextQuestions | None:
    """At most 200 texts to ask the new space with; None where it has no text tower.

    Phrases of the items' captions where there are enough, else texts about anything. Maps are
    fitted on pictures, so no text has shaped one.
    """
    model = catalog.models.get(new)
    profile = catalog.profiles.get(catalog.store.space(new), text=True)
    if profile is None or not isinstance(model, AbstractTextEncoder):
        return None
    about = texts_about(catalog.store)
    texts = about if len(about) >= MIN_TEXTS else neutral_texts()
    drawn = np.random.default_rng(seed).permutation(len(texts))[:MAX_TEXTS]
    chosen = [texts[at] for at in drawn]
    asked = model.encode_text(chosen)
    return TextQuestions(asked, to_pictures(profile, asked), _by_old(catalog, old, chosen))


def _by_old(catalog: Catalog, old: str, texts: Sequence[str]) -> Vectors | None:
    """Vectors of texts by the tower of the old space, which need not be there any more."""
    if not catalog.store.space(old).has_text:
        return None
    try:
        model = catalog.models.get(old)
    except ModelError as error:
        _LOG.info("texts go through the map: no model of %s: %s", old, error)
        return None
    return model.encode_text(texts) if isinstance(model, AbstractTextEncoder) else None


def measure_loss(
    fitted: LinearMap, gallery: Gallery, queries: IdArray, *, texts: TextQuestions | None = None
) -> RecallLoss:
    """Recall@10 of questions born in the new space, mapped and answered in the old one.

    The truth is the new space's own: the 10 items nearest to a question, to a held-out item among
    the others. Both searches are exact and over the same items.

    Parameters
    ----------
    fitted : LinearMap
        From the new space to the old one.
    gallery : Gallery
    queries : (m,) int64
        Those of its items that did not shape the map.
    texts : TextQuestions, optional
        Asked besides, where the new space has a text tower.
    """
    rows = np.flatnonzero(np.isin(gallery.ids, queries))
    own = gallery.ids[rows]
    mapped = fitted.transform(gallery.new[rows], restore_norm=True)
    truth = gallery.nearest_new(gallery.new[rows], own)
    seed = fitted.fitted_on.seed
    loss = RecallLoss(
        recall_at_10=_recall(gallery.nearest_old(mapped, own), truth, seed),
        own_recall_at_10=_recall(gallery.nearest_old(gallery.old[rows], own), truth, seed),
        n_queries=len(rows),
        gallery=len(gallery.ids),
        metric=gallery.usual[0],
    )
    return loss if texts is None else replace(loss, texts=_measure_texts(fitted, gallery, texts))


def _measure_texts(fitted: LinearMap, gallery: Gallery, texts: TextQuestions) -> TextLoss:
    """Recall@10 of texts through the map, or by the tower of the old space where it finds more.

    Between two storings of the bundled CLIP, the map was right for pictures (.997) and found .10
    of what texts do, the old tower all: as pictures, texts rank by another vector.
    """
    mapped = fitted.transform(texts.as_pictures, restore_norm=True)
    truth, seed = gallery.nearest_new(texts.asked), fitted.fitted_on.seed
    through = _recall(gallery.nearest_old(mapped), truth, seed)
    if texts.by_old is not None:
        own = _recall(gallery.nearest_old(texts.by_old), truth, seed)
        if own.value > through.value:
            return TextLoss(own, len(truth), by_map=False)
    return TextLoss(through, len(truth), by_map=True)


def _recall(found: list[set[int]], truth: list[set[int]], seed: int) -> Estimate:
    """Mean share of each truth that was found, its interval from resampling the questions."""
    shares: FloatArray = np.array([len(f & t) / len(t) for f, t in zip(found, truth, strict=True)])
    rng = np.random.default_rng(seed)
    return mean_estimate(shares, resample_counts(len(shares), n_resamples=_RESAMPLES, rng=rng))
