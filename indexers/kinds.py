"""The kinds of index and their configurations, by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from indexers.errors import IndexKindError, ParameterError
from indexers.flat import FlatConfig
from indexers.hnsw import HnswConfig
from indexers.ivf import IvfConfig
from indexers.ivf_pq import IvfPqConfig
from indexers.rabitq import RabitqConfig
from indexers.sq8 import Sq8Config
from indexers.stage import AbstractIndexConfig
from indexers.types import INDEX_KINDS

_CONFIGS: dict[str, type[AbstractIndexConfig]] = {
    "flat": FlatConfig,
    "sq8": Sq8Config,
    "hnsw": HnswConfig,
    "ivf": IvfConfig,
    "ivf_pq": IvfPqConfig,
    "rabitq": RabitqConfig,
}


def make_config(kind: str, **settings: Any) -> AbstractIndexConfig:
    """Configuration of an index kind by its name.

    >>> make_config("hnsw", m=16)
    HnswConfig(m=16, ef_construction=128, ef_search=128)

    Raises
    ------
    IndexKindError
        No such kind.
    ParameterError
        A setting that this kind does not have, or that is out of range.
    """
    if kind not in _CONFIGS:
        raise IndexKindError(f"expected an index kind of {', '.join(INDEX_KINDS)}, got {kind!r}")
    config = _CONFIGS[kind]
    unknown = sorted(set(settings) - set(config.__dataclass_fields__))
    if unknown:
        known = ", ".join(config.__dataclass_fields__) or "none"
        raise ParameterError(
            f"expected settings of a {kind} index ({known}), got {', '.join(unknown)}"
        )
    return config(**settings)


def config_from_settings(settings: Mapping[str, Any]) -> AbstractIndexConfig:
    """Configuration from `{"kind": …, **settings}`, as a manifest holds it."""
    rest = dict(settings)
    return make_config(str(rest.pop("kind", None)), **rest)
