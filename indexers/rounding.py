"""How far float32 sums can be from what they should be."""

from __future__ import annotations

import math


def product_rounding(dim: int) -> float:
    """Bound on the error of a float32 inner product of two float32 unit vectors.

    The sum errs by about √dim·2⁻²⁴ with random signs; eight times that is exceeded with
    probability 1e-14 (Higham and Mary, "A new approach to probabilistic rounding error
    analysis", SIAM J. Sci. Comput. 41(5), 2019). Rounding the unit vectors adds 2⁻²³.
    """
    return 8.0 * math.sqrt(dim) * 2.0**-24 + 2.0**-22
