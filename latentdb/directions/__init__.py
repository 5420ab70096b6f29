"""Attributes as directions: made, scored on items that did not shape them, kept as artefacts."""

from latentdb.directions.cost import OrthogonalityCost as OrthogonalityCost
from latentdb.directions.direction import Direction as Direction
from latentdb.directions.fit import DirectionMethod as DirectionMethod
from latentdb.directions.fit import DirectionOptions as DirectionOptions
from latentdb.directions.fit import fit_direction as fit_direction
from latentdb.directions.liked import from_ids as from_ids
from latentdb.directions.orthogonal import Nuisances as Nuisances
from latentdb.directions.orthogonal import orthogonal_part as orthogonal_part
from latentdb.directions.probe import probe as probe
from latentdb.directions.probe import probe_many as probe_many
from latentdb.directions.scores import ProbeScore as ProbeScore
from latentdb.directions.scores import score_ranking as score_ranking
