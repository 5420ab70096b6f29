"""Names of uploaded files: something to be shown, and never a path."""

from __future__ import annotations

import unicodedata
from pathlib import PureWindowsPath
from typing import Final

_LONGEST: Final = 80
_ALLOWED: Final = " ._-()+,@&"
_NAMELESS: Final = "picture"


def display_name(name: str | None) -> str:
    """The name of a file as it is shown: no folder, no control character, of bounded length.

    What is a letter or a digit in any script stays, as do spaces and ` . _ - ( ) + , @ & `.
    """
    # It takes both slashes for separators.
    last = PureWindowsPath(unicodedata.normalize("NFC", name or "")).name
    kept = "".join(char if char.isalnum() or char in _ALLOWED else "_" for char in last)
    # A leading dot would hide the file.
    short = _cut(kept.strip(" ."), _LONGEST)
    return short or _NAMELESS


def file_name(shown: str, taken: set[str]) -> str:
    """Name of the PNG that a picture is kept as; `taken` is in lower case."""
    stem = shown.rpartition(".")[0] or shown
    number, name = 1, f"{stem}.png"
    while name.lower() in taken:
        number += 1
        name = f"{stem}-{number}.png"
    return name


def _cut(text: str, most: int) -> str:
    """The text within `most` characters and twice as many bytes, its end kept."""
    stem, dot, suffix = text.rpartition(".")
    if not dot or len(suffix) > 8:
        stem, dot, suffix = text, "", ""
    stem = stem[: most - len(dot + suffix)]
    while len(f"{stem}{dot}{suffix}".encode()) > 2 * most and stem:
        stem = stem[:-1]
    return f"{stem}{dot}{suffix}".strip(" .")
