"""Directions from one space to another, through linear maps.

With a map x → ȳ + W(x − x̄) from A to B and V the one back, a movement d of A becomes what the
predictions of moved vectors differ by, and a reading f of A is read off predictions:

    movement  d → W d          reading  f → Vᵀ f

The one is pushed along the map, the other pulled back through the reverse one. Each the other way
loses it: at worst nothing but chance is left (docs/directions.md has the figures). What is to
change its kind does so in A, by d = Σf and f = Σ⁻¹d.
"""

from __future__ import annotations

from latentdb.arrays import FloatArray, RealArray
from latentdb.directions.covariance import ShrunkCovariance
from latentdb.directions.direction import Direction
from latentdb.stitch.chain import MapChain


def push(vector: FloatArray, chain: MapChain) -> FloatArray:
    """W·d (target_dim,) of a movement d (source_dim,) of the chain's first space."""
    for one in chain.maps:
        vector = one.weight.astype(vector.dtype) @ vector
    return vector


def pull(vector: FloatArray, back: MapChain) -> FloatArray:
    """Vᵀ·f (source_dim,) of a reading f (target_dim,) of the last space of the chain `back`."""
    for one in reversed(back.maps):
        vector = one.weight.astype(vector.dtype).T @ vector
    return vector


def as_movement(direction: Direction, sample: RealArray) -> FloatArray:
    """What moves a direction's reading most naturally: its vector, or Σf of a reading f.

    Parameters
    ----------
    direction : Direction
    sample : (n, dim)
        Of its space, which Σ is estimated from.
    """
    if not direction.is_reading:
        return direction.vector
    moved: FloatArray = ShrunkCovariance.of_sample(sample).times(direction.vector[:, None])[:, 0]
    return moved


def as_reading(direction: Direction, sample: RealArray) -> FloatArray:
    """What reads best what a direction moves: its vector, or Σ⁻¹d of a movement d."""
    if direction.is_reading:
        return direction.vector
    read: FloatArray = ShrunkCovariance.of_sample(sample).solve(direction.vector[:, None])[:, 0]
    return read
