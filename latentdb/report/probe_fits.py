"""Linear probes of many attributes of one space, with what each says of the items held out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final, final

import numpy as np

from latentdb.arrays import BoolArray, FloatArray, IdArray, RealArray
from latentdb.directions.probe import PCA_COMPONENTS, WhitenedBasis, fit_logistic
from latentdb.directions.scores import ProbeScore, item_weights, score_ranking, weighted_auc
from latentdb.errors import NotEnoughDataError
from latentdb.held_out import Estimate, split_by_item
from latentdb.report.attributes import MIN_PER_CLASS, Attribute
from latentdb.report.sample import Sample

_MIN_HELD_OUT: Final = 4
_RESAMPLES: Final = 500


@final
@dataclass(frozen=True, eq=False)
class Probed:
    """One attribute, read by one probe.

    Parameters
    ----------
    decisions : (n,) float64
        Of all held-out items, in the probe's logits: positive on the attribute's side.
    is_positive, is_known : (n,) bool
        What their labels say, and which of them have one.
    n_positive, n_negative : int
        Labelled items, training and held-out together.
    seed : int
        Of the resampling.
    """

    decisions: FloatArray
    is_positive: BoolArray
    is_known: BoolArray
    n_positive: int
    n_negative: int
    seed: int

    @cached_property
    def score(self) -> ProbeScore:
        """AUC and balanced accuracy on the held-out items."""
        auc, accuracy = score_ranking(
            self.decisions[self.is_known], self.is_positive[self.is_known], seed=self.seed
        )
        n_held_out = int(self.is_known.sum())
        return ProbeScore(auc, accuracy, self.n_positive, self.n_negative, n_held_out)

    @property
    def balanced_accuracy(self) -> float:
        """Mean share of each class on its own side of the boundary."""
        above = self.decisions[self.is_known] > 0
        is_positive = self.is_positive[self.is_known]
        return float(above[is_positive].mean() + (~above[~is_positive]).mean()) / 2


@final
@dataclass(frozen=True, eq=False)
class SpaceProbes:
    """Probes of one space.

    Parameters
    ----------
    ids : (n,) int64
        Items held out, of all attributes the same.
    by_attribute : mapping of str to Probed
        Those with enough items on both sides.
    """

    ids: IdArray
    by_attribute: Mapping[str, Probed]

    def mean_auc(self, *, seed: int) -> Estimate:
        """Mean over attributes, with its interval from resampling items for all of them at once."""
        weights = item_weights(len(self.ids), _RESAMPLES, np.random.default_rng(seed))
        aucs = []
        for one in self.by_attribute.values():
            is_above, is_below = one.is_known & one.is_positive, one.is_known & ~one.is_positive
            positive, negative = weights[:, is_above], weights[:, is_below]
            # Resamples of all items hold more or fewer of each class than there are.
            drawn = positive.mean(axis=1) * negative.mean(axis=1)
            above, below = one.decisions[is_above], one.decisions[is_below]
            # Of a rare attribute a resample may hold none: the mean is then of the others.
            auc = np.full(len(weights), np.nan)
            np.divide(
                weighted_auc(above, below, positive, negative), drawn, out=auc, where=drawn > 0
            )
            aucs.append(auc)
        mean = np.nanmean(aucs, axis=0)
        return Estimate.of(mean[0], mean[1:])

    def mean_balanced_accuracy(self) -> float:
        """Mean over attributes."""
        return float(np.mean([one.balanced_accuracy for one in self.by_attribute.values()]))


def probe_space(sample: Sample, space: str) -> SpaceProbes:
    """Probes of one space of the sample; see `fit_probes`."""
    rows = sample.rows(space)
    return sample.once(
        f"probes of {space}",
        lambda: fit_probes(
            rows.vectors,
            sample.require_attributes(),
            ids=rows.ids,
            n_components=PCA_COMPONENTS[sample.spaces[space].kind],
            seed=sample.seed,
        ),
    )


def fit_probes(
    vectors: RealArray,
    attributes: Sequence[Attribute],
    *,
    ids: IdArray,
    n_components: int,
    seed: int,
) -> SpaceProbes:
    """PCA → standardise → logistic regression, per attribute, on one split and one PCA.

    Parameters
    ----------
    vectors : (n, dim)
        Not modified.
    attributes : sequence of Attribute
        Those with too few items on one side, here or among the held-out, are passed over.
    ids : (n,) int64
    n_components : int
        Of the PCA, at most.
    seed : int

    Raises
    ------
    NotEnoughDataError
        No attribute has enough items.
    """
    is_test = split_by_item(ids, seed=seed)
    basis = WhitenedBasis.of(vectors[~is_test], n_components=n_components, seed=seed)
    fitting, held = basis.features(vectors[~is_test]), basis.features(vectors[is_test])
    found = {}
    for attribute in attributes:
        is_positive, is_known = attribute.of(ids)
        if not _has_enough(is_positive, is_known, is_test):
            continue
        train = is_known[~is_test]
        model = fit_logistic(fitting[train], is_positive[~is_test][train], seed=seed)
        found[attribute.name] = Probed(
            decisions=model.decision_function(held),
            is_positive=is_positive[is_test],
            is_known=is_known[is_test],
            n_positive=int((is_known & is_positive).sum()),
            n_negative=int((is_known & ~is_positive).sum()),
            seed=seed,
        )
    if not found:
        raise NotEnoughDataError(
            f"of {len(ids)} items no attribute has {MIN_PER_CLASS} on both sides, "
            f"{_MIN_HELD_OUT} of them held out"
        )
    return SpaceProbes(ids[is_test], found)


def _has_enough(is_positive: BoolArray, is_known: BoolArray, is_test: BoolArray) -> bool:
    """Whether both classes have enough items, in all and among those held out."""
    classes = (is_known & is_positive, is_known & ~is_positive)
    return all(
        one.sum() >= MIN_PER_CLASS and (one & is_test).sum() >= _MIN_HELD_OUT for one in classes
    )
