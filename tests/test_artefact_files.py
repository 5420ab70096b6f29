"""A map and a direction as version 0.1.0 wrote them: later versions go on reading them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from latentdb.artefacts import load_artefact
from latentdb.directions import Direction
from latentdb.stitch import LinearMap

WRITTEN = Path(__file__).parent / "artefacts_v1"
PROBE = np.array([[1.0, 2.0, -1.0], [0.0, 0.5, 4.0]], np.float32)


def test_a_stored_direction_is_read_and_answers_as_it_did() -> None:
    smile = Direction.load(WRITTEN / "direction.safetensors")
    assert (smile.name, smile.space, smile.label) == ("smile", "noise", "smiling")
    assert (smile.method, smile.orthogonal_to) == ("mean_difference", ("hat",))
    assert (smile.fitted_on.n_train, smile.fitted_on.n_held_out) == (64, 16)
    assert smile.scores is not None
    assert (smile.scores.auc.value, smile.scores.n_positive) == (1.0, 38)
    np.testing.assert_allclose(smile.project(PROBE), [2.01810633, 0.2753794], rtol=1e-7)


def test_a_stored_map_is_read_and_answers_as_it_did() -> None:
    found = LinearMap.load(WRITTEN / "linear_map.safetensors")
    assert (found.source, found.target, found.method) == ("noise", "clip", "ridge")
    assert (found.fitted_on.n_train, found.fitted_on.n_held_out) == (64, 16)
    assert found.regularisation == pytest.approx(1.4469221391413918, rel=1e-15)
    assert found.scores.null is not None
    assert (found.scores.recall_at_10.value, found.scores.null.n_permutations) == (1.0, 2)
    expected = [[5.2341146, 4.545294], [4.9694614, -2.1830113]]
    np.testing.assert_allclose(found.transform(PROBE), expected, rtol=1e-6)
    restored = [[3.303239, 3.0632045], [4.1292934, 1.8009845]]
    np.testing.assert_allclose(found.transform(PROBE, restore_norm=True), restored, rtol=1e-6)


@pytest.mark.parametrize(("name", "kind"), [("direction", Direction), ("linear_map", LinearMap)])
def test_what_is_written_now_is_what_was_written_then(
    name: str, kind: type[Direction] | type[LinearMap], tmp_path: Path
) -> None:
    stored = load_artefact(WRITTEN / f"{name}.safetensors", kind=name)
    kind.load(WRITTEN / f"{name}.safetensors").save(tmp_path / "again")
    again = load_artefact(tmp_path / "again", kind=name)
    assert again.arrays.keys() == stored.arrays.keys()
    for key, array in stored.arrays.items():
        assert again.arrays[key].dtype == array.dtype
        np.testing.assert_array_equal(again.arrays[key], array)
    for part in ("spaces", "fitted_on", "parameters", "scores"):
        assert getattr(again, part) == getattr(stored, part)
