"""What was fitted, on the wire: facts and scores; weights and vectors stay with the server."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from latentdb.directions.direction import Direction
from latentdb.directions.facts import DirectionFacts
from latentdb.energy.facts import EnergyFacts
from latentdb.energy.kept import SpaceEnergy
from latentdb.errors import WireError
from latentdb.stitch.linear_map import LinearMap
from latentdb.stitch.map_facts import MapFacts
from latentdb.wire.fields import Fields
from latentdb.wire.form import Form, Include

T = TypeVar("T")


def map_of(data: Fields) -> MapFacts:
    """The facts of a map."""
    texts(data, "method")
    numbers(data, "regularisation", "target_norm", "target_spread")
    return read(MapFacts.from_json, data, "map")


def direction_of(data: Fields) -> DirectionFacts:
    """The facts of a direction."""
    texts(data, "name", "method", "label")
    numbers(data, "offset", "std")
    return read(DirectionFacts.from_json, data, "direction")


def energy_of(data: Fields) -> EnergyFacts:
    """The facts of a space's energies."""
    texts(data, "schedule", "method")
    numbers(data, "rows", "later_rows", "mean", "std", "deviation", "tolerance", "max_width")
    return read(EnergyFacts.from_json, data, "energy")


def texts(data: Fields, *names: str) -> None:
    """WireError unless these fields are strings."""
    for name in names:
        data.text(name)


def numbers(data: Fields, *names: str) -> None:
    """WireError unless these fields are numbers."""
    for name in names:
        data.number(name)


def read(from_json: Callable[[Mapping[str, Any]], T], data: Fields, what: str) -> T:
    """What a class reads of its own JSON.

    Raises
    ------
    WireError
        It cannot.
    """
    try:
        return from_json(data.whole())
    except (KeyError, TypeError, ValueError) as error:
        raise WireError(
            f"the {what} cannot be read ({error!r}): the server and this client are of different "
            "versions of latentdb; bring both to the same one"
        ) from error


def _facts(facts: MapFacts | DirectionFacts | EnergyFacts, _include: Include) -> dict[str, Any]:
    return facts.to_json()


FORMS: tuple[Form[Any], ...] = (
    Form(MapFacts, _facts, map_of),
    Form(DirectionFacts, _facts, direction_of),
    Form(EnergyFacts, _facts, energy_of),
)
# What is sent of a thing that does not cross whole.
FACTS: Mapping[type, Callable[[Any], object]] = {
    LinearMap: lambda one: one.facts,
    Direction: lambda one: one.facts,
    SpaceEnergy: lambda one: one.facts,
}
