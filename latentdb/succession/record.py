"""What a database remembers of a migration: a record, its states, and which may follow which.

`starting` → `serving` → `ready` → `cut_over` → `finishing` → `finished`. Rolling back leads from
`cut_over` to `ready` (to `serving`, where vectors are missing), and from any state before it to
`rolled_back`, from where it may start anew.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Literal, final

from latentdb.errors import MigrationError
from latentdb.held_out import Estimate

MigrationState = Literal[
    "starting",  # the sample is being embedded; the new space is not served yet
    "serving",  # questions to the new space are mapped and answered by the old one
    "ready",  # the backfill is through; the new space answers by itself when it is named
    "cut_over",  # questions go to the new space, by default and under the old name
    "finishing",  # the old space is being dropped
    "finished",  # it is gone; its name stands for the new space
    "rolled_back",  # given up; both are plain spaces, nothing was deleted
]

_FOLLOWING: Mapping[MigrationState, tuple[MigrationState, ...]] = {
    "starting": ("serving", "ready", "rolled_back"),
    "serving": ("ready", "rolled_back"),
    "ready": ("cut_over", "rolled_back"),
    "cut_over": ("serving", "ready", "finishing"),
    "finishing": ("finished",),
    "finished": (),
    "rolled_back": ("starting",),
}
OPEN: frozenset[MigrationState] = frozenset({"starting", "serving", "ready", "cut_over"})
SWITCHED: frozenset[MigrationState] = frozenset({"cut_over", "finishing", "finished"})


def now() -> str:
    """The moment of the call, ISO 8601 in UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


@final
@dataclass(frozen=True)
class PictureCounts:
    """Where the pictures came from that the new model has seen.

    Counted before their vectors are written: a kill in between counts at most one commit twice,
    and never hides a thumbnail.

    Parameters
    ----------
    source : int
        Read from their source file, its pixels those that were ingested.
    whole_thumbnail : int
        The file was gone or another; the stored thumbnail is the whole picture, pixel by pixel.
    thumbnail : int
        Only a smaller or recompressed thumbnail was left: these vectors are approximate.
    failed : int
        No picture could be had, or the model failed on it, in the last run.
    """

    source: int = 0
    whole_thumbnail: int = 0
    thumbnail: int = 0
    failed: int = 0

    def plus(self, other: PictureCounts) -> PictureCounts:
        """Both together, but the failures of `other` alone: what failed is tried again."""
        return PictureCounts(
            self.source + other.source,
            self.whole_thumbnail + other.whole_thumbnail,
            self.thumbnail + other.thumbnail,
            other.failed,
        )


@final
@dataclass(frozen=True)
class TextLoss:
    """What answering texts asked of the new space through the old one costs.

    Parameters
    ----------
    recall_at_10 : Estimate
        Share of a text's true 10 nearest in the new space that the old space finds.
    n_texts : int
        Texts asked with.
    by_map : bool
        Whether they go through the map; else the old space's own tower embeds them, which found
        more.
    """

    recall_at_10: Estimate
    n_texts: int
    by_map: bool

    @property
    def loss(self) -> Estimate:
        """1 − recall@10."""
        return _complement(self.recall_at_10)

    def to_json(self) -> dict[str, Any]:
        """Plain dictionary; `from_json` reads it back."""
        return {
            "recall_loss": self.loss.to_json(),
            "recall_at_10": self.recall_at_10.to_json(),
            "n_texts": self.n_texts,
            "by_map": self.by_map,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> TextLoss:
        """Measurement written by `to_json`."""
        recall = Estimate.from_json(data["recall_at_10"])
        return cls(recall, int(data["n_texts"]), bool(data["by_map"]))


@final
@dataclass(frozen=True)
class RecallLoss:
    """What answering the new space through the old one costs, measured on held-out items.

    Parameters
    ----------
    recall_at_10 : Estimate
        Share of a question's true 10 nearest in the new space that the old space finds for the
        mapped question, with its 95 % interval.
    own_recall_at_10 : Estimate
        The same, asking with the item's own vector in the old space: questions by id.
    n_queries, gallery : int
        Held-out items asked with, and sampled items searched; recall falls as galleries grow.
    metric : str
        Of both searches.
    texts : TextLoss, optional
        Of questions in words; None where the new space has no text tower, or the record is of an
        earlier version.
    """

    recall_at_10: Estimate
    own_recall_at_10: Estimate
    n_queries: int
    gallery: int
    metric: str
    texts: TextLoss | None = None

    @property
    def loss(self) -> Estimate:
        """1 − recall@10 of mapped questions."""
        return _complement(self.recall_at_10)

    @property
    def own_loss(self) -> Estimate:
        """1 − recall@10 of questions by id."""
        return _complement(self.own_recall_at_10)

    @property
    def chance(self) -> float:
        """Recall@10 of answering at random."""
        return min(1.0, 10 / (self.gallery - 1))

    def to_json(self) -> dict[str, Any]:
        """Plain dictionary; `from_json` reads it back."""
        return {
            "recall_loss": self.loss.to_json(),
            "recall_at_10": self.recall_at_10.to_json(),
            "own_recall_at_10": self.own_recall_at_10.to_json(),
            "chance_at_10": self.chance,
            "n_queries": self.n_queries,
            "gallery": self.gallery,
            "metric": self.metric,
            "texts": None if self.texts is None else self.texts.to_json(),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> RecallLoss:
        """Measurement written by `to_json`."""
        texts = data.get("texts")
        return cls(
            Estimate.from_json(data["recall_at_10"]),
            Estimate.from_json(data["own_recall_at_10"]),
            int(data["n_queries"]),
            int(data["gallery"]),
            str(data["metric"]),
            None if texts is None else TextLoss.from_json(texts),
        )


def _complement(share: Estimate) -> Estimate:
    return Estimate(1.0 - share.value, 1.0 - share.high, 1.0 - share.low)


@final
@dataclass(frozen=True)
class ToRefit:
    """Something fitted on the old space that has no counterpart in the new one.

    Parameters
    ----------
    what : str
        Such as "direction hat" or "map clip → noise".
    why : str
        Why it was not refitted.
    command : str
        What refits it.
    """

    what: str
    why: str
    command: str


@final
@dataclass(frozen=True)
class Migration:
    """One space taking the place of another.

    Parameters
    ----------
    old, new : str
        Names of the spaces.
    state : MigrationState
    sample, seed : int
        Items that the maps and the loss are fitted and measured on, and what draws them.
    before : tuple of str
        Spaces that came after `old` when it began: `new` takes its place before them.
    pictures : PictureCounts
    loss : RecallLoss, optional
        None until the maps are fitted.
    refitted : tuple of str
        Directions and maps that cut-over fitted anew on the new space.
    to_refit : tuple of ToRefit
        Those that it could not.
    started_at, changed_at : str
        ISO 8601, UTC.
    """

    old: str
    new: str
    state: MigrationState
    sample: int
    seed: int
    before: tuple[str, ...] = ()
    pictures: PictureCounts = PictureCounts()
    loss: RecallLoss | None = None
    refitted: tuple[str, ...] = ()
    to_refit: tuple[ToRefit, ...] = ()
    started_at: str = field(default_factory=now)
    changed_at: str = field(default_factory=now)

    @property
    def is_open(self) -> bool:
        """Whether there is still a way back, and something to do."""
        return self.state in OPEN

    @property
    def is_switched(self) -> bool:
        """Whether the old name stands for the new space."""
        return self.state in SWITCHED

    def moved(self, state: MigrationState, **changes: Any) -> Migration:
        """The record in its next state.

        Raises
        ------
        MigrationError
            No way leads there from the state it is in.
        """
        if state not in _FOLLOWING[self.state]:
            raise MigrationError(
                f"the migration {self.old} → {self.new} is {self.state!r}, from where no way leads "
                f"to {state!r}; possible: {', '.join(_FOLLOWING[self.state]) or 'nothing more'}"
            )
        return replace(self, state=state, changed_at=now(), **changes)

    def to_json(self) -> dict[str, Any]:
        """Plain dictionary; `from_json` reads it back."""
        loss = None if self.loss is None else self.loss.to_json()
        return {**asdict(self), "loss": loss}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Migration:
        """Record written by `to_json`.

        Raises
        ------
        KeyError, TypeError, ValueError
            It was not.
        """
        fields = dict(data)
        if fields["state"] not in _FOLLOWING:
            raise ValueError(f"there is no state {fields['state']!r}")
        loss = fields.pop("loss")
        return cls(
            pictures=PictureCounts(**fields.pop("pictures")),
            loss=None if loss is None else RecallLoss.from_json(loss),
            before=tuple(fields.pop("before")),
            refitted=tuple(fields.pop("refitted")),
            to_refit=tuple(ToRefit(**one) for one in fields.pop("to_refit")),
            **fields,
        )
