"""Ids that a filter lets pass, as searches take them."""

from __future__ import annotations

from typing import Any, final

import numpy as np
import numpy.typing as npt

from indexers.errors import ParameterError
from indexers.types import IdArray


@final
class IdSet:
    """Ids that may be found, checked once.

    An index keeps what it made of a set for as long as the set lives: searches that share a filter
    are to share its set.

    Parameters
    ----------
    ids : (n,) integers
        In any order, repeats ignored. Not copied: not to be changed any more.

    Raises
    ------
    ParameterError
        They are no one-dimensional array of integers.
    """

    def __init__(self, ids: npt.NDArray[Any]) -> None:
        array = np.asarray(ids)
        if array.size and (array.ndim != 1 or array.dtype.kind not in "iu"):
            raise ParameterError(
                f"expected allowed_ids as a one-dimensional array of integers, got "
                f"{array.dtype} of shape {array.shape}"
            )
        self._ids: IdArray = array.reshape(-1).astype(np.int64, copy=False)

    @property
    def ids(self) -> IdArray:
        """The ids (n,) as they were given. A view."""
        return self._ids

    def __len__(self) -> int:
        return len(self._ids)
