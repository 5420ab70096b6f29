"""Maps between spaces: fitted in one pass, scored on held-out items, kept as artefacts."""

from latentdb.stitch.base import AbstractStitcher as AbstractStitcher
from latentdb.stitch.cca import CcaStitcher as CcaStitcher
from latentdb.stitch.evaluate import MapScores as MapScores
from latentdb.stitch.evaluate import NullScores as NullScores
from latentdb.stitch.evaluate import score_predictions as score_predictions
from latentdb.stitch.fit import MapMethod as MapMethod
from latentdb.stitch.fit import MapOptions as MapOptions
from latentdb.stitch.fit import fit_map as fit_map
from latentdb.stitch.fit import fit_map_stream as fit_map_stream
from latentdb.stitch.linear_map import LinearMap as LinearMap
from latentdb.stitch.moments import PairMoments as PairMoments
from latentdb.stitch.procrustes import ProcrustesStitcher as ProcrustesStitcher
from latentdb.stitch.reduced_rank import ReducedRankStitcher as ReducedRankStitcher
from latentdb.stitch.ridge import RidgeStitcher as RidgeStitcher
from latentdb.stitch.split import SplitMoments as SplitMoments
