"""How unlikely a vector is when its noise level is not told: sums over stored vectors."""

from latentdb.geometry.marginal_energy.corpus import EnergyCorpus as EnergyCorpus
from latentdb.geometry.marginal_energy.exact import Energies as Energies
from latentdb.geometry.marginal_energy.exact import denoised as denoised
from latentdb.geometry.marginal_energy.exact import marginal_energy as marginal_energy
from latentdb.geometry.marginal_energy.near import NearEnergies as NearEnergies
from latentdb.geometry.marginal_energy.near import NearField as NearField
from latentdb.geometry.marginal_energy.noise_level import NoiseLevels as NoiseLevels
from latentdb.geometry.marginal_energy.noise_level import noise_level as noise_level
from latentdb.geometry.marginal_energy.noise_prior import NoisePrior as NoisePrior
from latentdb.geometry.marginal_energy.widened import widened_energies as widened_energies
