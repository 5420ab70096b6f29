"""How typical each stored row of a space is: its marginal energy, kept beside the vectors."""

from latentdb.energy.kept import SpaceEnergy as SpaceEnergy
