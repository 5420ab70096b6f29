"""The profile of each space of a database: fitted when it is first needed, kept beside the maps."""

from __future__ import annotations

import logging
import threading
from typing import final

from latentdb.artefact_shelf import ArtefactShelf
from latentdb.drawn import MAX_ROWS, sample_of
from latentdb.errors import ModelError
from latentdb.model import AbstractTextEncoder
from latentdb.model_shelf import ModelShelf
from latentdb.space import Space
from latentdb.stitch.domain import MIN_ROWS, SpaceProfile, fit_profile
from latentdb.stitch.modality import fit_text, phrases
from latentdb.store import Store

_LOG = logging.getLogger(__name__)
_CAPTIONS = ("caption", "captions", "text", "description")


@final
class ProfileShelf:
    """Profiles by space: those fitted with a map are read, others fitted in memory once.

    Parameters
    ----------
    store : Store
        Whose vectors and captions they are fitted on.
    models : ModelShelf
        Embed the texts of their text parts.
    """

    def __init__(self, store: Store, models: ModelShelf) -> None:
        self._store = store
        self._models = models
        self._shelf = ArtefactShelf(store, "priors", SpaceProfile.load)
        self._unsaved: dict[str, SpaceProfile] = {}
        self._lock = threading.Lock()

    def fit(self, space: Space, *, seed: int) -> None:
        """Fit the profile of `space` and keep it, in place of an earlier one.

        Where the model of a space with text cannot be loaded here, the profile is kept without
        its text part, which a text question, needing the model too, then makes up for.
        """
        fitted = profile_of(self._store, space, seed=seed)
        try:
            fitted = self._with_text(space, fitted)
        except ModelError as error:
            _LOG.info("no text profile of %s: %s", space.name, error)
        self._shelf.put(space.name, fitted)

    def has(self, space: Space, *, seed: int) -> bool:
        """Whether a profile of the vectors that `space` holds now is kept, its split by `seed`."""
        stored = self._stored(space)
        return stored is not None and stored.fitted_on.seed == seed

    def get(self, space: Space, *, text: bool = False) -> SpaceProfile | None:
        """The profile of `space`, with `text` its text part; None of fewer than 20 items."""
        found = self._stored(space)
        if found is None and len(self._store.vector_ids(space.name)) < MIN_ROWS:
            return None
        with self._lock:
            kept = self._unsaved.get(space.fingerprint)
            if found is None:
                found = kept or profile_of(self._store, space, seed=0)
            if text and found.text is None:
                found = kept if kept and kept.text else self._with_text(space, found)
            if found is not self._stored(space):
                self._unsaved[space.fingerprint] = found
        return found

    def _with_text(self, space: Space, profile: SpaceProfile) -> SpaceProfile:
        """The profile with its text part, where the space has a text tower."""
        if not space.has_text:
            return profile
        model = self._models.get(space.name)
        if not isinstance(model, AbstractTextEncoder):
            return profile
        return fit_text(profile, model.encode_text, about=texts_about(self._store))

    def _stored(self, space: Space) -> SpaceProfile | None:
        """The profile on disk, where it is of the vectors that `space` holds now."""
        if space.name not in self._shelf.names():
            return None
        stored = self._shelf.get(space.name)
        return stored if stored.space_ref.fingerprint == space.fingerprint else None


def profile_of(store: Store, space: Space, *, seed: int) -> SpaceProfile:
    """Profile of at most 20,000 items of `space`, drawn by `seed`; without its text part."""
    rows = sample_of(store, space.name, seed=seed)
    return fit_profile(rows.vectors, space=space, ids=rows.ids, seed=seed)


def texts_about(store: Store) -> list[str]:
    """Phrases of the captions that the items have; none where no column holds captions."""
    kinds = store.label_columns()
    for name in _CAPTIONS:
        if kinds.get(name) is str:
            _, captions = store.labels(name)
            return phrases(str(caption) for caption in captions[:MAX_ROWS])
    return []
