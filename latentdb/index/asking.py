"""Making the questions that an index is measured by, from what its database holds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, Protocol, final

import numpy as np

from indexers.types import IdArray
from latentdb.directions.direction import Direction
from latentdb.errors import ModelError, SpaceError, SpaceMismatchError, UnknownMapError
from latentdb.index.questions import QuestionKind, Questions, QuestionSet
from latentdb.index.texts import search_texts
from latentdb.model import AbstractTextEncoder, Vectors
from latentdb.model_shelf import ModelShelf
from latentdb.space import Space
from latentdb.stitch.chain import MapChain, find_chain
from latentdb.stitch.domain import SpaceProfile
from latentdb.stitch.linear_map import LinearMap
from latentdb.stitch.modality import to_pictures
from latentdb.store import Store

# Of each kind, in both halves together: recall is then known to about .01.
QUESTIONS: Final = 400
# Standard deviations by which people move along directions: twice is much, three times an extreme.
_STRENGTHS: Final = (1.0, 2.0, -1.0, 3.0, -2.0)
# One row in so many may stand for a new picture, and fewer than that many say nothing.
_HELD_OUT_SHARE = 10
FEWEST_NEW: Final = 4
_TEXTS_AT_ONCE = 64


class Maps(Protocol):
    """Where the maps of a database are."""

    def all(self) -> list[LinearMap]:
        """Every map."""


class Directions(Protocol):
    """Where the directions of a database are."""

    def all(self) -> list[Direction]:
        """Every direction."""


class Profiles(Protocol):
    """Where the profiles of spaces are."""

    def get(self, space: Space, *, text: bool = False) -> SpaceProfile | None:
        """The profile of a space; None where it has too few rows."""


@final
class Asker:
    """Makes questions of every kind that a database can be asked.

    Parameters
    ----------
    store : Store
    models : ModelShelf
        Embed texts.
    maps, directions, profiles
        Those of the database.
    """

    def __init__(
        self,
        store: Store,
        models: ModelShelf,
        *,
        maps: Maps,
        directions: Directions,
        profiles: Profiles,
    ) -> None:
        self._store = store
        self._models = models
        self._maps = maps
        self._directions = directions
        self._profiles = profiles

    def held_out(self, space: Space, *, count: int, seed: int) -> IdArray:
        """Rows to leave out of an index while it is measured: to it they are new pictures.

        At most one in ten, and none where that is fewer than 4.
        """
        ids = self._store.vector_ids(space.name)
        count = min(count, len(ids) // _HELD_OUT_SHARE)
        if count < FEWEST_NEW:
            return ids[:0]
        picked: IdArray = np.sort(np.random.default_rng([seed, 0]).permutation(ids)[:count])
        return picked

    def questions(self, space: Space, *, count: int, seed: int, among: IdArray) -> Questions:
        """At most `count` questions of each kind but "image"; by the items `among` where by items.

        What a new picture is depends on what is asked: rows that are not in it.
        """
        picked = np.random.default_rng([seed, 1]).permutation(np.sort(among))[:count]
        rows = self._store.vectors(space.name, picked)
        no_new = "every row is in the index, and its own rows are no new pictures"
        made = Questions({"id": QuestionSet(rows, picked)}, {"image": no_new})
        kinds: tuple[tuple[QuestionKind, QuestionSet | str], ...] = (
            ("text", self._texts(space, count, seed)),
            ("mapped", self._mapped(space, count, seed)),
            ("shifted", self._shifted(space, QuestionSet(rows, picked))),
        )
        for kind, found in kinds:
            if isinstance(found, str):
                made = Questions(made.asked, {**made.not_asked, kind: found})
            else:
                made = made.and_also(kind, found)
        return made

    def _texts(self, space: Space, count: int, seed: int) -> QuestionSet | str:
        """Texts as the space's own tower embeds them, or why there are none."""
        if not space.has_text:
            return "the space has no text tower"
        vectors = self._embedded(space, count, seed)
        return vectors if isinstance(vectors, str) else QuestionSet.of_no_item(vectors)

    def _embedded(self, space: Space, count: int, seed: int) -> Vectors | str:
        try:
            model = self._models.get(space.name)
        except (ModelError, SpaceError) as error:
            return f"its model cannot be loaded here: {error}"
        if not isinstance(model, AbstractTextEncoder):
            return "its model embeds no texts"
        texts = search_texts(self._store, count=count, seed=seed)
        parts = [texts[at : at + _TEXTS_AT_ONCE] for at in range(0, len(texts), _TEXTS_AT_ONCE)]
        return np.concatenate([model.encode_text(part) for part in parts])

    def _mapped(self, space: Space, count: int, seed: int) -> QuestionSet | str:
        """Rows and texts of other spaces, carried here by the best chain of maps."""
        chains = list(self._chains(space))
        if not chains:
            return "no map leads to the space"
        sets = [
            one
            for source, chain in chains
            for one in self._carried(source, chain, -(-count // len(chains)), seed)
        ]
        return QuestionSet(
            np.concatenate([one.vectors for one in sets]), np.concatenate([one.own for one in sets])
        )

    def _chains(self, space: Space) -> Iterator[tuple[Space, MapChain]]:
        """Every other space with rows from which a way leads here."""
        maps, spaces = self._maps.all(), self._store.spaces()
        for source in spaces.values():
            if source.name == space.name or not len(self._store.vector_ids(source.name)):
                continue
            try:
                yield source, find_chain(maps, source, space, spaces=spaces)
            except (UnknownMapError, SpaceMismatchError):
                continue

    def _carried(
        self, source: Space, chain: MapChain, count: int, seed: int
    ) -> Iterator[QuestionSet]:
        """Questions born in one space: half of them texts, where it has a text tower."""
        texts = self._text_pictures(source, count // 2, seed)
        if texts is not None:
            yield QuestionSet.of_no_item(chain.transform(texts))
            count -= len(texts)
        ids = self._store.vector_ids(source.name)
        picked = np.random.default_rng([seed, 2]).permutation(ids)[:count]
        yield QuestionSet(chain.transform(self._store.vectors(source.name, picked)), picked)

    def _text_pictures(self, source: Space, count: int, seed: int) -> Vectors | None:
        """Texts of a space as the pictures that they stand for, which is what maps are given."""
        if not (source.has_text and count):
            return None
        vectors = self._embedded(source, count, seed)
        profile = None if isinstance(vectors, str) else self._profiles.get(source, text=True)
        return None if profile is None else to_pictures(profile, vectors)

    def _shifted(self, space: Space, rows: QuestionSet) -> QuestionSet | str:
        """Stored rows moved along the directions of the space, each by one of a few strengths."""
        directions = [
            one for one in self._directions.all() if one.space_ref.fingerprint == space.fingerprint
        ]
        if not directions:
            return "no direction was fitted in the space"
        moved = np.empty_like(rows.vectors)
        for at, vector in enumerate(rows.vectors):
            turn, which = divmod(at, len(directions))
            strength = _STRENGTHS[turn % len(_STRENGTHS)]
            moved[at] = directions[which].move(vector[None], strength)[0]
        return QuestionSet(moved, rows.own)
