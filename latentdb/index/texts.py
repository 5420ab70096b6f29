"""Texts such as people search a database by, made of what its items are labelled with."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np

from latentdb.stitch.modality import neutral_texts, phrases
from latentdb.store import Store

_CAPTIONS: Final = ("caption", "captions", "text", "description")
# A label of more different values is a name or a path, and no word for what is seen.
_MOST_VALUES = 200
_CAPTIONS_READ = 5000
_POOL = 400


def search_texts(store: Store, *, count: int, seed: int) -> list[str]:
    """At most `count` different texts: words, two words together, captions.

    Words are phrases of captions, names of yes-or-no labels, values of other labels. Where items
    have none of these, they are words about anything.
    """
    rng = np.random.default_rng(seed)
    captions = _captions(store)
    words = list(dict.fromkeys([*phrases(captions), *_label_words(store)])) or neutral_texts()

    def any_of(texts: list[str]) -> str:
        return texts[int(rng.integers(len(texts)))]

    forms: list[Callable[[], str]] = [
        lambda: any_of(words),
        lambda: f"a picture of {any_of(words)}",
        lambda: f"{any_of(words)} and {any_of(words)}",
    ]
    if captions:
        forms.append(lambda: any_of(captions))
    made: dict[str, None] = {}
    # The same text comes up again, where there are few words: not for ever. Some of as many are
    # taken, since few words are a larger part of few texts, and are the hardest to answer.
    wanted = max(count, _POOL)
    for attempt in range(4 * wanted):
        made[forms[attempt % len(forms)]()] = None
        if len(made) == wanted:
            break
    texts = list(made)
    return [texts[at] for at in rng.permutation(len(texts))[:count]]


def _captions(store: Store) -> list[str]:
    """Captions of some items; none where no column holds any."""
    kinds = store.label_columns()
    for name in _CAPTIONS:
        if kinds.get(name) is str:
            values = store.labels(name)[1][:_CAPTIONS_READ]
            return list(dict.fromkeys(str(one).strip() for one in values if str(one).strip()))
    return []


def _label_words(store: Store) -> list[str]:
    words = []
    for name, kind in store.label_columns().items():
        if kind is bool:
            words.append(name.replace("_", " "))
        elif kind is str and name not in _CAPTIONS:
            values = dict.fromkeys(str(one).strip() for one in store.labels(name)[1])
            if len(values) <= _MOST_VALUES:
                words += [value for value in values if value]
    return words
