"""Every row of a space as a point of a plane, and what the points are coloured by."""

from latentdb.projection.points import ProjectOptions, project
from latentdb.projection.projected import Method, Projection2D
from latentdb.projection.values import PointValues, ValueKind, point_values

__all__ = [
    "Method",
    "PointValues",
    "ProjectOptions",
    "Projection2D",
    "ValueKind",
    "point_values",
    "project",
]
