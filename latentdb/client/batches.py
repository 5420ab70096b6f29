"""What a server takes in one upload, and pictures put together so that they fit."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any, Final, Protocol, final

from latentdb.client.jobs import Jobs
from latentdb.client.transport import FilePart
from latentdb.errors import UnknownSpaceError
from latentdb.ingest.label_columns import HasColumns
from latentdb.ingest.pool import Outcome
from latentdb.types import Item, LabelValue
from latentdb.wire.fields import Fields

# The rest of a body is names, labels, and what divides the parts.
_SHARE_OF_BODY: Final = 0.9
# Bytes of labels in one upload.
_MOST_LABELS: Final = 1_000_000


class Receiver(HasColumns, Protocol):
    """The part of `RemoteDB` that an upload asks."""

    jobs: Jobs

    def about(self) -> Mapping[str, Any]:
        """What the server tells of itself."""

    def vector_counts(self) -> dict[str, int]:
        """How many items have a vector in each space."""

    def known(self, ids: Sequence[int]) -> dict[int, Item]:
        """Those of the ids that are items."""


@final
@dataclass(frozen=True)
class Terms:
    """What a server takes, and whether what it has is complete.

    `spaces` are those that pictures get vectors in, and `named` whether the caller said which;
    `is_complete` says whether every item has one in each: only then is a known picture of no use
    to the server.
    """

    pictures: int
    body_bytes: int
    megapixels: float
    spaces: list[str]
    named: bool
    is_complete: bool

    @classmethod
    def of(cls, db: Receiver, spaces: Sequence[str] | None) -> Terms:
        """The terms of a server for pictures of all spaces that have a model, or of some."""
        about = Fields(db.about(), "database")
        limits, counts = about.inside("limits"), db.vector_counts()
        there = db.spaces()
        own = [name for name, space in there.items() if space.has_model]
        names = own if spaces is None else list(spaces)
        for name in names:
            if name not in there:
                raise UnknownSpaceError.among(name, list(there))
        items = about.integer("items")
        return cls(
            pictures=limits.integer("max_uploads"),
            body_bytes=int(limits.number("max_body_mib") * 2**20 * _SHARE_OF_BODY),
            megapixels=limits.number("max_megapixels"),
            spaces=names,
            named=spaces is not None,
            is_complete=all(counts.get(name, 0) >= items for name in names),
        )


@final
@dataclass(frozen=True)
class Picture:
    """A picture of the source that can be used."""

    id: int
    outcome: Outcome
    labels: Mapping[str, LabelValue]


@final
@dataclass
class Batch:
    """Pictures that are sent together."""

    files: list[FilePart] = field(default_factory=list)
    labels: dict[str, Mapping[str, LabelValue]] = field(default_factory=dict)
    size: int = 0
    labels_size: int = 0

    def has_room(self, picture: Picture, data: bytes, terms: Terms) -> bool:
        """Whether a picture fits beside those that are there."""
        labels = self.labels_size + _size_of(picture)
        return self.size + len(data) <= terms.body_bytes and labels <= _MOST_LABELS

    def add(self, picture: Picture, data: bytes) -> None:
        """Add a picture, under a name that no other of the batch has."""
        name = PurePosixPath(picture.outcome.candidate.key).name
        taken = {file[0] for _, file in self.files}
        if name in taken:
            name = f"{len(self.files)}-{name}"
        self.files.append(("files", (name, data, "application/octet-stream")))
        self.size += len(data)
        self.labels_size += _size_of(picture)
        if picture.labels:
            self.labels[name] = picture.labels


def _size_of(picture: Picture) -> int:
    """Bytes of its labels as JSON, and of its name."""
    name = len(picture.outcome.candidate.key) + 16
    return 6 * name + len(json.dumps(picture.labels)) if picture.labels else 0
