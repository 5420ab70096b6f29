"""Pictures of what a question says: mapped into noise, its spread restored, decoded."""

from latentdb.imagine.fit import LawOptions as LawOptions
from latentdb.imagine.fit import fit_residual_law as fit_residual_law
from latentdb.imagine.imagined import Imagined as Imagined
from latentdb.imagine.imagined import ImagineOptions as ImagineOptions
from latentdb.imagine.imagined import imagine as imagine
from latentdb.imagine.law import ResidualLaw as ResidualLaw
from latentdb.imagine.law import ResidualScores as ResidualScores
from latentdb.imagine.shelf import residual_law as residual_law
