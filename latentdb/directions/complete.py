"""From a draft to a direction: made orthogonal, given a boundary and a unit, and scored.

Every source of a direction ends here, so that all are placed and measured alike.
"""

from __future__ import annotations

import numpy as np

from latentdb.arrays import FloatArray, RealArray
from latentdb.artefacts import FittedOn, SpaceRef
from latentdb.directions.change import auc_change, correlation_change
from latentdb.directions.cost import OrthogonalityCost, TakenOff
from latentdb.directions.direction import Direction
from latentdb.directions.draft import Draft, Judges, Resampling
from latentdb.directions.orthogonal import Nuisances, orthogonal_part, unit_of
from latentdb.directions.scores import ProbeScore, score_ranking
from latentdb.errors import NotEnoughDataError
from latentdb.held_out import hash_ids


def complete(
    draft: Draft,
    *,
    corpus: RealArray,
    judges: Judges,
    nuisances: Nuisances,
    resampling: Resampling,
) -> Direction:
    """The direction of a draft.

    Parameters
    ----------
    draft : Draft
    corpus : (n, dim)
        Sample of the space that gives boundary, unit and covariance; not modified.
    judges : Judges
    nuisances : Nuisances
        Taken off before anything is measured.
    resampling : Resampling

    Raises
    ------
    NotEnoughDataError
        The corpus does not spread along the direction, or the judges lack a class.
    SpaceMismatchError, ZeroVectorError
        See `orthogonal_part`.
    """
    home = SpaceRef.of(draft.space)
    vector = orthogonal_part(
        draft.vector, home, nuisances, sample=corpus, is_reading=draft.is_reading
    )
    along = corpus @ vector
    offset = draft.boundary.offset(vector, along)
    std = spread(along, name=draft.name)
    n_scored = 0 if judges.is_positive is None else len(judges.ids)
    items = judges.ids if draft.classes != (0, 0) else judges.ids[:0]
    whole = np.concatenate([draft.ids, items])
    return Direction(
        name=draft.name,
        space_ref=home,
        vector=vector,
        offset=offset,
        std=std,
        method=draft.method,
        label=draft.label,
        fitted_on=FittedOn(len(draft.ids), n_scored, hash_ids(whole), resampling.seed),
        scores=_scores((judges.vectors @ vector - offset) / std, judges, draft, resampling),
        orthogonal_to=nuisances.names,
        boundary=draft.boundary.name,
        score_label=judges.label,
        cost=_cost(draft.vector, vector, judges, nuisances, resampling),
    )


def spread(along: FloatArray, *, name: str) -> float:
    """Standard deviation of projections (n,), which a direction measures strength in.

    Raises
    ------
    NotEnoughDataError
        Fewer than two rows, or all the same.
    """
    std = float(along.std()) if len(along) > 1 else 0.0
    if not std > 0.0:
        raise NotEnoughDataError(
            f"direction {name!r}: {len(along)} rows do not spread along it, so a strength has no "
            "unit; bring more rows"
        )
    return std


def _scores(
    distances: FloatArray, judges: Judges, draft: Draft, resampling: Resampling
) -> ProbeScore | None:
    """Scores of signed distances (n,); None where no label judges them."""
    if judges.is_positive is None:
        return None
    n = len(judges.ids)
    n_positive = int(judges.is_positive.sum())
    auc, accuracy = score_ranking(distances, judges.is_positive, **vars(resampling))
    positive, negative = draft.classes
    return ProbeScore(auc, accuracy, positive + n_positive, negative + n - n_positive, n)


def _cost(
    before: FloatArray,
    after: FloatArray,
    judges: Judges,
    nuisances: Nuisances,
    resampling: Resampling,
) -> OrthogonalityCost | None:
    """What was lost and what was gained from one vector (dim,) to the other."""
    if not nuisances.directions:
        return None
    along = judges.vectors @ unit_of(before), judges.vectors @ after
    auc = None
    if judges.is_positive is not None:
        auc = auc_change(*along, judges.is_positive, **vars(resampling))
    taken = tuple(_taken_off(along, other, judges, resampling) for other in nuisances.directions)
    return OrthogonalityCost(nuisances.kind, len(judges.ids), auc, taken)


def _taken_off(
    along: tuple[FloatArray, FloatArray], other: Direction, judges: Judges, resampling: Resampling
) -> TakenOff:
    """How projections (n,) before and after go along with one nuisance, and with its label."""
    own = correlation_change(*along, judges.vectors @ other.vector, **vars(resampling))
    has = judges.nuisance_labels.get(other.name)
    if has is None:
        return TakenOff(other.name, own)
    known = np.isfinite(has)
    if len(np.unique(has[known])) < 2:
        return TakenOff(other.name, own)
    of_label = correlation_change(along[0][known], along[1][known], has[known], **vars(resampling))
    return TakenOff(other.name, own, other.column, of_label)
