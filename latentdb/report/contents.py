"""What a database has to say of itself and of its answers, as parts of a page."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from latentdb.filters import filter_ids
from latentdb.pictures import describe_query, short_labels
from latentdb.report.page import AnswerSection, Shown, Table, Verdict

if TYPE_CHECKING:
    from latentdb.database import LatentDB
    from latentdb.types import Answer, Hit


def answer_section(
    db: LatentDB,
    answer: Answer,
    *,
    title: str,
    command: str,
    wanted: str | None = None,
    asked: Shown | None = None,
) -> AnswerSection:
    """An answer with its pictures.

    Parameters
    ----------
    db : LatentDB
        What answered.
    answer : Answer
    title : str
        Of the section.
    command : str
        The command line that asks the same.
    wanted : str or None
        Condition on labels that a good hit satisfies; counted, and compared with its base rate.
    asked : Shown or None
        The picture that was asked with, where it is not an item of the database.

    Raises
    ------
    FilterError
        `wanted` cannot be evaluated.
    """
    ids = [hit.id for hit in answer.hits]
    matching = set() if wanted is None else set(filter_ids(db.store, wanted, None).tolist())
    hits = [
        _shown(db, hit, rank, None if wanted is None else hit.id in matching)
        for rank, hit in enumerate(answer.hits, start=1)
    ]
    verdict = None
    if wanted is not None:
        rate = base_rate(db, wanted, among=answer.query.get("where"))
        verdict = Verdict(wanted, sum(item in matching for item in ids), len(ids), rate)
    if asked is None and answer.query["kind"] == "id":
        asked = _item_shown(db, int(answer.query["value"]))
    return AnswerSection(
        title=title,
        command=command,
        explanation=_explain(answer),
        asked=asked,
        question=describe_query(answer.query)[0],
        hits=hits,
        verdict=verdict,
    )


def base_rate(db: LatentDB, condition: str, *, among: str | None = None) -> float:
    """Share of the pictures (of those that satisfy `among`) that satisfy `condition`."""
    ids = db.store.item_ids() if among is None else filter_ids(db.store, among, None)
    if not len(ids):
        return 0.0
    return float(np.isin(ids, filter_ids(db.store, condition, None)).mean())


def spaces_table(db: LatentDB) -> Table:
    """The spaces of a database."""
    return Table(
        "Spaces",
        ["space", "kind", "dim", "text", "vectors", "fingerprint"],
        [
            [
                name,
                space.kind,
                space.dim,
                space.has_text,
                len(db.store.vector_ids(name)),
                space.fingerprint,
            ]
            for name, space in db.spaces().items()
        ],
        "The fingerprint covers every setting that moves a vector; vectors of two never meet.",
    )


def indexes_table(db: LatentDB) -> Table:
    """The indexes of a database."""
    return Table(
        "Indexes",
        ["space", "metric", "prior", "kind", "vectors", "newer rows", "kB", "built in s"],
        [
            [
                info.space,
                info.metric,
                info.prior,
                info.kind,
                info.count,
                info.newer_rows,
                info.index_bytes / 1e3,
                info.seconds,
            ]
            for info in db.indexes()
        ],
        "Rows newer than an index are searched exactly beside it.",
    )


def maps_table(db: LatentDB) -> Table:
    """The maps between spaces, with their held-out scores."""
    rows = []
    for found in db.maps():
        scores, null = found.scores, found.scores.null
        rows.append(
            [
                f"{found.source} → {found.target}",
                found.method,
                scores.n_held_out,
                str(scores.r2),
                str(scores.centred_cosine),
                str(scores.recall_at_10),
                scores.chance_at(10),
                None if null is None else null.recall_at_10_max,
                None if null is None else null.centred_cosine_max,
            ]
        )
    return Table(
        "Maps between spaces",
        ["map", "method", "held out", "R²", "centred cosine", "recall@10"]
        + ["chance", "null recall@10", "null cosine"],
        rows,
        "Scored on pictures that did not shape the map, with 95 % intervals. Recall@10: the share "
        "of mapped vectors whose own partner is among the 10 nearest held-out ones. Null: the best "
        "of the maps fitted on permuted pairs.",
    )


def directions_table(db: LatentDB) -> Table:
    """The fitted directions, with their held-out scores."""
    rows = []
    for found in db.directions():
        scores = found.scores
        rows.append(
            [
                found.name,
                found.space,
                found.method,
                None if scores is None else scores.n_positive,
                None if scores is None else scores.n_negative,
                None if scores is None else str(scores.auc),
                ", ".join(found.orthogonal_to) or None,
            ]
        )
    return Table(
        "Directions",
        ["attribute", "space", "method", "with", "without", "AUC", "orthogonal to"],
        rows,
        "AUC on held-out pictures with its 95 % interval; .5 says nothing.",
    )


def _shown(db: LatentDB, hit: Hit, rank: int, satisfies: bool | None) -> Shown:
    labels = short_labels(hit.labels)
    return Shown(
        picture=db.thumbnail(hit.id),
        alt=f"Hit {rank}: {labels or hit.source}",
        title=str(rank),
        aside=f"{hit.distance:.3f}" if abs(hit.distance) < 10 else f"{hit.distance:.1f}",
        labels=labels.split(" · ") if labels else (),
        satisfies=satisfies,
    )


def _item_shown(db: LatentDB, item_id: int) -> Shown:
    item = db.items([item_id])[0]
    labels = short_labels(item.labels)
    alt = f"Asked with: {labels or item.source}"
    return Shown(db.thumbnail(item_id), alt, "asked", labels=labels.split(" · ") if labels else ())


def _explain(answer: Answer) -> str:
    certainty = "exact" if answer.exact else "approximate"
    said = f"Searched in {answer.space} by {answer.metric}, {certainty}."
    if answer.query["kind"] == "rank":
        said = f"Ranked in {answer.space} along the direction, in standard deviations."
    scores = answer.query.get("map")
    if scores is not None:
        said += (
            f" Carried over from {answer.query['from']} by a {scores['method']} map (held-out "
            f"recall@10 {scores['recall_at_10']:.2f}, chance {scores['chance_at_10']:.2f})."
        )
    _, how = describe_query(answer.query)
    return f"{said} {how[:1].upper()}{how[1:]}." if how else said
