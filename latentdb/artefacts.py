"""Maps and directions on disk: one safetensors file each, its header in JSON. Never pickle.

The header lies in the file's `__metadata__` under the key `latentdb`, so that arrays and header
are replaced together by one rename.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, final

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save as to_bytes

from latentdb import __version__
from latentdb.durable import write_whole
from latentdb.errors import ArtefactError, SpaceMismatchError
from latentdb.space import Space

FORMAT_VERSION = 1
_KEY = "latentdb"


@final
@dataclass(frozen=True)
class SpaceRef:
    """A space as an artefact remembers it: what it was called, and which vectors it held."""

    name: str
    fingerprint: str
    dim: int

    @classmethod
    def of(cls, space: Space) -> SpaceRef:
        """Reference to `space`."""
        return cls(space.name, space.fingerprint, space.dim)

    def require(self, space: Space, *, artefact: str, refit: str) -> None:
        """Raise unless `space` holds the vectors that `artefact` was fitted on.

        Raises
        ------
        SpaceMismatchError
            Another fingerprint; the text ends in the command `refit`.
        """
        if space.fingerprint != self.fingerprint:
            raise SpaceMismatchError(
                f"{artefact} was fitted on vectors of space {self.name!r} ({self.fingerprint}), "
                f"got space {space.name!r} ({space.fingerprint}): fit one with {refit}"
            )

    def require_ref(self, other: SpaceRef, *, artefact: str) -> None:
        """Raise SpaceMismatchError unless `other` is the space that `artefact` was fitted on."""
        if other.fingerprint != self.fingerprint:
            raise SpaceMismatchError(
                f"{artefact} lives in space {self.name!r} ({self.fingerprint}), not in "
                f"{other.name!r} ({other.fingerprint}): use one fitted there"
            )


@final
@dataclass(frozen=True)
class FittedOn:
    """Rows that an artefact was fitted on, held-out ones apart.

    Parameters
    ----------
    n_train, n_held_out : int
        Rows that shaped it, and rows that only scored it.
    ids_hash : str
        `latentdb.held_out.hash_ids` of all of them.
    seed : int
        Of the split and of whatever else was drawn.
    """

    n_train: int
    n_held_out: int
    ids_hash: str
    seed: int

    def to_json(self) -> dict[str, Any]:
        """Plain dictionary."""
        return dict(vars(self))


@final
@dataclass(frozen=True, eq=False)
class Artefact:
    """What a file holds.

    Parameters
    ----------
    kind : str
        Such as "linear_map".
    arrays : mapping of str to array
    spaces : mapping of role to SpaceRef
        Such as "source" and "target".
    fitted_on : FittedOn
    parameters, scores : JSON values
        Settings and statistics; held-out scores, None where nothing was held out.
    created_at : str
        ISO 8601 in UTC, seconds.
    written_by : str
        Version of latentdb.
    """

    kind: str
    arrays: Mapping[str, NDArray[Any]]
    spaces: Mapping[str, SpaceRef]
    fitted_on: FittedOn
    parameters: Mapping[str, Any] = field(default_factory=dict)
    scores: Mapping[str, Any] | None = None
    created_at: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))
    written_by: str = __version__


def save_artefact(path: Path, artefact: Artefact) -> None:
    """Write `artefact` to `path`, whole or not at all, replacing what was there.

    Raises
    ------
    ArtefactError
        The folder cannot be written to.
    """
    arrays = {name: np.ascontiguousarray(array) for name, array in artefact.arrays.items()}
    header = {
        "kind": artefact.kind,
        "format": FORMAT_VERSION,
        "created_at": artefact.created_at,
        "latentdb": artefact.written_by,
        "spaces": {role: dict(vars(ref)) for role, ref in artefact.spaces.items()},
        "fitted_on": artefact.fitted_on.to_json(),
        "parameters": dict(artefact.parameters),
        "scores": artefact.scores,
    }
    header["checksum"] = _checksum(header, arrays)
    content = to_bytes(arrays, metadata={_KEY: json.dumps(header, sort_keys=True)})
    try:
        write_whole(path, content)
    except OSError as error:
        raise ArtefactError(f"cannot write {path}: {error}") from error


def require_whole(path: Path) -> None:
    """Raise ArtefactError, as `load_artefact` does, where an artefact of any kind is damaged."""
    _load(path, None)


def stated_checksum(path: Path) -> str | None:
    """What an artefact says that its checksum is, whatever its arrays are; None if unreadable."""
    try:
        with safe_open(path, framework="numpy") as file:
            return str(_header(path, file.metadata(), None)["checksum"])
    except (SafetensorError, OSError, ArtefactError, KeyError):
        return None


def load_artefact(path: Path, *, kind: str) -> Artefact:
    """Read what `save_artefact` wrote.

    Raises
    ------
    ArtefactError
        No such file, torn, changed since, not ours, of another kind, or of a newer format.
    """
    return _load(path, kind)


def _load(path: Path, kind: str | None) -> Artefact:
    try:
        with safe_open(path, framework="numpy") as file:
            # The kind and the format come first: a newer format may define the rest anew.
            header = _header(path, file.metadata(), kind)
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise ArtefactError(
            f"{path} cannot be read as a {kind or 'fit'}: {error}. Fit it again or restore it"
        ) from error
    said = header.pop("checksum", None)
    if said != _checksum(header, arrays):
        raise ArtefactError(f"{path} was changed since it was written: its checksum differs")
    return Artefact(
        kind=header["kind"],
        arrays=arrays,
        spaces={role: SpaceRef(**ref) for role, ref in header["spaces"].items()},
        fitted_on=FittedOn(**header["fitted_on"]),
        parameters=header["parameters"],
        scores=header["scores"],
        created_at=header["created_at"],
        written_by=header["latentdb"],
    )


def _header(path: Path, metadata: Mapping[str, str] | None, kind: str | None) -> dict[str, Any]:
    """Parsed header, of the right kind and of a format this version reads."""
    if metadata is None or _KEY not in metadata:
        raise ArtefactError(f"{path} is a safetensors file, but latentdb did not write it")
    try:
        header: dict[str, Any] = json.loads(metadata[_KEY])
        found, version = header["kind"], int(header["format"])
    except (ValueError, TypeError, KeyError) as error:
        raise ArtefactError(f"{path} has a header that cannot be read: {error!r}") from error
    if version > FORMAT_VERSION:
        raise ArtefactError(
            f"{path} is of format {version}, this latentdb reads up to {FORMAT_VERSION}: "
            "upgrade latentdb"
        )
    if kind not in (None, found):
        raise ArtefactError(f"{path} holds a {found}, expected a {kind}")
    return header


def _checksum(header: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> str:
    """SHA-256 over the header without its checksum, then every array by name."""
    digest = hashlib.sha256(json.dumps(header, sort_keys=True).encode())
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        digest.update(f"{name}:{array.dtype.str}:{array.shape}".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()
