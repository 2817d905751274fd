"""Figures of labels and results; matplotlib and cartopy are imported when one is drawn."""

from xvcluster.plot.criteria import criteria
from xvcluster.plot.map import map  # noqa: A004
from xvcluster.plot.profiles import profiles
from xvcluster.plot.som import som
from xvcluster.plot.style import cluster_colors
from xvcluster.plot.summary import summary
from xvcluster.plot.sweep import elbow, maps
from xvcluster.plot.votes import votes

__all__ = [
    "cluster_colors",
    "criteria",
    "elbow",
    "map",
    "maps",
    "profiles",
    "som",
    "summary",
    "votes",
]
