"""Values that pass between the layers: rows in, items and hits out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, final

import numpy as np
from numpy.typing import NDArray

from latentdb.explanation import Explanation

LabelValue = bool | int | float | str | None

# Where work is done: on this machine, or by the workers of a Ray cluster.
EngineName = Literal["local", "ray"]

QuarantineReason = Literal[
    "empty",  # zero bytes
    "not_an_image",  # no decoder knows the bytes
    "truncated",  # an image that ends early
    "corrupt",  # an image whose data contradict themselves
    "too_large",  # more megapixels than the limit
    "too_small",  # a side of less than the minimum
    "unreadable",  # permission, i/o error, a broken archive member
    "model_failure",  # the model raised on this picture alone
    "not_finite",  # an imported vector with NaN or infinity
    "wrong_shape",  # an imported vector that is missing, or of another length
]


@final
@dataclass(frozen=True)
class ItemRow:
    """One picture to be stored, or an item of which there are vectors alone.

    Parameters
    ----------
    id : int
        63 bits of the SHA-256 of the RGB pixels with their size; without a picture, of a name.
    source : str
        Where it was first seen, such as `photos/a.jpg` or `set.zip!a.jpg`.
    width, height : int
        Size of the picture as decoded, in pixels; 0 of an item without a picture.
    thumbnail : bytes
        PNG or JPEG, at most 256 pixels a side; empty of an item without a picture.
    labels : mapping of str to scalar
        Typed values; absent ones are stored as null.
    """

    id: int
    source: str
    width: int
    height: int
    thumbnail: bytes
    labels: Mapping[str, LabelValue] = field(default_factory=dict)


@final
@dataclass(frozen=True)
class SourceRow:
    """One file seen: its content hash leads to the item without decoding it again."""

    source: str
    content_hash: str
    id: int


@final
@dataclass(frozen=True)
class QuarantineRow:
    """One file that could not be used, and why."""

    source: str
    content_hash: str
    reason: str
    message: str


@final
@dataclass(frozen=True)
class SpaceRows:
    """Rows of one space: ids (n,) int64, vectors (n, dim), quality (n,) per column.

    Vectors are float32 when read; a store takes float16 as well.
    """

    ids: NDArray[np.int64]
    vectors: NDArray[np.float32]
    quality: Mapping[str, NDArray[np.float32]] = field(default_factory=dict)


@final
@dataclass(frozen=True)
class Item:
    """One stored picture, without its vectors."""

    id: int
    source: str
    width: int
    height: int
    labels: dict[str, LabelValue]
    added_at: str

    @property
    def has_picture(self) -> bool:
        """Whether there is a picture of it; an item imported as vectors alone has none."""
        return self.width > 0


@final
class Hit(NamedTuple):
    """One answer: lower `distance` is nearer; the parts are of the NAO metric alone.

    `explanation` is there where the question asked for one. A tuple, since thousands a second are
    made: a frozen dataclass takes four times as long.
    """

    id: int
    distance: float
    angular: float | None
    radial: float | None
    source: str
    labels: dict[str, LabelValue]
    explanation: Explanation | None = None

    def to_json(self) -> dict[str, Any]:
        """The hit as the JSON contract writes it; `explain` only where it was asked for."""
        explained = {} if self.explanation is None else {"explain": self.explanation.to_json()}
        return {
            "id": self.id,
            "distance": self.distance,
            "angular": self.angular,
            "radial": self.radial,
            "source": self.source,
            "labels": self.labels,
            **explained,
        }


@final
@dataclass(frozen=True)
class Answer:
    """Hits of one query, nearest first, with what was asked.

    `exact` is true when the hits are certainly the nearest under `metric` among the rows that
    pass the filter; where it is false, `recall_at_10` is what the index was measured to find. Of a
    diverse answer it is the candidates that are certainly the nearest, `query["candidates"]` of
    them; its hits come in the order in which they were chosen.
    """

    space: str
    metric: str
    exact: bool
    query: dict[str, Any]
    hits: list[Hit]
    recall_at_10: float = 1.0

    def to_json(self) -> dict[str, Any]:
        """The answer as the JSON contract writes it."""
        return {
            "space": self.space,
            "metric": self.metric,
            "exact": self.exact,
            "query": self.query,
            "hits": [hit.to_json() for hit in self.hits],
            "recall_at_10": self.recall_at_10,
        }


@final
@dataclass
class IngestSummary:
    """What one ingest run did; counts are of files.

    `added` new items, `completed` items that lacked a vector in some space and got it,
    `known` files whose work was already done, `duplicates` files whose pixels another file
    of this run or the database already brought, `quarantined` files with a reason, `skipped`
    files that are of no picture type. With a labels file, `unlabelled` files without a row in it
    and `labels_unused` rows without a file.
    """

    seen: int = 0
    added: int = 0
    completed: int = 0
    known: int = 0
    duplicates: int = 0
    quarantined: int = 0
    reasons: dict[str, int] = field(default_factory=dict)
    skipped: int = 0
    unlabelled: int = 0
    labels_unused: int = 0
    seconds: float = 0.0
    spaces: list[str] = field(default_factory=list)
