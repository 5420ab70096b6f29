"""Texts on their way into other spaces: the modality gap taken off, pictures' covariance put on.

A contrastive encoder scores a text t against a picture x by ⟨x, t⟩. Over pictures distributed as
N(m, Σ), a text then stands for those tilted by exp(⟨x, t⟩/τ), which are N(m + Σt/τ, Σ). What all
texts share, their mean, says nothing about a picture and is taken off first:

    x̂ = m + c · Σ(t − mean of neutral texts)

with c such that x̂ lies as far from m as pictures do. A map fitted on pictures then gets a vector
of the kind it was fitted on. Without it the shared part, the modality gap, is all that a map sees:
every text gets the same answer (docs/stitching.md has the figures and the variants tried).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from latentdb.arrays import FloatArray
from latentdb.errors import QueryError
from latentdb.stitch.domain import (
    FALSE_ALARM_RATE,
    Domain,
    SpaceProfile,
    TextProfile,
    conformal_threshold,
)
from latentdb.stitch.evaluate import unit_rows

MIN_TEXTS = 20
_MAX_TEXTS = 1000

_SUBJECTS: Final = (
    "person man woman child dog cat bird horse car bus train boat house street tree flower grass "
    "sky sea beach mountain snow food table chair room kitchen bed window door book phone screen "
    "ball game water light dark red green blue yellow black white old young happy sad big small "
    "one two many indoors outdoors day night city field forest building face hair hand smile"
)
_TEMPLATES: Final = ("{}", "a picture of {}", "a photo of a {}")


def neutral_texts() -> list[str]:
    """Texts about anything, whose mean vector is what all texts share."""
    subjects = _SUBJECTS.split()
    texts = [template.format(subject) for template in _TEMPLATES for subject in subjects]
    later = [*subjects[7:], *subjects[:7]]
    return texts + [f"{one} and {other}" for one, other in zip(subjects, later, strict=True)]


def phrases(captions: Iterable[str]) -> list[str]:
    """Distinct parts of captions between commas and joining words: what a search box gets."""
    found: dict[str, None] = {}
    for caption in captions:
        text = f" {caption.strip().rstrip('.')} "
        for joint in (" with ", " and ", " without ", ";"):
            text = text.replace(joint, ",")
        found.update((part.strip(), None) for part in text.split(",") if part.strip())
    return list(found)


def fit_text(
    profile: SpaceProfile,
    encode_text: Callable[[Sequence[str]], NDArray[np.float32]],
    *,
    about: Sequence[str] = (),
    false_alarm_rate: float = FALSE_ALARM_RATE,
) -> SpaceProfile:
    """The profile with its text part.

    Parameters
    ----------
    profile : SpaceProfile
        Of the pictures.
    encode_text : callable
        Vectors (n, dim) of texts, in the same space.
    about : sequence of str
        Texts that are about the pictures, such as `phrases` of their captions. With 20 or more,
        texts that say less about the pictures than nearly all of them are told apart.
    false_alarm_rate : float
        Share of such texts to be flagged wrongly.
    """
    mean = encode_text(neutral_texts()).astype(np.float64).mean(axis=0)
    text = TextProfile(mean, None, false_alarm_rate, len(about))
    fitted = replace(profile, text=text)
    if len(about) < MIN_TEXTS:
        return fitted
    rng = np.random.default_rng(profile.fitted_on.seed)
    drawn = rng.permutation(len(about))[:_MAX_TEXTS]
    weak = _weakness(fitted, text, encode_text([about[i] for i in drawn]))
    threshold, rate = conformal_threshold(weak, false_alarm_rate)
    return replace(fitted, text=TextProfile(mean, threshold, rate, len(drawn)))


def to_pictures(profile: SpaceProfile, texts: ArrayLike) -> NDArray[np.float32]:
    """Vectors (n, dim) of texts as vectors of the pictures that they stand for.

    Raises
    ------
    QueryError
        The profile has no text part: its space has no text tower.
    """
    tilted = profile.times_covariance(_deviations(texts, _text_of(profile)))
    moved: NDArray[np.float32] = (profile.mean + profile.spread * unit_rows(tilted)).astype(
        np.float32
    )
    return moved


def text_domain(profile: SpaceProfile, vector: ArrayLike) -> Domain | None:
    """Whether a text's vector (dim,) says as much about the pictures as texts about them do.

    None where no threshold could be measured.
    """
    text = _text_of(profile)
    if text.threshold is None:
        return None
    weak = _weakness(profile, text, np.asarray(vector)[None])[0]
    return Domain("weakness", float(weak), text.threshold, text.false_alarm_rate)


def _weakness(profile: SpaceProfile, text: TextProfile, vectors: ArrayLike) -> FloatArray:
    """1/√(dᵀΣd) (n,) of deviations d: the inverse spread of pictures' scores for each text."""
    deviations = _deviations(vectors, text)
    variance = (deviations * profile.times_covariance(deviations)).sum(axis=1)
    weakness: FloatArray = 1.0 / np.sqrt(np.maximum(variance, np.finfo(np.float64).tiny))
    return weakness


def _deviations(vectors: ArrayLike, text: TextProfile) -> FloatArray:
    deviations: FloatArray = np.asarray(vectors, dtype=np.float64) - text.mean
    return deviations


def _text_of(profile: SpaceProfile) -> TextProfile:
    if profile.text is None:
        raise QueryError(
            f"the profile of space {profile.space_ref.name!r} knows no texts: its model has no "
            "text tower"
        )
    return profile.text
