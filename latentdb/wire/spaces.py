"""Spaces on the wire: where a model lies on the server's machine stays there."""

from __future__ import annotations

from typing import Any, Final

from latentdb.errors import SpaceMismatchError, WireError
from latentdb.space import IMPORTED, SHARED, Space
from latentdb.wire.fields import Fields
from latentdb.wire.form import Form, Include

# The spec of a space as a client knows it: its model is the server's to load.
SERVED: Final = "served:"


def _space(space: Space, _include: Include) -> dict[str, Any]:
    told = {name: value for name, value in space.to_json().items() if name != "spec"}
    return {**told, "has_model": space.has_model}


def decode_space(data: Fields) -> Space:
    """The space but for its spec.

    Raises
    ------
    WireError
        A field is missing, or the fingerprint is not that of the settings.
    """
    read: dict[str, Any] = {
        "name": data.text("name"),
        "kind": data.choice("kind", ("noise", "embedding", "shared")),
        "dim": data.integer("dim"),
        "spec": SERVED if data.flag("has_model") else _without_model(data.text("kind")),
        "settings": data.mapping("settings"),
        "dtype": data.choice("dtype", ("float16", "float32")),
        "quality": data.texts("quality"),
        "has_text": data.flag("has_text"),
        "fingerprint": data.text("fingerprint"),
    }
    try:
        return Space.from_json(read)
    except SpaceMismatchError as error:
        raise WireError(str(error)) from error


def spaces_to_wire(*spaces: Space) -> dict[str, Any]:
    """The spaces that a result speaks of, by name."""
    return {space.name: _space(space, Include()) for space in spaces}


def named_space(data: Fields, name: str) -> Space:
    """One of the spaces that a result speaks of."""
    return decode_space(data.inside("spaces").inside(name))


def _without_model(kind: str) -> str:
    return SHARED if kind == "shared" else IMPORTED


FORMS = (Form(Space, _space, decode_space),)
