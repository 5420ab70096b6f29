"""The one product that fitting is made of, on a GPU where there is one."""

from __future__ import annotations

import sys

import numpy as np

from latentdb.arrays import FloatArray


def cross(left: FloatArray, right: FloatArray) -> FloatArray:
    """LeftᵀRight (p, q) float64, summed over the rows of `left` (n, p) and `right` (n, q).

    On the first CUDA device when torch is loaded and sees one, else by NumPy, which computes
    half of it when the two are one array. torch is never imported here: it takes longer to load
    than most fits take (`latentdb.stitch.from_store` loads it for long ones).

    Parameters
    ----------
    left, right : float64
        Not modified.
    """
    torch = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_available():
        product: FloatArray = left.T @ right
        return product
    there = torch.from_numpy(np.ascontiguousarray(left)).to("cuda")
    other = there if right is left else torch.from_numpy(np.ascontiguousarray(right)).to("cuda")
    answer: FloatArray = (there.T @ other).cpu().numpy()
    return answer
