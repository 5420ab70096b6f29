"""The models of a database's spaces, each loaded once."""

from __future__ import annotations

import threading
from typing import final

from latentdb.model import AbstractSpaceModel
from latentdb.space import Space
from latentdb.store import Store


@final
class ModelShelf:
    """Models by space, loaded at their first use; safe for several threads.

    Parameters
    ----------
    store : Store
        Whose spaces they are of.
    device : str
        Where they run: "auto", "cpu", "cuda" or "cuda:1".
    """

    def __init__(self, store: Store, *, device: str) -> None:
        self.device = device
        self._store = store
        self._loaded: dict[str, AbstractSpaceModel] = {}
        self._lock = threading.RLock()

    @property
    def count(self) -> int:
        """How many are in memory."""
        return len(self._loaded)

    def load(self, spec: str) -> AbstractSpaceModel:
        """The model that `spec` describes, of no space of the store yet; see `load_model`."""
        # The model libraries take seconds to load, and many commands ask no model.
        from latentdb.spaces import load_model

        return load_model(spec, device=self.device)

    def adopt(self, model: AbstractSpaceModel) -> Space:
        """Add the space of a model that is loaded already, and use that model for it.

        Raises
        ------
        SpaceExistsError
            A space of that name exists with other settings.
        """
        with self._lock:
            self._store.add_space(model.space)
            self._loaded[model.space.name] = model
        return model.space

    def get(self, name: str) -> AbstractSpaceModel:
        """The model of space `name`.

        Raises
        ------
        UnknownSpaceError, ModelError
            No such space, or its model cannot be loaded.
        SpaceMismatchError
            The model as it is now makes other vectors than those stored.
        """
        space = self._store.space(name)
        there = self._loaded.get(name)
        if there is not None:  # loading another does not stop it
            return there
        with self._lock:
            if name not in self._loaded:
                model = self.load(space.spec)
                space.require_same(model.space)
                self._loaded[name] = model
            return self._loaded[name]
