"""The evaluation's verdict, and the cards that carry its figures."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest

from latentdb.zoo.cards import write_cards
from latentdb.zoo.evaluate import FLOORS, Evaluation, evaluate
from latentdb.zoo.faces import ATTRIBUTES
from latentdb.zoo.measures import NOISE_SPACES, retrieval_recall
from latentdb.zoo.training import WEIGHTS


def evaluation(**changed: float) -> Evaluation:
    measures = dict(FLOORS)
    for folder in WEIGHTS.iterdir():
        measures |= json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
    noises = [f"{prefix}{kind}" for prefix in NOISE_SPACES for kind in ("leak_control", "noise")]
    aucs = {kind: dict.fromkeys(ATTRIBUTES, 0.9) for kind in ("latent", *noises, "clip", "ssl")}
    return Evaluation(2, 1_000, {**measures, **FLOORS, **changed}, aucs, {"device": "cpu"}, None)


def test_a_measure_at_its_floor_meets_it() -> None:
    assert evaluation().missed == []


@pytest.mark.parametrize("name", FLOORS)
@pytest.mark.parametrize("value", [-1.0, math.nan])
def test_a_measure_below_its_floor_or_not_measured_is_missed(name: str, value: float) -> None:
    found = evaluation(**{name: value})
    assert found.missed == [name]
    assert found.to_json()["floors"][name]["is_met"] is False


def test_cards_carry_the_figures(tmp_path: Path) -> None:
    for folder in WEIGHTS.iterdir():
        (tmp_path / folder.name).mkdir()
    write_cards(tmp_path, evaluation(clip_probe_auc=0.987654).to_json())
    card = (tmp_path / "faces-clip" / "README.md").read_text(encoding="utf-8")
    metrics = json.loads((tmp_path / "faces-clip" / "metrics.json").read_text(encoding="utf-8"))
    assert "| clip_probe_auc | 0.988 |" in card
    assert metrics["clip_probe_auc"] == 0.9877


def test_retrieval_among_too_few_is_refused() -> None:
    few = np.zeros((10, len(ATTRIBUTES)), bool)
    with pytest.raises(ValueError, match="among 1000 images, got 10"):
        retrieval_recall(np.zeros((10, 4), np.float32), few, device="cpu")


def test_too_few_faces_are_refused_before_any_model_runs() -> None:
    with pytest.raises(ValueError, match="at least 1000"):
        evaluate(10)
