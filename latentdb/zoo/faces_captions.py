"""Sentences about a face: what it has, what it lacks, whole or in part.

Wording is composed from phrases, so short queries ("glasses", "a smiling face with a hat", "a
face without a beard") are made of words that the bundled text encoder has read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

ADJECTIVES: Final = {
    "smiling": ("smiling", "serious"),
    "round_face": ("round", "narrow"),
    "pale_skin": ("pale", "tan"),
}
_HAIR: Final = {"long_hair": ("long", "short"), "dark_hair": ("dark", "light")}
THINGS: Final = {
    "beard": "a beard",
    "closed_eyes": "closed eyes",
    "glasses": "glasses",
    "hat": "a hat",
    "earrings": "earrings",
    "scarf": "a scarf",
}
_OPENINGS: Final = ("a {} face", "a picture of a {} face", "a {} person", "the {} face")


def _join(phrases: Sequence[str], last: str = "and") -> str:
    if len(phrases) < 2:
        return "".join(phrases)
    return f"{', '.join(phrases[:-1])} {last} {phrases[-1]}"


def _adjectives(attributes: Mapping[str, bool]) -> str:
    return " ".join(
        ADJECTIVES[name][not attributes[name]] for name in ADJECTIVES if name in attributes
    )


def _hair(attributes: Mapping[str, bool]) -> list[str]:
    words = [_HAIR[name][not attributes[name]] for name in _HAIR if name in attributes]
    return [" ".join([*words, "hair"])] if words else []


def _things(attributes: Mapping[str, bool], *, is_present: bool) -> list[str]:
    return [phrase for name, phrase in THINGS.items() if attributes.get(name) is is_present]


def caption(attributes: Mapping[str, bool]) -> str:
    """Describe a face in full.

    Parameters
    ----------
    attributes : mapping of str to bool
        All of `latentdb.zoo.faces.ATTRIBUTES`.

    Returns
    -------
    str
        Lower case; two faces have the same caption exactly when they share every attribute.

    Raises
    ------
    KeyError
        An attribute is missing.

    Examples
    --------
    >>> from latentdb.zoo.faces import ATTRIBUTES
    >>> caption({name: name in ("smiling", "hat") for name in ATTRIBUTES})
    'a smiling narrow tan face with short light hair and a hat, indoors'
    """
    for name in (*ADJECTIVES, *_HAIR, *THINGS, "outdoors"):
        attributes[name]
    having = _join([*_hair(attributes), *_things(attributes, is_present=True)])
    place = "outdoors" if attributes["outdoors"] else "indoors"
    return f"a {_adjectives(attributes)} face with {having}, {place}"


def partial_caption(attributes: Mapping[str, bool], rng: np.random.Generator) -> str:
    """Describe a random part of a face, in one of several wordings.

    Parameters
    ----------
    attributes : mapping of str to bool
        All of `latentdb.zoo.faces.ATTRIBUTES`.
    rng : numpy.random.Generator
        Decides the part and the wording; advanced.

    Returns
    -------
    str
        Everything it says is true of the face; what the face lacks is said with "without" or "no".
    """
    return describe(choose_part(attributes, rng), rng)


def choose_part(attributes: Mapping[str, bool], rng: np.random.Generator) -> dict[str, bool]:
    """One to five of the attributes, drawn without replacement; `rng` is advanced."""
    names = list(attributes)
    size = int(rng.integers(1, min(6, len(names) + 1)))
    chosen = set(rng.choice(len(names), size=size, replace=False).tolist())
    return {name: attributes[name] for place, name in enumerate(names) if place in chosen}


def describe(part: Mapping[str, bool], rng: np.random.Generator) -> str:
    """Describe some attributes of a face, in one of several wordings; `rng` is advanced."""
    if len(part) <= 2 and rng.random() < 0.5:
        return _bare(part)
    return _sentence(part, rng)


def _place(part: Mapping[str, bool]) -> list[str]:
    return ["outdoors" if part["outdoors"] else "indoors"] if "outdoors" in part else []


def _bare(part: Mapping[str, bool]) -> str:
    # The wording of a search box: "glasses", "no hat", "smiling, a scarf".
    words = [ADJECTIVES[name][not part[name]] for name in ADJECTIVES if name in part]
    things = [
        THINGS[name] if part[name] else f"no {THINGS[name].removeprefix('a ')}"
        for name in THINGS
        if name in part
    ]
    return ", ".join([*words, *_hair(part), *things, *_place(part)])


def _sentence(part: Mapping[str, bool], rng: np.random.Generator) -> str:
    opening = _OPENINGS[int(rng.integers(len(_OPENINGS)))]
    text = " ".join(opening.format(_adjectives(part)).split())
    having = [*_hair(part), *_things(part, is_present=True)]
    lacking = _things(part, is_present=False)
    if having:
        text += (
            f" {'wearing' if _is_worn(having) and rng.random() < 0.5 else 'with'} {_join(having)}"
        )
    if lacking:
        text += f" without {_join(lacking, 'or')}"
    return " ".join([text, *_place(part)])


def _is_worn(phrases: Sequence[str]) -> bool:
    worn = {THINGS[name] for name in ("glasses", "hat", "earrings", "scarf")}
    return all(phrase in worn for phrase in phrases)
