"""Captions say what is true of a face, in words that short queries use."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from latentdb.zoo.faces import ATTRIBUTES
from latentdb.zoo.faces_captions import caption, choose_part, describe, partial_caption

attribute_sets = st.fixed_dictionaries({name: st.booleans() for name in ATTRIBUTES})

# Word or phrase to the attribute and value that it claims, written apart from the module's own.
CLAIMS = {
    "smiling": ("smiling", True),
    "serious": ("smiling", False),
    "round": ("round_face", True),
    "narrow": ("round_face", False),
    "pale": ("pale_skin", True),
    "tan": ("pale_skin", False),
    "outdoors": ("outdoors", True),
    "indoors": ("outdoors", False),
}
THINGS = {
    "beard": "beard",
    "closed eyes": "closed_eyes",
    "glasses": "glasses",
    "hat": "hat",
    "earrings": "earrings",
    "scarf": "scarf",
}


def claims(text: str) -> dict[str, bool]:
    """What a caption says, read by rules of its own."""
    said = {
        name: value for word, (name, value) in CLAIMS.items() if re.search(rf"\b{word}\b", text)
    }
    if hair := re.search(r"((?:\w+ )?\w+) hair", text):
        words = hair[1].split()
        said |= {"long_hair": "long" in words} if {"long", "short"} & set(words) else {}
        said |= {"dark_hair": "dark" in words} if {"dark", "light"} & set(words) else {}
    lacking = text.partition("without")[2]
    for phrase, name in THINGS.items():
        if phrase in text:
            said[name] = phrase not in lacking and f"no {phrase}" not in text
    return said


def test_a_caption_reads_like_a_sentence() -> None:
    attributes = {name: name in ("smiling", "hat", "outdoors") for name in ATTRIBUTES}
    text = "a smiling narrow tan face with short light hair and a hat, outdoors"
    assert caption(attributes) == text


@given(attribute_sets)
def test_a_caption_says_what_the_face_has_and_nothing_else(attributes: dict[str, bool]) -> None:
    said = claims(caption(attributes))
    assert {**dict.fromkeys(THINGS.values(), False), **said} == attributes


@given(attribute_sets, attribute_sets)
def test_equal_captions_mean_equal_attributes(
    first: dict[str, bool], second: dict[str, bool]
) -> None:
    assert (caption(first) == caption(second)) == (first == second)


@given(attribute_sets, st.integers(0, 2**32))
def test_a_partial_caption_is_true(attributes: dict[str, bool], seed: int) -> None:
    said = claims(partial_caption(attributes, np.random.default_rng(seed)))
    assert 1 <= len(said) <= 5
    assert said.items() <= attributes.items()


@given(attribute_sets, st.integers(0, 2**32))
def test_a_description_says_the_whole_part(attributes: dict[str, bool], seed: int) -> None:
    rng = np.random.default_rng(seed)
    part = choose_part(attributes, rng)
    assert claims(describe(part, rng)) == part


def test_partial_captions_vary_in_wording() -> None:
    rng = np.random.default_rng(0)
    attributes = dict.fromkeys(ATTRIBUTES, True)
    assert len({partial_caption(attributes, rng) for _ in range(100)}) > 60


@pytest.mark.parametrize(
    ("part", "query"),
    [
        ({"glasses": True}, "glasses"),
        ({"smiling": True, "hat": True}, "a smiling face with a hat"),
        ({"beard": False}, "a face without a beard"),
        ({"hat": False}, "no hat"),
    ],
)
def test_queries_of_a_search_box_are_among_the_wordings(part: dict[str, bool], query: str) -> None:
    rng = np.random.default_rng(0)
    assert query in {describe(part, rng) for _ in range(200)}


def test_a_caption_of_an_incomplete_face_is_refused() -> None:
    with pytest.raises(KeyError, match="beard"):
        caption({name: True for name in ATTRIBUTES if name != "beard"})
