"""Preparation of a model for clustering: levels, gaps and the density of the grid."""

from xvcluster.prepare.interpolation import interpolate
from xvcluster.prepare.preparation import prepare

__all__ = ["interpolate", "prepare"]
