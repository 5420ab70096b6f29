"""What an index is asked to be: kept with it, so that it can be made anew."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final, Literal, TypeAlias, final

from indexers.errors import ParameterError
from indexers.kinds import config_from_settings, make_config
from indexers.stage import AbstractIndexConfig
from indexers.types import IndexKind

AUTO: Final = "auto"
WantedKind: TypeAlias = AbstractIndexConfig | IndexKind | Literal["auto"]
TARGET_RECALL: Final = 0.95


@final
@dataclass(frozen=True)
class IndexRequest:
    """What was asked for.

    Parameters
    ----------
    kind : AbstractIndexConfig, its name or "auto"
        A name is of a kind whose search is tuned; a configuration is taken as it is and measured,
        unless a target is given. "auto" chooses by what there is to index.
    target_recall : float, optional
        Share of the true 10 nearest that every kind of question is to find, above 0 and at
        most 1. .95 where not given.
    memory : int, optional
        Bytes that the index may take; for "auto" what is free, where not given.
    shards : int, optional
        Parts that it is built in and searched by; one piece where not given.
    """

    kind: WantedKind = "flat"
    target_recall: float | None = None
    memory: int | None = None
    shards: int | None = None

    def __post_init__(self) -> None:
        if self.target_recall is not None and not 0.0 < self.target_recall <= 1.0:
            raise ParameterError(
                f"a target recall is above 0 and at most 1, got {self.target_recall:g}"
            )
        if self.memory is not None and self.memory <= 0:
            raise ParameterError(f"memory is a number of bytes above 0, got {self.memory}")
        if self.shards is not None and self.shards < 1:
            raise ParameterError(f"an index has at least one shard, got {self.shards}")
        if isinstance(self.kind, str) and self.kind != AUTO:
            make_config(self.kind)

    @property
    def target(self) -> float | None:
        """What the search is tuned for; None where its settings are to stay as they are."""
        if isinstance(self.kind, AbstractIndexConfig):
            return self.target_recall
        return TARGET_RECALL if self.target_recall is None else self.target_recall

    @property
    def config(self) -> AbstractIndexConfig | None:
        """The configuration that was asked for; None where it is to be chosen."""
        if isinstance(self.kind, AbstractIndexConfig):
            return self.kind
        return None if self.kind == AUTO else make_config(self.kind)

    def to_json(self) -> dict[str, Any]:
        """Plain dictionary for a manifest; `from_json` reads it back."""
        kind = self.kind
        told = kind if isinstance(kind, str) else {"kind": kind.kind, **asdict(kind)}
        return {
            "kind": told,
            "target_recall": self.target_recall,
            "memory": self.memory,
            "shards": self.shards,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> IndexRequest:
        """What `to_json` wrote."""
        told = data["kind"]
        kind: WantedKind = config_from_settings(told) if isinstance(told, Mapping) else told
        return cls(kind, data["target_recall"], data["memory"], data.get("shards"))
