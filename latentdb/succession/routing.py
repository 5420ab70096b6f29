"""Which space answers when a name is of a space that is being, or has been, replaced.

Before cut-over the old space answers everything: a question to the new one is mapped into it, or
asked by an item's own vector or by the old text tower, and the answer says so and what that costs.
Distances of two spaces cannot be compared, so the part of the items that has new vectors already is
not searched beside it: no order over both would mean anything. Once every item has its vector, the
new space answers by itself when it is named.

After cut-over the old name stands for its role: pictures, ids and text that are asked of it are
embedded and answered by the new space. Only a ready vector stays in the space that it was made
in, and goes through the map to the new one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from latentdb.errors import SpaceMismatchError
from latentdb.held_out import Estimate
from latentdb.query import Query
from latentdb.space import Space
from latentdb.store import Store
from latentdb.succession.book import MigrationBook
from latentdb.succession.record import Migration, RecallLoss


def in_order(book: MigrationBook, spaces: Mapping[str, Space]) -> dict[str, Space]:
    """Spaces in the order that defaults are taken from: a replaced one gives up its place."""
    ordered = dict(spaces)
    for migration in book.all():
        if not migration.is_switched or migration.new not in ordered:
            continue
        new = ordered.pop(migration.new)
        old = ordered.pop(migration.old, None) if _is_retired(migration) else None
        names = list(ordered)
        at = min([names.index(name) for name in migration.before if name in names] or [len(names)])
        moved = [*names[:at], migration.new, *names[at:]]
        ordered = {name: ordered.get(name, new) for name in moved}
        if old is not None:
            ordered[migration.old] = old
    return ordered


def active(book: MigrationBook, name: str, store: Store) -> str:
    """The space that a name stands for now: itself, or what has taken its place."""
    there = store.spaces()
    seen = {name}
    while True:
        taken = [
            one.new
            for one in book.all()
            if one.old == name
            and one.is_switched
            and (_is_retired(one) or name not in there)
            and one.new not in seen
        ]
        if not taken:
            return name
        name = taken[-1]
        seen.add(name)


def filled(book: MigrationBook, names: Sequence[str], store: Store) -> list[str]:
    """Spaces that new pictures need vectors in where these are named.

    Both spaces of an open migration: whichever answers, now or after the next step, has them.
    """
    wanted: list[str] = []
    for name in names:
        pairs = [{one.old, one.new} for one in book.all() if one.is_open]
        both = [other for pair in pairs if name in pair for other in sorted(pair - {name})]
        wanted += [active(book, name, store) if name not in store.spaces() else name, *both]
    return list(dict.fromkeys(wanted))


def retired(book: MigrationBook) -> frozenset[str]:
    """Spaces that are still there, and that others have taken the place of."""
    return frozenset(one.old for one in book.all() if _is_retired(one))


def _is_retired(migration: Migration) -> bool:
    """Whether the old space may still be there without answering; once finished, a space of its
    name is another one.
    """
    return migration.state in ("cut_over", "finishing")


def route(book: MigrationBook, query: Query, store: Store) -> tuple[Query, dict[str, Any]]:
    """The question as it is to be asked, and what the answer says about that.

    Raises
    ------
    SpaceMismatchError
        A vector of a space that was dropped: the new one's are not comparable with it.
    """
    if not book.all():
        return query, {}
    query, said = _to_active(book, query, store)
    target = query.space or query.from_space
    for migration in book.all():
        if migration.state == "serving" and target == migration.new:
            return _through_old(migration, query, store), {**said, **_service(migration, query)}
    return query, said


def _to_active(book: MigrationBook, query: Query, store: Store) -> tuple[Query, dict[str, Any]]:
    """Names of replaced spaces as the names of those that took their place."""
    born = query.from_space or query.space if query.vector is not None else query.from_space
    space = None if query.space is None else active(book, query.space, store)
    if born is None:
        said = {} if space == query.space else _replaced(query.space, space)
        return replace(query, space=space), said
    now = active(book, born, store)
    if query.vector is not None and now != born:
        if born not in store.spaces():
            raise SpaceMismatchError(
                f"space {born!r} was replaced by {now!r} and dropped, so nothing can be asked with "
                f"its vectors any more: embed with the model of {now!r} and pass --from {now}"
            )
        return replace(query, from_space=born, space=space or now), _replaced(born, now)
    said = {} if now == born and space == query.space else _replaced(query.space or born, space)
    return replace(query, from_space=now, space=space), said


def _replaced(asked: str | None, answered: str | None) -> dict[str, Any]:
    return {"role": {"asked": asked, "answered": answered or asked}}


def _through_old(migration: Migration, query: Query, store: Store) -> Query:
    """The question born where it was to be, and answered by the old space.

    A stored item is asked for by its own vector in the old space, and a text by the old tower
    where that was measured to find more: they need no map.
    """
    born = query.from_space
    if born is None or born == migration.new:
        by_text = query.text is not None and not store.space(migration.new).has_text
        own = migration.old if _needs_no_map(migration, query) else migration.new
        born = None if by_text else own
    return replace(query, from_space=born, space=migration.old)


def _needs_no_map(migration: Migration, query: Query) -> bool:
    """Whether a question to the new space is asked in the old one from the start.

    One of several parts is, unless one of them is a vector of the new space.
    """
    kinds = [part.kind for part in query.parts]
    if len(kinds) > 1:
        return "vector" not in kinds
    if kinds == ["text"]:
        texts = _loss_of(migration).texts
        return texts is not None and not texts.by_map
    return kinds == ["id"]


def _loss_of(migration: Migration) -> RecallLoss:
    """What was measured before the migration began to serve."""
    assert migration.loss is not None
    return migration.loss


def _service(migration: Migration, query: Query) -> dict[str, Any]:
    """What an answer says of being served; no loss where none was measured for such a question."""
    loss, is_text = _loss_of(migration), query.text is not None
    by_map = query.from_space != migration.old
    lost: Estimate | None = None
    if query.from_space in (None, migration.new, migration.old):
        by_map = by_map and not _needs_no_map(migration, query)
        lost = _measured(loss, query, by_map=by_map)
    return {
        "served_through": {
            "space": migration.old,
            "in_place_of": migration.new,
            "by_map": by_map,
            "recall_loss": None if lost is None else lost.to_json(),
            "measured_on": "texts" if is_text else "pictures",
        }
    }


def _measured(loss: RecallLoss, query: Query, *, by_map: bool) -> Estimate | None:
    """The loss that was measured for such a question; of several parts none was."""
    if len(query.parts) > 1:
        return None
    if query.text is None:
        return loss.loss if by_map else loss.own_loss
    texts = loss.texts
    return texts.loss if texts is not None and texts.by_map == by_map else None
