"""Texts as pictures: what all texts share is taken off, the pictures' covariance is put on."""

from __future__ import annotations

import numpy as np
import pytest

from latentdb.errors import QueryError, SpaceMismatchError
from latentdb.space import Space
from latentdb.stitch.domain import SpaceProfile, fit_profile
from latentdb.stitch.modality import (
    fit_text,
    neutral_texts,
    phrases,
    text_domain,
    to_pictures,
)

DIM = 24
CLIP = Space("clip", "embedding", DIM, "clip", {"model": "tiny"})
GAP = 40.0 * np.ones(DIM) / np.sqrt(DIM)


@pytest.fixture(scope="module")
def pictures():
    """Pictures vary along six directions; texts point along them, far off and on junk ones too."""
    rng = np.random.default_rng(0)
    spread = np.concatenate([np.linspace(3.0, 6.0, 6), np.full(DIM - 6, 0.05)])
    return rng.normal(size=(800, DIM)) * spread + 5.0


def _encode(texts):
    """A text's vector: the gap, junk of its own, and one of six directions when it says `x3`."""
    rows = []
    for text in texts:
        rng = np.random.default_rng(sum(text.encode()))
        row = GAP + 2.0 * np.where(np.arange(DIM) >= 6, rng.normal(size=DIM), 0.0)
        for word in text.split():
            if word[0] == "x" and word[1:].isdigit():
                row[int(word[1:])] += 3.0
        rows.append(row)
    return np.array(rows, np.float32)


@pytest.fixture(scope="module")
def profile(pictures):
    plain = fit_profile(pictures, space=CLIP, ids=np.arange(len(pictures)))
    about = [f"x{i} x{j}" for i in range(6) for j in range(6) if i != j]
    return fit_text(plain, _encode, about=about)


def test_a_text_becomes_the_picture_it_stands_for(pictures, profile):
    moved = to_pictures(profile, _encode([f"x{i}" for i in range(6)])) - profile.mean
    cosine = np.abs(moved) / np.linalg.norm(moved, axis=1, keepdims=True)
    np.testing.assert_array_equal(cosine.argmax(axis=1), np.arange(6))
    assert cosine.max(axis=1).min() > 0.95
    raw = _encode(["x2"])[0] - pictures.mean(0)
    assert abs(raw[2]) / np.linalg.norm(raw) < 0.4


def test_a_text_lies_as_far_from_the_mean_as_pictures_do(pictures, profile):
    moved = to_pictures(profile, _encode(["x1", "x4 x5"]))
    spread = np.sqrt(((pictures - pictures.mean(0)) ** 2).sum(axis=1).mean())
    distance = np.linalg.norm(moved - profile.mean, axis=1)
    np.testing.assert_allclose(distance, spread, rtol=0.05)
    assert moved.dtype == np.float32


def test_texts_that_say_nothing_of_the_pictures_are_told_apart(profile):
    is_outside = [
        text_domain(profile, vector).is_outside for vector in _encode(["soup", "a train", "x3"])
    ]
    assert is_outside == [True, True, False]


def test_without_texts_about_the_pictures_none_is_flagged(pictures):
    plain = fit_profile(pictures, space=CLIP, ids=np.arange(len(pictures)))
    fitted = fit_text(plain, _encode)
    assert text_domain(fitted, _encode(["soup"])[0]) is None
    with pytest.raises(QueryError, match="no text tower"):
        to_pictures(plain, _encode(["soup"]))


def test_the_text_part_is_kept_in_the_file(tmp_path, profile):
    path = tmp_path / "profile.safetensors"
    profile.save(path)
    read = SpaceProfile.load(path)
    vectors = _encode(["x0", "soup"])
    np.testing.assert_array_equal(to_pictures(read, vectors), to_pictures(profile, vectors))
    assert text_domain(read, vectors[1]) == text_domain(profile, vectors[1])
    with pytest.raises(SpaceMismatchError, match="profile of clip"):
        read.require(Space("clip", "embedding", DIM, "clip", {"model": "other"}))


def test_captions_fall_into_the_phrases_one_would_search_by():
    found = phrases(["a smiling face with short hair, a hat and a scarf, outdoors", "a hat"])
    assert found == ["a smiling face", "short hair", "a hat", "a scarf", "outdoors"]
    assert len(set(neutral_texts())) == len(neutral_texts())
