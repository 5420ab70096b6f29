"""Principal components of rows in blocks, against scikit-learn's of all rows at once."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.decomposition import PCA

from latentdb.errors import NotEnoughDataError
from latentdb.projection import components
from latentdb.projection.components import Rows, fit_components


def cloud(n, dim, *, seed=0, decay=0.7):
    """Rows off the origin whose spread falls off along rotated axes."""
    rng = np.random.default_rng(seed)
    spread = np.maximum(decay ** np.arange(dim), 1e-3)
    turned = np.linalg.qr(rng.normal(size=(dim, dim)))[0]
    return (5.0 + (rng.normal(size=(n, dim)) * spread) @ turned).astype(np.float32)


def fitted(rows, count=2, *, block=37, **options):
    def blocks():
        return (rows[at : at + block] for at in range(0, len(rows), block))

    passes = []
    options.setdefault("on_rows", lambda more, step: passes.append((more, step)))
    found = fit_components(Rows(*rows.shape, blocks), count, **options)
    return found, passes


def assert_like_sklearn(rows, found, *, rtol=1e-5):
    exact = PCA(2, svd_solver="full").fit(rows.astype(np.float64))
    expected = exact.transform(rows.astype(np.float64))
    got = found.transform(rows)
    scale = np.abs(expected).max()
    for axis in range(2):
        sign = np.sign(found.axes[axis] @ exact.components_[axis])
        np.testing.assert_allclose(got[:, axis] * sign, expected[:, axis], atol=rtol * scale)
    np.testing.assert_allclose(found.explained, exact.explained_variance_ratio_, rtol=rtol)


@pytest.mark.parametrize(("n", "dim"), [(200, 40), (30, 90), (500, 3), (64, 64)])
def test_they_are_those_of_sklearn_whether_rows_or_dimensions_are_more(n, dim):
    rows = cloud(n, dim)
    found, passes = fitted(rows)
    assert_like_sklearn(rows, found)
    assert sum(more for more, _ in passes) == n


def test_the_krylov_method_finds_the_same(monkeypatch):
    monkeypatch.setattr(components, "EXACT_SIZE", 50)
    rows = cloud(300, 120, decay=0.9)
    found, passes = fitted(rows)
    assert_like_sklearn(rows, found)
    assert 1 < max(step for _, step in passes) < 12


def test_it_ends_where_no_pass_tells_eigenvalues_apart(monkeypatch):
    monkeypatch.setattr(components, "EXACT_SIZE", 50)
    rows = np.random.default_rng(1).normal(size=(400, 200)).astype(np.float32)
    found, passes = fitted(rows, max_passes=3)
    assert max(step for _, step in passes) == 3
    exact = PCA(2, svd_solver="full").fit(rows).explained_variance_ratio_
    assert np.all(found.explained <= exact + 1e-9)
    assert found.explained[0] > 0.8 * exact[0]


def test_the_sign_does_not_depend_on_the_order_of_rows():
    rows = cloud(100, 20)
    there, back = fitted(rows)[0], fitted(rows[::-1].copy())[0]
    np.testing.assert_allclose(there.axes, back.axes, atol=1e-9)


def test_rows_on_a_line_have_nothing_along_the_second_axis():
    rows = np.outer(np.arange(9.0), [3.0, 4.0, 0.0]).astype(np.float32)
    found, _ = fitted(rows)
    assert found.explained == pytest.approx([1.0, 0.0])
    np.testing.assert_allclose(found.transform(rows)[:, 1], 0.0)
    np.testing.assert_allclose(np.diff(np.abs(found.transform(rows)[:, 0] + 20)), 5, atol=1e-4)


@pytest.mark.parametrize("rows", [np.ones((1, 4)), np.ones((7, 4))])
def test_rows_that_are_all_the_same_are_refused(rows):
    with pytest.raises(NotEnoughDataError, match="two different rows"):
        fitted(rows.astype(np.float32))
