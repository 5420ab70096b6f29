"""The JSON card beside the vectors: which file is which space, with which settings.

`card.json` of a folder, as `export` writes it and as one may be written by hand:

    {"dataset": "celeba-val",
     "spaces": {"sd15": {"file": "noises_sd15.npy", "kind": "noise",
                         "settings": {"model": "SD 1.5", "inverter": "ddim", "steps": 50}}}}

and `noises_sd15.json` beside `noises_sd15.npy` alone: the same without `file`, as

    {"kind": "noise", "settings": {"model": "SD 1.5", "inverter": "ddim", "steps": 50}}

An exported card has `space` in place of `kind` and `settings`: the whole record, by which the
imported space is the very space that was exported, its model included.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, final

from latentdb.errors import SourceError
from latentdb.space import Setting, SpaceKind

CARD_FILE = "card.json"
_KINDS: tuple[SpaceKind, ...] = ("noise", "embedding")
_ENTRY_KEYS = frozenset({"file", "kind", "settings", "space", "quality_file", "rows"})


@final
@dataclass(frozen=True)
class CardEntry:
    """What a card says of one file of vectors.

    Parameters
    ----------
    file : str
        Its name; empty in a card beside the file.
    kind : "noise", "embedding" or None
    settings : mapping of str to scalar, or None
        What moves a vector: model, inverter, steps, …; None where nothing is stated.
    space : mapping or None
        `Space.to_json`, in a card that was exported.
    quality_file : str or None
        Matrix of its quality columns.
    """

    file: str = ""
    kind: SpaceKind | None = None
    settings: Mapping[str, Setting] | None = None
    space: Mapping[str, Any] | None = None
    quality_file: str | None = None


@final
@dataclass(frozen=True)
class Card:
    """What `card.json` says of a folder; empty where there is none."""

    dataset: str | None = None
    spaces: Mapping[str, CardEntry] = field(default_factory=dict)


def read_card(folder: Path) -> Card:
    """The card of a folder.

    Raises
    ------
    SourceError
        It is there and cannot be understood; the text says which part.
    """
    path = folder / CARD_FILE
    if not path.is_file():
        return Card()
    data = parse_json(_text(path), str(path))
    entries = data.get("spaces", {})
    if not isinstance(entries, dict):
        raise SourceError(f"{path}: `spaces` is a mapping from names to files, got {entries!r}")
    spaces = {name: _entry(path, name, entry) for name, entry in entries.items()}
    for name, entry in spaces.items():
        # A card names files beside it and none elsewhere.
        for file in filter(None, (entry.file, entry.quality_file)):
            if Path(file).name != file:
                raise SourceError(f"{path}: the file of {name!r} is {file!r}, not one beside it")
        if not entry.file:
            raise SourceError(f"{path}: space {name!r} names no `file`")
    dataset = data.get("dataset")
    if dataset is not None and not isinstance(dataset, str):
        raise SourceError(f"{path}: `dataset` is a name, got {dataset!r}")
    return Card(dataset, spaces)


def read_card_beside(vectors: Path) -> CardEntry:
    """What the card of one file says: `noises_sd15.json` for `noises_sd15.npy`."""
    path = vectors.with_suffix(".json")
    if not path.is_file():
        return CardEntry()
    return _entry(path, vectors.stem, parse_json(_text(path), str(path)))


def parse_json(text: str, what: str) -> dict[str, Any]:
    """A JSON object; SourceError of anything else."""
    try:
        data = json.loads(text)
    except json.JSONDecodeError as error:
        raise SourceError(f"{what} is not JSON: {error}") from error
    if not isinstance(data, dict):
        raise SourceError(f"{what} holds {type(data).__name__}, expected an object")
    return data


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SourceError(f"{path} cannot be read: {error}") from error


def _entry(path: Path, name: str, data: Any) -> CardEntry:
    if not isinstance(data, dict) or data.keys() - _ENTRY_KEYS:
        said = sorted(data.keys() - _ENTRY_KEYS) if isinstance(data, dict) else data
        raise SourceError(
            f"{path}: of space {name!r} it says {said!r}; a card has `kind`, and `settings` as a "
            'mapping, such as {"kind": "noise", "settings": {"model": "SD 1.5", "steps": 50}}'
        )
    kind, settings, space = data.get("kind"), data.get("settings"), data.get("space")
    if kind not in (None, *_KINDS):
        raise SourceError(f"{path}: the kind of {name!r} is {kind!r}, not {' or '.join(_KINDS)}")
    for key, value in (("settings", settings), ("space", space)):
        if value is not None and not isinstance(value, dict):
            raise SourceError(f"{path}: `{key}` of {name!r} is a mapping, got {value!r}")
    for setting, value in (settings or {}).items():
        if value is not None and not isinstance(value, str | int | float | bool):
            raise SourceError(f"{path}: setting {setting!r} of {name!r} is no text or number")
    file, quality = data.get("file", ""), data.get("quality_file")
    if not isinstance(file, str) or not (quality is None or isinstance(quality, str)):
        raise SourceError(f"{path}: the files of {name!r} are {file!r} and {quality!r}, not names")
    return CardEntry(file, kind, settings, space, quality)
