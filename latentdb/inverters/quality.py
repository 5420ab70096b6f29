"""Quality of inverted noise, one value per row: what a filter can ask for."""

from __future__ import annotations

import math

from latentdb.torch_compat import torch

QUALITY = ("residual", "psnr", "norm_z", "sv_excess", "noise_level")
"""Columns that come with every row of a noise space; NaN where one was not measured.

`residual`: largest relative change in the last iteration of a step, over all steps but the first.
`psnr`: of the round trip image → noise → image against the autoencoder's own reconstruction, dB.
`norm_z`: how many standard deviations the norm is off that of Gaussian noise.
`sv_excess`: how far the largest singular value of a channel is above that of white noise.
`noise_level`: flow time b/(a + b) at which the row seems to lie, given its clean code. Fresh noise
has that of the grid's last level, mostly 1; inverted noise less, since it goes along with its code.
So compare it within a space: a row far below the others kept more of its picture, or is too short.
"""

_SMALLEST_MSE = 1e-12  # 120 dB; keeps a perfect round trip finite


def norm_z(noise: torch.Tensor) -> torch.Tensor:
    """Standard score of each row's norm under the chi law of N(0, I_d).

    Parameters
    ----------
    noise : (n, ...)
        Flattened to (n, d).

    Returns
    -------
    (n,)
        (‖x‖ − E‖x‖) / sd‖x‖, unitless; zero on average for Gaussian noise.
    """
    flat = noise.flatten(1).double()
    dim = flat.shape[1]
    mean = math.sqrt(2) * math.exp(math.lgamma((dim + 1) / 2) - math.lgamma(dim / 2))
    deviation = math.sqrt(dim - mean * mean)
    norms: torch.Tensor = flat.norm(dim=1)
    return ((norms - mean) / deviation).float()


def sv_excess(noise: torch.Tensor) -> torch.Tensor:
    """Excess of the largest singular value of any channel over the Marchenko–Pastur edge.

    The singular values of an (h, w) matrix of white noise end at √h + √w; structure that leaked
    into the noise stands out above.

    Parameters
    ----------
    noise : (n, channels, h, w)
        One matrix per channel.

    Returns
    -------
    (n,)
        Largest value over the edge, minus 1; about zero for white noise.

    References
    ----------
    Marchenko and Pastur, "Distribution of eigenvalues for some sets of random matrices", 1967.
    """
    edge = math.sqrt(noise.shape[2]) + math.sqrt(noise.shape[3])
    largest: torch.Tensor = torch.linalg.svdvals(noise.detach().cpu().float())[..., 0]
    return largest.amax(dim=1) / edge - 1.0


def psnr(pictures: torch.Tensor, references: torch.Tensor) -> torch.Tensor:
    """Peak signal-to-noise ratio of each picture, in dB, at most 120.

    Parameters
    ----------
    pictures, references : (n, 3, h, w)
        Values in [0, 1].

    Returns
    -------
    (n,)
        −10·log10 of the mean squared difference.
    """
    mse: torch.Tensor = (pictures.double() - references.double()).square().flatten(1).mean(dim=1)
    return (-10.0 * torch.log10(mse.clamp_min(_SMALLEST_MSE))).float()
