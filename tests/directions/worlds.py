"""Made spaces in which it is known what is where."""

from __future__ import annotations

import numpy as np

from latentdb.artefacts import FittedOn, SpaceRef
from latentdb.directions import Direction
from latentdb.space import Space

DIM = 32
NOISE = Space("noise", "noise", DIM, "noise", {"steps": 30})


def unit(vector):
    return vector / np.linalg.norm(vector)


def made(vector, name="made", method="ids", space=NOISE):
    """A direction of unit deviation whose boundary goes through the origin."""
    ref = SpaceRef.of(space)
    return Direction(name, ref, unit(vector), 0.0, 1.0, method, "", FittedOn(1, 0, "", 0))


def coloured(n=4000, seed=0):
    """Rows (n, DIM) about a mean of 3 whose deviations, correlated, span a factor of ten."""
    rng = np.random.default_rng(seed)
    turn = np.linalg.qr(np.random.default_rng(99).normal(size=(DIM, DIM)))[0]
    return 3.0 + rng.normal(size=(n, DIM)) * np.geomspace(0.3, 3.0, DIM) @ turn.T
