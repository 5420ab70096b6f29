"""Movements of noise that two texts give, without a label."""

from __future__ import annotations

import numpy as np

from benchmarks.stitch_texts import questions
from latentdb.arrays import BoolArray, FloatArray, IdArray
from latentdb.database import LatentDB
from latentdb.directions.carry import push
from latentdb.model import AbstractTextEncoder
from latentdb.stitch import fit_map
from latentdb.stitch.chain import MapChain
from latentdb.zoo.faces import ATTRIBUTES

TEXTS, NOISE = "faces-clip", "faces-noise"
NEUTRAL = "a face"


def text_movements(
    db: LatentDB, ids: IdArray, is_held_out: BoolArray, *, seed: int
) -> list[FloatArray]:
    """One (dim,) for each attribute, as `latentdb direction --text` makes it.

    Parameters
    ----------
    db : LatentDB
    ids : (n,) int64
        Faces with vectors in both spaces.
    is_held_out : (n,) bool
        Those that the map is not to see.
    seed : int
    """
    model, profile = db.model(TEXTS), db.profile(TEXTS)
    if not isinstance(model, AbstractTextEncoder) or profile is None:
        raise TypeError(f"{TEXTS} embeds no texts, or holds too few faces")
    fitting = ids[~is_held_out]
    way = fit_map(
        db.store.vectors(TEXTS, fitting),
        db.store.vectors(NOISE, fitting),
        spaces=(db.store.space(TEXTS), db.store.space(NOISE)),
        ids=fitting,
        method="ridge",
        seed=seed,
    )
    wordings = {name: [q.text for q in questions() if q.attribute == name] for name in ATTRIBUTES}
    # The second wording of each is "a … face" or "a face with …".
    towards = model.encode_text([wordings[name][1] for name in ATTRIBUTES])
    differences = (towards - model.encode_text([NEUTRAL])).astype(np.float64)
    movements = profile.times_covariance(differences)
    return [push(one, MapChain((way,))) for one in movements]
