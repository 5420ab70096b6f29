"""Geometry of latent vectors: norms, curves between two points, and centres of many."""

from latentdb.geometry.centroid import centroid as centroid
from latentdb.geometry.frechet_mean import frechet_mean as frechet_mean
from latentdb.geometry.geodesic import geodesic as geodesic
from latentdb.geometry.geometric_median import geometric_median as geometric_median
from latentdb.geometry.interpolate import interpolate as interpolate
from latentdb.geometry.linear_combination import linear_combination as linear_combination
from latentdb.geometry.lines import lerp as lerp
from latentdb.geometry.lines import slerp as slerp
from latentdb.geometry.norms import chi_mean as chi_mean
from latentdb.geometry.norms import chi_mode as chi_mode
from latentdb.geometry.norms import chi_std as chi_std
from latentdb.geometry.norms import restore_norm as restore_norm
from latentdb.geometry.weighted_mean import weighted_mean as weighted_mean
