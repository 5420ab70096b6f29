"""Between stored items: points on a curve from one to another, and the middle of several."""

from latentdb.paths.centroid import Centroid as Centroid
from latentdb.paths.centroid import CentroidOptions as CentroidOptions
from latentdb.paths.centroid import centroid_of_items as centroid_of_items
from latentdb.paths.common import choose_space as choose_space
from latentdb.paths.common import decode_pictures as decode_pictures
from latentdb.paths.interpolation import Interpolation as Interpolation
from latentdb.paths.interpolation import InterpolationOptions as InterpolationOptions
from latentdb.paths.interpolation import interpolate_items as interpolate_items
