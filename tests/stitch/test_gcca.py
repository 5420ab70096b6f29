"""MAXVAR GCCA against the n × n definition, and against a Z that is known."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.linalg import subspace_angles

from indexers.errors import DimensionError, ParameterError
from latentdb.errors import NotEnoughDataError
from latentdb.stitch.gcca import Gcca


def _views(n, dims=(12, 9, 15), latent=4, noise=0.3, seed=0):
    rng = np.random.default_rng(seed)
    Z = rng.normal(size=(n, latent))
    views = [
        Z @ rng.normal(size=(latent, dim)) + noise * rng.normal(size=(n, dim)) + 2.0 for dim in dims
    ]
    return Z, views


def test_coordinates_are_the_eigenvectors_of_the_definition():
    _, views = _views(120)
    fitted = Gcca(3, relative=1e-2).fit(views)
    total = np.zeros((120, 120))
    for view in views:
        Zc = view - view.mean(0)
        G = Zc.T @ Zc
        ridge = 1e-2 * np.trace(G) / len(G) * np.eye(len(G))
        total += Zc @ np.linalg.solve(G + ridge, Zc.T)
    values, vectors = np.linalg.eigh(total)
    np.testing.assert_allclose(fitted.eigenvalues_, values[::-1][:3], rtol=1e-8)
    # The sum of projections is ν g √n.
    summed = sum(fitted.transform(i, view) for i, view in enumerate(views))
    expected = vectors[:, ::-1][:, :3] * values[::-1][:3] * np.sqrt(120)
    np.testing.assert_allclose(np.abs(summed), np.abs(expected), atol=1e-7)


def test_the_subspace_of_a_known_latent_is_found():
    Z, views = _views(20_000)
    fitted = Gcca(4).fit(views)
    mean = np.mean([fitted.transform(i, view) for i, view in enumerate(views)], axis=0)
    assert np.degrees(subspace_angles(mean, Z - Z.mean(0)).max()) < 10
    assert fitted.eigenvalues_.min() > 2.5


def test_the_number_of_shared_coordinates_is_found():
    _, views = _views(3000, noise=0.5)
    fitted = Gcca().fit(views)
    assert 3 <= fitted.dim_ <= 6


def test_views_find_each_other_in_the_shared_space():
    _, views = _views(1000)
    fitted = Gcca().fit([view[:800] for view in views])
    a, b = (fitted.transform(i, views[i][800:]) for i in (0, 2))
    a, b = (rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in (a, b))
    similarity = a @ b.T
    nearer = (similarity > similarity.diagonal()[:, None]).sum(1)
    assert (nearer < 10).mean() > 0.85


def test_fit_leaves_the_views_alone():
    _, views = _views(100)
    for view in views:
        view.setflags(write=False)
    Gcca().fit(views)


def test_what_cannot_be_shared_is_refused():
    _, views = _views(100)
    with pytest.raises(DimensionError, match="two or more views with as many rows"):
        Gcca().fit(views[:1])
    with pytest.raises(DimensionError, match=r"\(100, 12\), \(99, 9\)"):
        Gcca().fit([views[0], views[1][1:]])
    with pytest.raises(NotEnoughDataError, match="does not vary"):
        Gcca().fit([views[0], np.ones((100, 3))])
    with pytest.raises(ParameterError, match="at least one dimension"):
        Gcca(0)
