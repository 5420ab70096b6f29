"""Probes of many attributes, and what two spaces' probes have in common."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from made_spaces import make_db, views
from sklearn.metrics import balanced_accuracy_score, roc_auc_score

from latentdb.directions.probe import probe_many
from latentdb.errors import NotEnoughDataError
from latentdb.report.attributes import Attribute
from latentdb.report.options import QUICK
from latentdb.report.probe_agreement import study_probe_agreement
from latentdb.report.probe_fits import SpaceProbes, fit_probes
from latentdb.report.sample import Sample
from latentdb.report.shared_accuracy import ALL, study_shared_accuracy

N = 600
IDS = np.arange(1, N + 1)


def probes_of(rows: np.ndarray, attributes: list[Attribute]) -> SpaceProbes:
    return fit_probes(rows, attributes, ids=IDS, n_components=20, seed=0)


@pytest.fixture(scope="module")
def made() -> tuple[np.ndarray, list[Attribute]]:
    """A view of three coordinates, and attributes of the sign of two of them."""
    z, (rows,) = views(N, dims=[20], shared=3, private=0.4)
    return rows, [Attribute(f"z{k}", IDS, z[:, k] > 0) for k in range(2)]


def test_scores_are_those_of_the_library_s_probes(
    made: tuple[np.ndarray, list[Attribute]],
) -> None:
    rows, attributes = made
    expected = probe_many(
        rows, {one.name: one.values for one in attributes}, ids=IDS, n_components=20
    )
    found = probes_of(rows, attributes)
    for name, probed in found.by_attribute.items():
        assert probed.score == expected[name]


def test_means_are_over_attributes(made: tuple[np.ndarray, list[Attribute]]) -> None:
    found = probes_of(*made)
    probed = list(found.by_attribute.values())
    aucs = [roc_auc_score(one.is_positive, one.decisions) for one in probed]
    accuracies = [balanced_accuracy_score(one.is_positive, one.decisions > 0) for one in probed]
    mean = found.mean_auc(seed=0)
    assert mean.value == pytest.approx(np.mean(aucs))
    assert mean.low < mean.value < mean.high
    assert found.mean_balanced_accuracy() == pytest.approx(np.mean(accuracies))


def test_items_without_a_label_are_neither_fitted_nor_scored(
    made: tuple[np.ndarray, list[Attribute]],
) -> None:
    rows, (first, _) = made
    is_known = np.arange(N) % 3 > 0
    partly = Attribute("partly", IDS[is_known], first.values[is_known])
    one = probes_of(rows, [partly]).by_attribute["partly"]
    assert one.score.n_held_out == one.is_known.sum() < len(one.decisions)
    assert one.n_positive + one.n_negative == is_known.sum()
    # The others' labels do not matter: they have none.
    wrong = np.where(is_known, first.values, ~first.values)
    again = probes_of(rows, [Attribute("partly", IDS[is_known], wrong[is_known])])
    np.testing.assert_array_equal(again.by_attribute["partly"].decisions, one.decisions)


def test_a_resample_without_a_rare_class_is_left_out_of_the_mean(
    made: tuple[np.ndarray, list[Attribute]],
) -> None:
    rows, (first, _) = made
    rare = Attribute("rare", IDS, np.arange(N) % 24 == 0)
    mean = probes_of(rows, [first, rare]).mean_auc(seed=0)
    assert np.isfinite([mean.value, mean.low, mean.high]).all()


def test_too_rare_an_attribute_is_passed_over(made: tuple[np.ndarray, list[Attribute]]) -> None:
    rows, (first, _) = made
    rare = Attribute("rare", IDS, np.arange(N) < 20)
    assert list(probes_of(rows, [rare, first]).by_attribute) == ["z0"]
    with pytest.raises(NotEnoughDataError, match="no attribute has 25 on both sides"):
        probes_of(rows, [rare])


def test_probes_agree_beyond_the_label_where_spaces_share_what_it_is_of(tmp_path: Path) -> None:
    z, (left, right) = views(N, dims=[20, 30], shared=3, private=0.2)
    # What a third space knows of the attribute is the label itself, and nothing of how much.
    label = z[:, 0] > 0
    blind = np.random.default_rng(9).standard_normal((N, 10))
    blind[:, 0] += 6.0 * label
    spaces = {
        "left": ("embedding", left),
        "right": ("embedding", right),
        "blind": ("embedding", blind),
    }
    db = make_db(tmp_path / "a.ldb", spaces, {"sign": label.tolist()})
    found = study_probe_agreement(Sample(db.catalog, QUICK, seed=0))
    sharing, apart = found.pairs["left", "right"]["sign"], found.pairs["left", "blind"]["sign"]
    assert sharing.within > 0.6
    assert sharing.overall > sharing.within
    assert apart.overall > 0.5
    assert abs(apart.within) < 0.25


def test_shared_coordinates_say_what_leading_components_do_not(tmp_path: Path) -> None:
    z, (left, right) = views(N, dims=[40, 30], shared=2, private=0.3)
    rng = np.random.default_rng(1)
    # Each space varies most along directions of its own.
    left[:, :8] += 4.0 * rng.standard_normal((N, 8))
    right[:, :8] += 4.0 * rng.standard_normal((N, 8))
    labels = {"a": (z[:, 0] > 0).tolist(), "b": (z[:, 1] > 0).tolist()}
    spaces = {"left": ("noise", left), "right": ("embedding", right)}
    db = make_db(tmp_path / "b.ldb", spaces, labels)
    found = study_shared_accuracy(Sample(db.catalog, QUICK, seed=0))
    assert found.shared[ALL][2].auc.value > 0.9
    assert found.shared["left"][2].auc.value > 0.8
    assert found.principal["left"][2].auc.value < 0.7
    assert found.eigenvalues[1] > 1.2 > found.eigenvalues[4]
    assert list(found.shared[ALL]) == [2, 8]
