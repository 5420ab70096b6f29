"""Geometry of latent vectors: norms and curves between points."""

from latentdb.geometry.interpolate import interpolate as interpolate
from latentdb.geometry.interpolate import lerp as lerp
from latentdb.geometry.interpolate import slerp as slerp
from latentdb.geometry.norms import chi_mean as chi_mean
from latentdb.geometry.norms import chi_mode as chi_mode
from latentdb.geometry.norms import chi_std as chi_std
from latentdb.geometry.norms import restore_norm as restore_norm
