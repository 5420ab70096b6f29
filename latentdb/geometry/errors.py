"""Errors of the geometry, under the one root."""

from __future__ import annotations

from typing import final

from latentdb.errors import LatentDBError


@final
class CutLocusError(LatentDBError, ValueError):
    """Two points are antipodal: no single shortest curve joins them."""
