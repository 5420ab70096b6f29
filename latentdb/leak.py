"""What noise would keep of a picture if inversion did nothing but add noise."""

from __future__ import annotations

import math

import numpy as np

from latentdb.model import Vectors


def leak_control(latents: Vectors, alpha_bar: float, *, rng: np.random.Generator) -> Vectors:
    """√ᾱ·x0 + √(1−ᾱ)·ε (n, dim) with fresh noise ε: diffusion, not inversion, to the same level.

    A probe that reads as much from this as from inverted noise read the signal that the last
    timestep leaves in, and not what inversion wrote into the noise.

    Parameters
    ----------
    latents : (n, dim) float32
        x0, clean codes. Not modified.
    alpha_bar : float
        ᾱ at the last timestep of the inversion, in [0, 1].
    rng : Generator
        Draws ε.
    """
    fresh = rng.standard_normal(latents.shape)
    mixed = math.sqrt(alpha_bar) * latents + math.sqrt(1.0 - alpha_bar) * fresh
    return np.asarray(mixed, np.float32)
