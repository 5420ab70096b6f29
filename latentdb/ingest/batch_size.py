"""How many pictures a model gets at once, where nobody says: as many as memory holds.

The first batch is small, and what it takes is measured. On a GPU the next ones may use four
fifths of what is free there, up to 256 pictures; on a CPU, where more pictures at once are no
faster, half of what is free, up to 32. What does not fit nevertheless is halved.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from latentdb.memory import Taken

FIRST_BATCH: Final = 4
"""Pictures in the batch that is measured."""
USUAL_BATCH: Final = 32
"""The most on a CPU, and what is taken where memory cannot be measured."""
_LARGEST: Final = 256
_PIXEL_BYTES: Final = 1 << 28
_GPU_SHARE, _CPU_SHARE = 0.8, 0.5


def fitting_batch(taken: Iterable[Taken], *, n: int, picture_bytes: int) -> int:
    """Pictures at once that memory holds, by what `n` of them took.

    Parameters
    ----------
    taken : iterable of Taken
        Of each place where memory was watched.
    n : int
        Pictures in the batch that was measured.
    picture_bytes : int
        Of one decoded picture: those that wait take memory, too.

    Returns
    -------
    int
        A power of two, at least 1.
    """
    places = list(taken)
    is_on_gpu = any(place.is_gpu and place.peak_bytes > 0 for place in places)
    most = min(_LARGEST if is_on_gpu else USUAL_BATCH, _PIXEL_BYTES // picture_bytes)
    for place in places:
        per_picture = place.peak_bytes / n
        share = _GPU_SHARE if place.is_gpu else _CPU_SHARE
        if per_picture > 0:
            most = min(most, int(share * place.free_bytes / per_picture))
    return 1 << (max(1, most).bit_length() - 1)
