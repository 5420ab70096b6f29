"""Texts about one attribute of a face each: what it has or lacks, in four wordings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, final

from latentdb.zoo.faces_captions import ADJECTIVES, THINGS

_WITH: Final = {"long_hair": ("long hair", "short hair"), "dark_hair": ("dark hair", "light hair")}


@final
@dataclass(frozen=True)
class Question:
    """A text, the attribute that it is about, and whether it says that it is there."""

    attribute: str
    is_present: bool
    text: str


def questions() -> list[Question]:
    """Eight texts for each of twelve attributes: four that say it is there, four that it is not."""
    found = []
    for is_present in (True, False):
        for name, pair in ADJECTIVES.items():
            word = pair[not is_present]
            wordings = (word, f"a {word} face", f"a {word} person", f"a picture of a {word} face")
            found += [Question(name, is_present, text) for text in wordings]
        for name, pair in _WITH.items():
            found += _phrased(name, pair[not is_present], is_present, joint="with ")
        for name, thing in THINGS.items():
            found += _phrased(name, thing, is_present, joint="with " if is_present else "without ")
        place = "outdoors" if is_present else "indoors"
        found += _phrased("outdoors", place, is_present, joint="")
    return found


def _phrased(name: str, what: str, is_present: bool, *, joint: str) -> list[Question]:
    bare = f"no {what.removeprefix('a ')}" if joint == "without " else what
    wholes = (f"{one} {joint}{what}" for one in ("a face", "a person", "a picture of a face"))
    return [Question(name, is_present, text) for text in (bare, *wholes)]
