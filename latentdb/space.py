"""A Space: one coordinate system, with every setting that moves a vector."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal, final

from latentdb.errors import SpaceMismatchError

SpaceKind = Literal["noise", "embedding", "shared"]
VectorDType = Literal["float16", "float32"]
Setting = str | int | float | bool | None
# Loaders in the specs of spaces whose vectors no model here makes.
SHARED, IMPORTED = "shared:", "imported:"
VECTORS_ALONE = (SHARED, IMPORTED)


@final
@dataclass(frozen=True)
class Space:
    """Identity of a coordinate system: vectors of two fingerprints never meet.

    Parameters
    ----------
    name : str
        What commands call it: lower-case letters, digits, `-` and `_`.
    kind : "noise", "embedding" or "shared"
        Inverted diffusion noise (x_T), an encoder's output, or what several spaces share.
    dim : int
        Length of a vector.
    spec : str
        What `latentdb.spaces.load_model` needs to make the model again.
    settings : mapping of str to scalar
        Model, weights' hash, crop, size, and for noise the inverter, steps, spacing, last
        timestep, ᾱ at it, prompt, guidance, VAE mode: everything that moves a vector.
    dtype : "float16" or "float32"
        How vectors are stored.
    quality : tuple of str
        Names of the float32 quality columns that come with each row.
    has_text : bool
        Whether the model also embeds text into this space.
    """

    name: str
    kind: SpaceKind
    dim: int
    spec: str
    settings: Mapping[str, Setting] = field(default_factory=dict)
    dtype: VectorDType = "float32"
    quality: tuple[str, ...] = ()
    has_text: bool = False

    @cached_property
    def fingerprint(self) -> str:
        """16 hex digits over kind, dim, dtype and settings; the name does not enter."""
        moving = [self.kind, self.dim, self.dtype, dict(sorted(self.settings.items()))]
        canonical = json.dumps(moving, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()[:16]

    @property
    def has_model(self) -> bool:
        """Whether a model puts pictures into it; shared and imported spaces have vectors alone."""
        return not self.spec.startswith(VECTORS_ALONE)

    def require_same(self, other: Space) -> None:
        """Raise unless `other` holds vectors that may be compared with this space's.

        Raises
        ------
        SpaceMismatchError
            The fingerprints differ; the text names the settings that do, and the legal map.
        """
        if self.fingerprint == other.fingerprint:
            return
        raise SpaceMismatchError(
            f"vectors of space {self.name!r} ({self.fingerprint}) and of space {other.name!r} "
            f"({other.fingerprint}) cannot be compared: {_difference(self, other)}. "
            f"{_cure(self, other)}"
        )

    def to_json(self) -> dict[str, Any]:
        """Plain dictionary for JSON; `from_json` reads it back."""
        return {
            "name": self.name,
            "kind": self.kind,
            "dim": self.dim,
            "spec": self.spec,
            "settings": dict(self.settings),
            "dtype": self.dtype,
            "quality": list(self.quality),
            "has_text": self.has_text,
            "fingerprint": self.fingerprint,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Space:
        """Space written by `to_json`.

        Raises
        ------
        SpaceMismatchError
            The stored fingerprint is not that of the stored settings: the record was edited.
        """
        space = cls(
            name=data["name"],
            kind=data["kind"],
            dim=data["dim"],
            spec=data["spec"],
            settings=dict(data["settings"]),
            dtype=data["dtype"],
            quality=tuple(data["quality"]),
            has_text=data["has_text"],
        )
        if space.fingerprint != data["fingerprint"]:
            raise SpaceMismatchError(
                f"space {space.name!r} is stored with fingerprint {data['fingerprint']}, its "
                f"settings give {space.fingerprint}: the record was changed by hand"
            )
        return space


def _cure(left: Space, right: Space) -> str:
    """What to do about two fingerprints."""
    if left.name == right.name:
        return "Ask with the model that made the stored vectors, or ingest into a new database"
    return f"Fit a map: latentdb stitch DB --from {right.name} --to {left.name}"


def _difference(left: Space, right: Space) -> str:
    """The settings in which two spaces differ, as `name: left → right`."""
    fields: list[tuple[str, object, object]] = [
        ("kind", left.kind, right.kind),
        ("dim", left.dim, right.dim),
        ("dtype", left.dtype, right.dtype),
    ]
    names = sorted({*left.settings, *right.settings})
    fields += [(name, left.settings.get(name), right.settings.get(name)) for name in names]
    return ", ".join(f"{name}: {a!r} → {b!r}" for name, a, b in fields if a != b)
