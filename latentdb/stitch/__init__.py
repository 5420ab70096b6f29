"""Maps between spaces: fitted, scored on held-out items, kept as artefacts."""

from latentdb.stitch.base import AbstractStitcher as AbstractStitcher
from latentdb.stitch.evaluate import MapScores as MapScores
from latentdb.stitch.evaluate import NullScores as NullScores
from latentdb.stitch.evaluate import score_predictions as score_predictions
from latentdb.stitch.fit import MapMethod as MapMethod
from latentdb.stitch.fit import MapOptions as MapOptions
from latentdb.stitch.fit import fit_map as fit_map
from latentdb.stitch.linear_map import LinearMap as LinearMap
from latentdb.stitch.ridge import RidgeStitcher as RidgeStitcher
