"""The maps and the directions that a database keeps, found by their spaces and names."""

from __future__ import annotations

from typing import final

from latentdb.artefact_shelf import ArtefactShelf
from latentdb.directions.choose import choose_direction
from latentdb.directions.direction import Direction
from latentdb.errors import UnknownMapError
from latentdb.stitch.linear_map import LinearMap
from latentdb.store import Store


@final
class MapShelf:
    """Maps by the two spaces that each joins."""

    def __init__(self, store: Store) -> None:
        self._shelf = ArtefactShelf(store, "maps", LinearMap.load)

    def put(self, source: str, target: str, fitted: LinearMap) -> None:
        """Keep the map from `source` to `target`, in place of an earlier one."""
        self._shelf.put(_map_name(source, target), fitted)

    def all(self) -> list[LinearMap]:
        """Every map, by name."""
        return [self._shelf.get(name) for name in self._shelf.names()]

    def find(self, source: str, target: str) -> LinearMap | None:
        """The map from `source` to `target`, where there is one."""
        name = _map_name(source, target)
        return self._shelf.get(name) if name in self._shelf.names() else None

    def get(self, source: str, target: str) -> LinearMap:
        """The map from `source` to `target`; UnknownMapError says how to fit it."""
        found = self.find(source, target)
        if found is None:
            raise UnknownMapError.between(source, target)
        return found


@final
class DirectionShelf:
    """Directions by name and by the space that each was fitted in."""

    def __init__(self, store: Store) -> None:
        self._shelf = ArtefactShelf(store, "directions", Direction.load)

    def put(self, name: str, space: str, fitted: Direction) -> None:
        """Keep the direction `name` of `space`, in place of an earlier one."""
        self._shelf.put(_direction_name(name, space), fitted)

    def all(self) -> list[Direction]:
        """Every direction, by name."""
        return [self._shelf.get(name) for name in self._shelf.names()]

    def has(self, name: str, space: str) -> bool:
        """Whether a direction of that name was fitted in that space."""
        return _direction_name(name, space) in self._shelf.names()

    def get(
        self, name: str, space: str | None, *, retired: frozenset[str] = frozenset()
    ) -> Direction:
        """The direction `name`, of a space that is not `retired` where both have it; see
        `Catalog.direction` for its errors.
        """
        return choose_direction(self.all(), name, space, retired=retired)


def _map_name(source: str, target: str) -> str:
    return f"{source}--{target}"


def _direction_name(name: str, space: str) -> str:
    return f"{name}@{space}"
