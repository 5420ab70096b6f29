"""What a map is fitted with, as callers say it."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

if TYPE_CHECKING:
    from latentdb.stitch.fit import MapMethod
    from latentdb.types import EngineName


class StitchOptions(TypedDict, total=False):
    """Options of a fit; see `latentdb.learn.learn_map`.

    `update` reads new rows alone, `force` keeps a map that does not beat its null, and `engine`
    "ray" has the workers of the cluster at `address` sum over the items.
    """

    method: MapMethod
    seed: int
    update: bool
    force: bool
    engine: EngineName
    address: str | None
