"""Indexes and upkeep on the wire: their facts, with what was measured of them."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from indexers.types import METRIC_NAMES, PRIOR_NAMES
from latentdb.index import IndexInfo
from latentdb.index.audit import IndexAudit
from latentdb.index.exam import Recall
from latentdb.index.name import IndexName
from latentdb.index.questions import QUESTION_KINDS
from latentdb.index.tuning import Tuning
from latentdb.store.compaction import Compaction
from latentdb.wire.fields import Fields
from latentdb.wire.form import Form, Include


def _index(info: IndexInfo, _include: Include) -> dict[str, Any]:
    return info.to_json()


def _index_of(data: Fields) -> IndexInfo:
    counts = ("count", "newer_rows", "removed_rows", "index_bytes")
    read: dict[str, Any] = {name: data.integer(name) for name in counts}
    read["space"] = data.text("space")
    read["kind"] = data.text("kind")
    read["metric"] = data.choice("metric", METRIC_NAMES)
    read["prior"] = data.choice("prior", PRIOR_NAMES) if data.has("prior") else None
    read["recall_at_10"] = data.number("recall_at_10")
    read["seconds"] = data.number("seconds")
    read["reason"] = data.text_or_none("reason")
    read["tuning"] = _tuning_of(data.inside("tuning")) if data.has("tuning") else None
    assert set(read) == {one.name for one in fields(IndexInfo)}
    return IndexInfo(**read)


def _tuning_of(data: Fields) -> Tuning:
    settings = data.inside("settings")
    recall, error, questions = (data.inside(name) for name in ("recall", "error", "questions"))
    # Of a kind that a newer server asks, this client has nothing to say.
    kinds = [kind for kind in QUESTION_KINDS if recall.has(kind)]
    not_asked = data.inside("not_asked")
    return Tuning(
        target=data.number("target"),
        target_met=data.flag("target_met"),
        k=data.integer("k"),
        settings={name: settings.integer(name) for name in settings.whole()},
        recall={kind: recall.number(kind) for kind in kinds},
        error={kind: error.number(kind) for kind in kinds},
        questions={kind: questions.integer(kind) for kind in kinds},
        not_asked={kind: not_asked.text(kind) for kind in QUESTION_KINDS if not_asked.has(kind)},
        tried=tuple(one.whole() for one in data.each("tried")),
    )


def _audit(found: IndexAudit, _include: Include) -> dict[str, Any]:
    return found.to_json()


def _audit_of(data: Fields) -> IndexAudit:
    prior = data.choice("prior", PRIOR_NAMES) if data.has("prior") else None
    recall, not_asked = data.inside("recall"), data.inside("not_asked")
    each = {kind: recall.inside(kind) for kind in QUESTION_KINDS if recall.has(kind)}
    return IndexAudit(
        index=IndexName(data.text("space"), data.choice("metric", METRIC_NAMES), prior),
        kind=data.text("kind"),
        target=data.number("target"),
        recall={
            kind: Recall(one.number("recall"), one.number("error"), one.integer("questions"))
            for kind, one in each.items()
        },
        before={kind: one.number("before") for kind, one in each.items() if one.has("before")},
        not_asked={kind: not_asked.text(kind) for kind in QUESTION_KINDS if not_asked.has(kind)},
    )


def _compaction(done: Compaction, _include: Include) -> dict[str, Any]:
    return done.to_json()


def _compaction_of(data: Fields) -> Compaction:
    return Compaction(**{one.name: data.integer(one.name) for one in fields(Compaction)})


FORMS = (
    Form(IndexInfo, _index, _index_of),
    Form(IndexAudit, _audit, _audit_of),
    Form(Compaction, _compaction, _compaction_of),
)
