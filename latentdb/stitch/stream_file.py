"""A stream of pairs on disk, beside the map it gave, so that later rows are all that is read."""

from __future__ import annotations

from pathlib import Path

from latentdb.artefacts import Artefact, FittedOn, SpaceRef, load_artefact, save_artefact
from latentdb.held_out import hash_ids
from latentdb.space import Space
from latentdb.stitch.selection import Pairs
from latentdb.stitch.split import SplitMoments

KIND = "map_moments"


def save_stream(path: Path, stream: SplitMoments, *, spaces: tuple[Space, Space]) -> None:
    """Write all that `load_stream` needs to go on.

    Raises
    ------
    ArtefactError
        The folder cannot be written to.
    """
    ids = stream.ids()
    arrays = {
        **{f"moments.{name}": array for name, array in stream.moments.to_arrays().items()},
        "ids": ids,
        "kept_ids": stream.kept_ids,
        "kept_x": stream.kept.X,
        "kept_y": stream.kept.Y,
    }
    artefact = Artefact(
        kind=KIND,
        arrays=arrays,
        spaces={"source": SpaceRef.of(spaces[0]), "target": SpaceRef.of(spaces[1])},
        fitted_on=FittedOn(len(ids), 0, hash_ids(ids), stream.seed),
        parameters=_settings(stream),
    )
    save_artefact(path, artefact)


def load_stream(path: Path, into: SplitMoments, *, spaces: tuple[Space, Space]) -> bool:
    """Fill the empty stream `into` from `path`.

    Returns
    -------
    bool
        False, and `into` stays empty, where there is no file, or one of other vectors, another
        seed or another kind of moments: every row has to be read then.

    Raises
    ------
    ArtefactError
        The file is torn or foreign.
    """
    if not path.exists():
        return False
    stored = load_artefact(path, kind=KIND)
    found = [stored.spaces[role].fingerprint for role in ("source", "target")]
    wanted = [space.fingerprint for space in spaces]
    if found != wanted or dict(stored.parameters) != _settings(into):
        return False
    prefix = "moments."
    into.moments.restore(
        {k.removeprefix(prefix): v for k, v in stored.arrays.items() if k.startswith(prefix)}
    )
    into.kept_ids = stored.arrays["kept_ids"]
    into.kept = Pairs(stored.arrays["kept_x"], stored.arrays["kept_y"])
    into.remember(stored.arrays["ids"])
    return True


def _settings(stream: SplitMoments) -> dict[str, int | bool]:
    limits = stream.moments.limits
    return {
        "seed": stream.seed,
        "n_kept": stream.n_kept,
        "with_target_gram": stream.moments.target.gram is not None,
        **vars(limits),
    }
